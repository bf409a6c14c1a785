/**
 * Fine-tuning of BERT for classification. Nothing of the MaskSub run is published: the base recipe, and our own choices.
 * Devlin et al. 2019 (https://arxiv.org/abs/1810.04805), appendix A.
 */
import type { Row } from './row.ts';
import { from, ownChoice } from './sources.ts';

const bert = from('bert');

export const bertClassify = {
  'bert-classify': {
    data: { length: ownChoice(128, 'long enough for most sentences; longer texts cost more') },
    model: {
      name: bert('bert'),
      size: bert('base'),
      dropout: bert(0.1),
      masking: ownChoice('remove', 'as in the Vision Transformer: cheaper than [MASK], and the paper does not say'),
    },
    train: {
      epochs: bert(3, 'of 2, 3 and 4 that are tried'),
      batchSize: bert(32, 'of 16 and 32 that are tried'),
      accumulate: ownChoice(1, 'a batch fits'),
      learningRate: bert(2e-5, 'the least of 5e-5, 3e-5 and 2e-5 that are tried'),
      weightDecay: bert(0.01, 'that of the pretraining'),
      loss: bert('ce'),
      smoothing: ownChoice(0, 'the paper of BERT has none'),
      optimizer: ownChoice('adamw', 'Adam with decoupled decay; with bias correction, which BERT’s own lacks'),
      betas: bert([0.9, 0.999]),
      epsilon: ownChoice(1e-8, 'PyTorch’s'),
      schedule: ownChoice('cosine', 'BERT decays linearly, which is not among our schedules'),
      schedulePer: ownChoice('step', 'an epoch is a third of the run'),
      warmupEpochs: ownChoice(0.3, '10 % of the steps, as is usual'),
      warmupLearningRate: ownChoice(0, 'as is usual'),
      minLearningRate: ownChoice(0, 'as is usual'),
      clipNorm: ownChoice(1, 'as in the code of BERT'),
    },
    published: { none: 'no numbers that could be read' },
    weights: {
      path: 'weights/bert-base-uncased/model.safetensors',
      about: 'google-bert/bert-base-uncased, as transformers has it',
    },
    notes: [
      'Not published: which tasks, which numbers, and whether hidden tokens leave the sequence or become [MASK] (`model.masking`).',
    ],
  },
} as const satisfies Record<string, Row>;
