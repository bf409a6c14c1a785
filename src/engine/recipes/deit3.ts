/**
 * DeiT-III: a ViT from scratch in 400 or 800 epochs at a low resolution, and 20 epochs of fine-tuning at 224 pixels.
 * Touvron et al. 2022 (https://arxiv.org/abs/2204.07118), as in the MaskSub paper (https://arxiv.org/abs/2306.11339).
 */
import { randAugment, resizedCrop } from './augmentations.ts';
import type { Published, Row } from './row.ts';
import { from, ownChoice } from './sources.ts';

const [readme, code, timm] = [from('readme'), from('code'), from('timm')];

// Images of 224 pixels for ViT-S; a batch is that of one GPU, and `accumulate` counts the GPUs: the gradients of all are averaged.
const sizes = {
  s: {
    model: { size: readme('s/16'), imageSize: readme(224) },
    train: { batchSize: readme(256), accumulate: readme(8, 'the GPUs of the reference'), learningRate: readme(4e-3) },
    dropPath: { 400: readme(0), 800: readme(0.05) },
    published: { 400: [80.4, 81.1], 800: [81.4, 81.7] },
  },
  b: {
    model: { size: readme('b/16'), imageSize: readme(192) },
    train: { batchSize: readme(256), accumulate: readme(8, 'the GPUs of the reference'), learningRate: readme(3e-3) },
    dropPath: { 400: readme(0.1), 800: readme(0.2) },
    published: { 400: [83.5, 84.1], 800: [83.8, 84.2] },
  },
  l: {
    model: { size: readme('l/16'), imageSize: readme(192) },
    train: { batchSize: readme(32), accumulate: readme(64, 'the GPUs of the reference'), learningRate: readme(3e-3) },
    dropPath: { 400: readme(0.4), 800: readme(0.45) },
    published: { 400: [84.5, 85.2], 800: [84.9, 85.3] },
  },
  h: {
    model: {
      size: readme('h/14'),
      imageSize: ownChoice(154, 'the command says 160, of which patches of 14 cover 154: the same 11 × 11 tokens'),
    },
    train: { batchSize: readme(32), accumulate: readme(64, 'the GPUs of the reference'), learningRate: readme(3e-3) },
    dropPath: { 400: readme(0.5), 800: readme(0.6) },
    published: { 400: [85.1, 85.7], 800: [85.2, 85.7] },
  },
} as const;

const deit3Model = { name: readme('vit'), form: readme('deit3') } as const;

/** Of both scripts: one learning rate for an epoch, from the warm-up's on. */
const scheduleOfEpochs = {
  schedule: code('cosine'),
  schedulePer: code('epoch'),
  scheduleLag: ownChoice(false, 'the code is an epoch late, by accident; true does it as well'),
  warmupEpochs: code(5),
  warmupPrefix: timm(false),
  warmupLearningRate: code(1e-6),
  minLearningRate: code(1e-5),
  seed: code(0),
} as const;

const notes = [
  'The reference keeps a moving average of the weights (decay 0.99996) and reports the raw weights: it is left off here, since it costs memory and changes nothing that is reported. `train.ema` has it.',
];

function pretrained(size: keyof typeof sizes, epochs: 400 | 800): Row {
  const { model, train, dropPath, published } = sizes[size];
  const [baseline, masksub] = published[epochs];
  return {
    model: { ...deit3Model, ...model, dropPath: dropPath[epochs], layerScale: code(1e-4), pool: code('token') },
    train: {
      epochs: readme(epochs),
      ...train,
      weightDecay: readme(epochs === 400 ? 0.03 : 0.05),
      loss: code('bce'),
      targetThreshold: code(0, 'after mixup every class that has a share is a target of 1'),
      smoothing: code(0),
      optimizer: code('lamb', 'the reference runs FusedLAMB of apex'),
      betas: code([0.9, 0.999]),
      epsilon: code(1e-8),
      ...scheduleOfEpochs,
    },
    augment: {
      ...resizedCrop(code),
      threeAugment: code(true),
      colorJitter: code(0.3),
      mixup: code(0.8),
      cutmix: code(1),
      switchProb: code(0.5),
      mixProb: code(1),
      randomErasing: code(0),
      repeated: code(3),
      testCrop: code(1),
    },
    published: resultOf(size, baseline, masksub),
    notes: [
      ...notes,
      'FusedLAMB (apex) and LAMB as here, after timm, have the same formula: the gradient divided by its global norm where that is above 1, Adam with bias correction, decoupled decay, no trust ratio for parameters without decay. They differ in epsilon (apex 1e-8, timm 1e-6); this recipe sets that of apex. This was read, not run side by side.',
    ],
  };
}

const resultOf = (size: keyof typeof sizes, baseline: number, masksub: number): Published => ({
  baseline: readme(baseline),
  masksub: readme(masksub),
  ...(size === 's'
    ? {}
    : { note: 'after 20 epochs of fine-tuning at 224 pixels, a row of its own, as the FLOPs published with it tell' }),
});

function fineTuned(size: 'b' | 'l' | 'h', dropPath: number): Row {
  const large = size !== 'b';
  return {
    model: {
      ...deit3Model,
      size: sizes[size].model.size,
      imageSize: readme(224),
      dropPath: readme(dropPath),
      layerScale: code(1e-4),
      pool: code('token'),
    },
    train: {
      epochs: readme(20),
      batchSize: readme(large ? 8 : 64),
      accumulate: readme(large ? 64 : 8, 'the GPUs of the reference'),
      learningRate: readme(1e-5),
      weightDecay: readme(0.1),
      loss: code('ce'),
      smoothing: code(0.1),
      optimizer: code('adamw'),
      betas: code([0.9, 0.999]),
      epsilon: code(1e-8),
      ...scheduleOfEpochs,
      minLearningRate: code(1e-5, 'the peak: after the warm-up the rate stays'),
    },
    augment: {
      ...resizedCrop(code),
      randAugment: randAugment(code, 9),
      mixup: code(0.8),
      cutmix: code(1),
      switchProb: code(0.5),
      mixProb: code(1),
      randomErasing: code(0),
      repeated: code(1),
      testCrop: code(1),
    },
    published: {
      none: 'not apart; those of the rows of 400 and 800 epochs are after this fine-tuning',
    },
    weights: {
      path: `weights/deit3-vit-${size}-400.safetensors`,
      about: `the best checkpoint of deit3-vit-${size}-400 or -800, or a published file of DeiT-III`,
    },
    notes,
  };
}

export const deit3 = {
  'deit3-vit-s-400': pretrained('s', 400),
  'deit3-vit-s-800': pretrained('s', 800),
  'deit3-vit-b-400': pretrained('b', 400),
  'deit3-vit-b-800': pretrained('b', 800),
  'deit3-vit-l-400': pretrained('l', 400),
  'deit3-vit-l-800': pretrained('l', 800),
  'deit3-vit-h-400': pretrained('h', 400),
  'deit3-vit-h-800': pretrained('h', 800),
  'deit3-vit-b-finetune': fineTuned('b', 0.2),
  'deit3-vit-l-finetune': fineTuned('l', 0.45),
  'deit3-vit-h-finetune': fineTuned('h', 0.55),
} as const satisfies Record<string, Row>;
