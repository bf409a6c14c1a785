/**
 * Fine-tuning of a ViT that BEiT v2 has pretrained for 1,600 epochs. The paper's code has no such script: this is the base recipe.
 * Peng et al. 2022 (https://arxiv.org/abs/2208.06366), as in the MaskSub paper (https://arxiv.org/abs/2306.11339).
 */
import { strongMix, TEST_CROP } from './augmentations.ts';
import type { Published, Row } from './row.ts';
import { from } from './sources.ts';

const [beit2, paper] = [from('beit2'), from('paper')];

const sizes = {
  b: {
    model: { size: beit2('b/16'), layerScale: beit2(0.1, 'the weights bring their own') },
    train: {
      epochs: beit2(100),
      batchSize: beit2(128),
      accumulate: beit2(8, 'the GPUs of the reference'),
      learningRate: beit2(5e-4),
      warmupEpochs: beit2(20),
      layerDecay: beit2(0.6),
    },
    published: { baseline: paper(85.5), masksub: paper(85.6) },
    file: 'beitv2_base_patch16_224_pt1k.pth',
  },
  l: {
    model: { size: beit2('l/16'), layerScale: beit2(1e-5, 'the weights bring their own') },
    train: {
      epochs: beit2(50),
      batchSize: beit2(64),
      accumulate: beit2(16, 'the 8 GPUs of the reference, each with 2 batches'),
      learningRate: beit2(2e-4),
      warmupEpochs: beit2(5),
      layerDecay: beit2(0.8),
    },
    published: { none: 'none with MaskSub; BEiT v2 itself reports 87.3 without' },
    file: 'beitv2_large_patch16_224_pt1k.pth',
  },
} as const satisfies Record<string, { model: Row['model']; train: Row['train']; published: Published; file: string }>;

function fineTuned(size: keyof typeof sizes): Row {
  const { model, train, published, file } = sizes[size];
  return {
    model: {
      name: beit2('vit'),
      form: beit2('beit'),
      ...model,
      imageSize: beit2(224),
      dropPath: beit2(0.2),
      pool: beit2('mean'),
    },
    train: {
      ...train,
      weightDecay: beit2(0.05),
      loss: beit2('ce'),
      smoothing: beit2(0.1),
      optimizer: beit2('adamw'),
      betas: beit2([0.9, 0.999]),
      epsilon: beit2(1e-8),
      schedule: beit2('cosine'),
      schedulePer: beit2('step'),
      warmupLearningRate: beit2(0),
      minLearningRate: beit2(1e-6),
      seed: beit2(0),
    },
    augment: { ...strongMix(beit2), testCrop: beit2(TEST_CROP, '224 of 256') },
    published,
    weights: { path: `weights/${file}`, about: 'from https://github.com/microsoft/unilm/tree/master/beit2' },
    notes: [
      'Not published: how MaskSub was put on BEiT v2 and with which numbers. Here hidden patches leave the sequence, and each block’s position bias with them.',
    ],
  };
}

export const beit2Finetune = {
  'beit2-finetune-vit-b': fineTuned('b'),
  'beit2-finetune-vit-l': fineTuned('l'),
} as const satisfies Record<string, Row>;
