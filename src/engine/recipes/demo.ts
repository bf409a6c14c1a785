/**
 * The demo: a small ViT on 1,000 Fashion-MNIST images, long enough for the baseline to over-fit.
 * Found by our own search with PyTorch; see docs/results.md for what it shows and what it does not.
 */
import type { Recipe } from '../../core/config.ts';

export const demo: Recipe = {
  data: { validateEvery: 5, validateOn: 2000 },
  model: {
    name: 'vit',
    imageSize: 28,
    patchSize: 7, // 16 tokens; with 49 (patch 4) a step takes three times as long
    width: 64,
    depth: 4,
    heads: 2,
    mlpRatio: 2,
    pool: 'mean',
    layerScale: 1,
    init: 'fan-in',
  },
  train: {
    epochs: 150, // at 60 the two methods are level
    batchSize: 32,
    optimizer: 'adamw',
    learningRate: 2e-3,
    weightDecay: 0.05,
    warmupEpochs: 15, // 10 % of the steps
  },
  augment: { crop: 'pad', padding: 1, flip: true },
};
