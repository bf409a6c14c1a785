/**
 * Fine-tuning of a ViT that MAE has pretrained.
 * He et al. 2022 (https://arxiv.org/abs/2111.06377), appendix A, as in the MaskSub paper (https://arxiv.org/abs/2306.11339).
 */
import { strongMix, TEST_CROP } from './augmentations.ts';
import type { Row } from './row.ts';
import { from } from './sources.ts';

const [readme, code] = [from('readme'), from('code')];

const sizes = {
  b: {
    model: { size: readme('b/16'), dropPath: readme(0.1) },
    train: {
      epochs: readme(100),
      batchSize: readme(128),
      accumulate: readme(8, 'the GPUs of the reference'),
      learningRate: readme(2e-3, '5e-4 for a batch of 256, times 1024 / 256'),
      layerDecay: readme(0.65),
    },
    published: [83.6, 83.9],
    file: 'mae_pretrain_vit_base.pth',
  },
  l: {
    model: { size: readme('l/16'), dropPath: readme(0.2) },
    train: {
      epochs: readme(50),
      batchSize: readme(32),
      accumulate: readme(32, 'the 8 GPUs of the reference, each with 4 batches'),
      learningRate: readme(4e-3, '1e-3 for a batch of 256, times 1024 / 256'),
      layerDecay: readme(0.75),
    },
    published: [85.9, 86.1],
    file: 'mae_pretrain_vit_large.pth',
  },
  h: {
    model: { size: readme('h/14'), dropPath: readme(0.3) },
    train: {
      epochs: readme(50),
      batchSize: readme(16),
      accumulate: readme(64, 'the GPUs of the reference'),
      learningRate: readme(4e-3, '1e-3 for a batch of 256, times 1024 / 256'),
      layerDecay: readme(0.75),
    },
    published: [86.9, 87.2],
    file: 'mae_pretrain_vit_huge.pth',
  },
} as const;

function fineTuned(size: keyof typeof sizes): Row {
  const { model, train, published, file } = sizes[size];
  return {
    model: {
      name: readme('vit'),
      form: readme('mae'),
      ...model,
      imageSize: code(224),
      pool: code('mean'),
      layerScale: code(0),
    },
    train: {
      ...train,
      weightDecay: code(0.05),
      loss: code('ce'),
      smoothing: code(0.1),
      optimizer: code('adamw'),
      betas: code([0.9, 0.999]),
      epsilon: code(1e-8, 'PyTorch’s'),
      schedule: code('cosine'),
      schedulePer: code('step'),
      warmupEpochs: code(5),
      warmupLearningRate: code(0),
      minLearningRate: code(1e-6),
      seed: code(0),
    },
    augment: { ...strongMix(code), testCrop: code(TEST_CROP, '224 of 256') },
    published: { baseline: readme(published[0]), masksub: readme(published[1]) },
    weights: { path: `weights/${file}`, about: 'from https://github.com/facebookresearch/mae' },
    notes: [],
  };
}

export const maeFinetune = {
  'mae-finetune-vit-b': fineTuned('b'),
  'mae-finetune-vit-l': fineTuned('l'),
  'mae-finetune-vit-h': fineTuned('h'),
} as const satisfies Record<string, Row>;
