/**
 * The demo: a small ViT on 1,000 Fashion-MNIST images, long enough for the baseline to over-fit.
 * Found by our own search with PyTorch; see docs/results.md for what it shows and what it does not.
 */
import type { Row } from './row.ts';
import { ownChoice } from './sources.ts';

const found = <const T>(value: T, reason = 'found by a search') => ownChoice(value, reason);

export const demo: Row = {
  data: {
    validateEvery: found(5, 'a validation costs as much as some epochs'),
    validateOn: found(2000, 'enough to see the curve; after the last epoch it is all'),
  },
  model: {
    name: found('vit'),
    imageSize: found(28, 'that of the data'),
    patchSize: found(7, '16 tokens; with 49 (patch 4) a step takes three times as long'),
    width: found(64),
    depth: found(4),
    heads: found(2),
    mlpRatio: found(2),
    pool: found('mean'),
    layerScale: found(1),
    init: found('fan-in'),
  },
  train: {
    epochs: found(150, 'at 60 the two methods are level'),
    batchSize: found(32),
    optimizer: found('adamw'),
    learningRate: found(2e-3),
    weightDecay: found(0.05),
    warmupEpochs: found(15, '10 % of the steps'),
  },
  augment: { crop: found('pad'), padding: found(1), flip: found(true) },
  published: { none: 'not a row of the paper; docs/results.md has what we found' },
  notes: [],
};
