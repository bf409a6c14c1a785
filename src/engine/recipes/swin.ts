/**
 * Swin: 300 epochs from scratch.
 * Liu et al. 2021 (https://arxiv.org/abs/2103.14030), as in the MaskSub paper (https://arxiv.org/abs/2306.11339).
 */
import { strongMix, TEST_CROP } from './augmentations.ts';
import type { Row } from './row.ts';
import { from } from './sources.ts';

const [readme, code] = [from('readme'), from('code')];

function trained(size: 't' | 's' | 'b', dropPath: number, baseline: number, masksub: number): Row {
  return {
    model: {
      name: readme('swin'),
      size: readme(size),
      imageSize: code(224),
      window: code(7),
      maskPatch: code(32, '8 × 8 tokens: 7 × 7 patches of the image'),
      dropPath: code(dropPath),
    },
    train: {
      epochs: code(300),
      batchSize: readme(128),
      accumulate: readme(8, 'the GPUs of the reference'),
      learningRate: code(1e-3, '5e-4 for a batch of 512, times 1024 / 512'),
      weightDecay: code(0.05),
      loss: code('ce'),
      smoothing: code(0.1),
      optimizer: code('adamw'),
      betas: code([0.9, 0.999]),
      epsilon: code(1e-8),
      schedule: code('cosine'),
      schedulePer: code('step'),
      warmupEpochs: code(20),
      warmupPrefix: code(false),
      warmupLearningRate: code(1e-6, '5e-7, times 1024 / 512'),
      minLearningRate: code(1e-5, '5e-6, times 1024 / 512'),
      clipNorm: code(5),
      seed: code(0),
    },
    augment: { ...strongMix(code), testCrop: code(TEST_CROP, '224 of 256') },
    published: { baseline: readme(baseline), masksub: readme(masksub) },
    notes: ['Colour jitter of 0.4 stands in the code and does nothing beside RandAugment, as in timm; it is left off.'],
  };
}

export const swin = {
  'swin-t': trained('t', 0.2, 81.3, 81.4),
  'swin-s': trained('s', 0.3, 83.0, 83.4),
  'swin-b': trained('b', 0.5, 83.5, 83.9),
} as const satisfies Record<string, Row>;
