/**
 * Fine-tuning of CLIP's visual tower. The paper's code has no such script: this is the base recipe, FT-CLIP.
 * Dong et al. 2022 (https://arxiv.org/abs/2212.06138), as in the MaskSub paper (https://arxiv.org/abs/2306.11339).
 */
import { randAugment, resizedCrop } from './augmentations.ts';
import type { Row } from './row.ts';
import { from } from './sources.ts';

const [ftClip, paper] = [from('ftClip'), from('paper')];

const sizes = {
  b: {
    model: { size: ftClip('b/16') },
    train: {
      epochs: ftClip(50),
      batchSize: ftClip(256),
      accumulate: ftClip(8, 'the GPUs of the reference'),
      learningRate: ftClip(6e-4),
      warmupEpochs: ftClip(10),
      layerDecay: ftClip(0.6),
    },
    published: [84.8, 85.2],
    base: 85.7,
    weights: 'clip-vit-base-patch16',
  },
  l: {
    model: { size: ftClip('l/16'), patchSize: ftClip(14) },
    train: {
      epochs: ftClip(30),
      batchSize: ftClip(64),
      accumulate: ftClip(32, 'the 8 GPUs of the reference, each with 4 batches'),
      learningRate: ftClip(4e-4),
      warmupEpochs: ftClip(5),
      layerDecay: ftClip(0.65),
    },
    published: [87.5, 87.8],
    base: 88.0,
    weights: 'clip-vit-large-patch14',
  },
} as const;

function fineTuned(size: keyof typeof sizes): Row {
  const { model, train, published, base, weights } = sizes[size];
  return {
    data: {
      mean: ftClip([0.48145466, 0.4578275, 0.40821073], 'that of CLIP'),
      std: ftClip([0.26862954, 0.26130258, 0.27577711]),
    },
    model: {
      name: ftClip('vit'),
      form: ftClip('clip'),
      ...model,
      imageSize: ftClip(224),
      dropPath: ftClip(0),
      pool: ftClip('mean'),
      layerScale: ftClip(0),
    },
    train: {
      ...train,
      weightDecay: ftClip(0.05),
      loss: ftClip('ce'),
      smoothing: ftClip(0.1),
      optimizer: ftClip('adamw'),
      betas: ftClip([0.9, 0.999]),
      epsilon: ftClip(1e-8),
      schedule: ftClip('cosine'),
      schedulePer: ftClip('step'),
      warmupLearningRate: ftClip(0),
      minLearningRate: ftClip(1e-6),
      ema: ftClip(0.9998),
      seed: ftClip(0),
    },
    augment: {
      ...resizedCrop(ftClip),
      randAugment: randAugment(ftClip, 9),
      mixup: ftClip(0),
      cutmix: ftClip(0),
      randomErasing: ftClip(0.25),
      repeated: ftClip(1),
      testCrop: ftClip(1),
    },
    published: { baseline: paper(published[0]), masksub: paper(published[1]) },
    weights: {
      path: `weights/${weights}.safetensors`,
      about: `openai/${weights}, as transformers or timm have it`,
    },
    notes: [
      `Not published: the numbers of the MaskSub run, whose baseline has ${published[0]}; FT-CLIP itself reports ${base.toFixed(1)}, so the two differ in something.`,
      'FT-CLIP norms each token and then takes the mean, and leaves the patch embedding as it is; here the mean is normed, and everything learns.',
    ],
  };
}

export const clipFinetune = {
  'clip-finetune-vit-b': fineTuned('b'),
  'clip-finetune-vit-l': fineTuned('l'),
} as const satisfies Record<string, Row>;
