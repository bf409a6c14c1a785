/**
 * How a recipe made for ImageNet and many GPUs is fitted to a laptop and to few samples. Learning rates: Goyal et al. 2017
 * (https://arxiv.org/abs/1706.02677) and, for LAMB, You et al. 2020 (https://arxiv.org/abs/1904.00962); the rest is our own choice.
 */
import type { Config } from './config.ts';
import type { ModelConfigOf } from './modelConfig.ts';

/** What a config is fitted to. */
export interface Fit {
  /** Training samples. */
  readonly samples: number;
  /** Side of the images, in pixels; absent: as large as the recipe's, or larger. */
  readonly side?: number | undefined;
}

/** A key that changes; its value is absent where the key was, or is to be. */
export interface Change {
  readonly group: 'model' | 'train' | 'augment';
  readonly key: string;
  readonly from: unknown;
  readonly to: unknown;
  /** Why, in a sentence without its full stop. */
  readonly reason: string;
}

/** The rule in words, for the documentation; `scaleConfig` does what it says. */
export const scalingRule = [
  ['Batch', 'The largest power of two that leaves 30 steps in an epoch: at least 8, at most 64, at most the recipe’s.'],
  [
    'Batches of a step',
    'One. A ViT as wide as ViT-L or wider takes 8 samples at a time, whose gradients are averaged up to the batch.',
  ],
  [
    'Learning rate',
    'In proportion to the samples of a step (AdamW, SGD: Goyal et al. 2017), or to their square root (LAMB: You et al. 2020). In fine-tuning with AdamW at least 1e-5, or the recipe’s where that is less: a new head has to be learned. Its values at the start of the warm-up and at the end follow in proportion.',
  ],
  [
    'Epochs',
    'So many that training takes 4,000 steps, and 10 epochs where those are at most 20,000 steps; in fine-tuning 1,000 steps, and 5 epochs where those are at most 5,000. Never more than the recipe’s.',
  ],
  ['Warm-up', 'The same share of the epochs, at least one epoch, at most half of them.'],
  ['Schedule', 'With fewer epochs the rate changes at every step: a first epoch at the warm-up rate would be lost.'],
  [
    'Images',
    'At the size of the data where they are smaller than the recipe’s, with patches (ViT: of 4 pixels or more) or mask patches (ResNet, Swin) so that the grid is as near to the recipe’s as it can be. Swin: patches of 2 pixels below 64 pixels, a side that halves three times, and a window near 7 that divides every stage. Fine-tuning keeps image and patch size, since the weights know no other.',
  ],
  [
    'Augmentation',
    'Below 100,000 samples, or below 64 pixels: crops of at least 35 % of the image, RandAugment of at most 5, no repeated augmentation. Images smaller than the recipe’s are tested whole. Mixup, CutMix, erasing and drop-path stay: they work against over-fitting, which few samples make worse.',
  ],
] as const;

const STEPS_OF_EPOCH = 30;
const [SMALLEST_BATCH, LARGEST_BATCH, BATCH_OF_WIDE] = [8, 64, 8];
const WIDE = 1024;
/** At least `steps`; and `epochs`, where those are no more than `most` steps. */
const scratch = { steps: 4_000, epochs: 10, most: 20_000 };
const fineTuning = { steps: 1_000, epochs: 5, most: 5_000 };
const LEAST_OF_HEAD = 1e-5;
const [FEW_SAMPLES, SMALL_SIDE, SMALLEST_PATCH] = [100_000, 64, 4];
const [MILD_CROP, MILD_MAGNITUDE] = [0.35, 5];

/** What must change for `fit`, in the order of the config. A config with `model.weights` is one of fine-tuning. */
export function scaleConfig(config: Config, fit: Fit): Change[] {
  const training = scaledTraining(config, fit);
  return [...sizeChanges(config, fit), ...training, ...augmentChanges(config, fit)].filter(
    ({ from, to }) => JSON.stringify(from) !== JSON.stringify(to),
  );
}

function scaledTraining({ train, model }: Config, { samples }: Fit): Change[] {
  const whole = train.batchSize * train.accumulate;
  const fitting = powerOfTwo(Math.max(SMALLEST_BATCH, samples / STEPS_OF_EPOCH));
  const total = Math.min(fitting, LARGEST_BATCH, powerOfTwo(whole), powerOfTwo(samples));
  const wide = model.name === 'vit' && model.width >= WIDE;
  const batchSize = wide ? Math.min(total, BATCH_OF_WIDE) : total;
  const stepsPerEpoch = Math.max(1, Math.floor(samples / total));

  const factor = train.optimizer === 'lamb' ? Math.sqrt(total / whole) : total / whole;
  const isFineTuning = model.weights !== undefined;
  const least = isFineTuning && train.optimizer === 'adamw' ? Math.min(LEAST_OF_HEAD, train.learningRate) : 0;
  const learningRate = rounded(Math.max(train.learningRate * factor, least));
  const ratio = learningRate / train.learningRate;
  const rule =
    learningRate === least
      ? 'a new head learns too little below it'
      : train.optimizer === 'lamb'
        ? 'with LAMB by the square root of the samples in a step'
        : 'in proportion to the samples in a step';

  const aim = isFineTuning ? fineTuning : scratch;
  const steps = Math.max(aim.steps, Math.min(aim.epochs * stepsPerEpoch, aim.most));
  const epochs = Math.min(train.epochs, Math.ceil(steps / stepsPerEpoch));
  const proportional = (train.warmupEpochs * epochs) / train.epochs;
  const warmupEpochs =
    train.warmupEpochs < 1 ? train.warmupEpochs : Math.min(Math.max(1, Math.round(proportional)), epochs / 2);

  const change = (key: keyof Config['train'], to: unknown, reason: string): Change => ({
    group: 'train',
    key,
    from: train[key],
    to,
    reason,
  });
  const perEpoch = stepsPerEpoch === 1 ? 'one step' : `${stepsPerEpoch} steps`;
  return [
    change('epochs', epochs, `${epochs * stepsPerEpoch} steps in all`),
    change('batchSize', batchSize, wide ? 'what fits into memory' : `${perEpoch} in an epoch`),
    change('accumulate', total / batchSize, wide ? `a step sees ${total} samples` : 'one machine'),
    change('learningRate', learningRate, rule),
    change('minLearningRate', rounded(train.minLearningRate * ratio), 'as the learning rate'),
    change('warmupEpochs', warmupEpochs, 'the same share of the epochs, but at least one'),
    change('warmupLearningRate', rounded(train.warmupLearningRate * ratio), 'as the learning rate'),
    ...(epochs === train.epochs || train.schedulePer === 'step'
      ? []
      : [
          change('schedulePer', 'step', 'with few epochs the first would be lost'),
          change('scheduleLag', false, 'it needs a rate for each epoch'),
        ]),
  ];
}

function sizeChanges({ model }: Config, { side }: Fit): Change[] {
  if (model.name === 'bert' || !side || !model.imageSize || side >= model.imageSize || model.weights) return [];
  const before: Readonly<Record<string, unknown>> = { ...model };
  return Object.entries(sizesFor(model, model.imageSize, side)).map(([key, [to, reason]]) => ({
    group: 'model',
    key,
    from: before[key],
    to,
    reason,
  }));
}

type Sizes = Record<string, readonly [value: number, reason: string]>;

function sizesFor(model: Exclude<Config['model'], { name: 'bert' }>, whole: number, side: number): Sizes {
  const ofData = (imageSize: number): Sizes[string] => [
    imageSize,
    imageSize === side ? 'that of the data' : `near the data’s ${side}`,
  ];
  switch (model.name) {
    case 'vit': {
      const grid = whole / model.patchSize;
      const { imageSize, patch } = nearestGrid(side, grid, side >= 4 * SMALLEST_PATCH ? SMALLEST_PATCH : 2);
      return { imageSize: ofData(imageSize), patchSize: [patch, `${squared(imageSize / patch)} patches`] };
    }
    case 'resnet': {
      const { imageSize, patch } = nearestGrid(side, whole / model.maskPatch, 1);
      return { imageSize: ofData(imageSize), maskPatch: [patch, `${squared(imageSize / patch)} mask patches`] };
    }
    case 'swin':
      return swinSizes(model, whole / model.maskPatch, side, ofData);
  }
}

function swinSizes(
  model: ModelConfigOf<'swin'>,
  maskGrid: number,
  side: number,
  ofData: (imageSize: number) => Sizes[string],
): Sizes {
  const patchSize = side < SMALL_SIDE ? 2 : model.patchSize;
  const stages = model.blocks.length;
  const unit = patchSize * 2 ** (stages - 1);
  const imageSize = unit * Math.max(1, Math.round(side / unit));
  const grids = model.blocks.map((_, stage) => imageSize / patchSize / 2 ** stage);
  const fits = (window: number) => grids.every((grid) => grid % Math.min(grid, window) === 0);
  const byDistance = [0, 1, -1, -2, -3, -4, -5].map((by) => model.window + by).filter((window) => window > 1);
  const window = byDistance.find(fits) ?? 1;
  const maskPatch = nearest(
    divisors(imageSize / patchSize).map((tokens) => tokens * patchSize),
    (patch) => logRatio(imageSize / patch, maskGrid),
  );
  return {
    imageSize: ofData(imageSize),
    patchSize: [patchSize, `${squared(imageSize / patchSize)} tokens`],
    window: [window, 'it divides the grid of every stage'],
    maskPatch: [maskPatch, `${squared(imageSize / maskPatch)} mask patches`],
  };
}

function augmentChanges({ augment, model }: Config, { samples, side }: Fit): Change[] {
  if (model.name === 'bert') return [];
  const isSmall = side !== undefined && side < SMALL_SIDE;
  const reason =
    samples < FEW_SAMPLES ? 'few samples: a milder augmentation learns sooner' : 'small images show little';
  const change = (key: keyof Config['augment'], to: unknown, reason: string): Change => ({
    group: 'augment',
    key,
    from: augment[key],
    to,
    reason,
  });
  const mild: Change[] = [];
  if (isSmall || samples < FEW_SAMPLES) {
    if (augment.crop === 'resized') mild.push(change('minScale', Math.max(MILD_CROP, augment.minScale), reason));
    const { randAugment } = augment;
    if (randAugment) {
      const { magnitude, std, ops, increasing } = randAugment;
      const milder = { magnitude: Math.min(MILD_MAGNITUDE, magnitude), std, ops, increasing };
      if (milder.magnitude < magnitude) mild.push(change('randAugment', milder, reason));
    }
    mild.push(change('repeated', 1, 'an epoch sees every sample'));
  }
  const isSmaller = side !== undefined && model.imageSize !== undefined && side < model.imageSize;
  return isSmaller ? [...mild, change('testCrop', 1, 'small images show their object whole')] : mild;
}

/** Of the sizes up to an eighth below `side` the one that patches of at least `least` pixels divide into the grid nearest to `grid`. */
function nearestGrid(side: number, grid: number, least: number): { imageSize: number; patch: number } {
  const smallest = Math.ceil(side - side / 8);
  const sizes = Array.from({ length: side - smallest + 1 }, (_, i) => side - i);
  const candidates = sizes.flatMap((imageSize) =>
    divisors(imageSize)
      .filter((patch) => patch >= least && patch < imageSize)
      .map((patch) => ({ imageSize, patch })),
  );
  const cost = ({ imageSize, patch }: { imageSize: number; patch: number }) =>
    logRatio(imageSize / patch, grid) + 4 * Math.log(side / imageSize);
  return nearest(candidates, cost);
}

/** The first of those with the least cost. */
function nearest<T>(candidates: readonly T[], cost: (candidate: T) => number): T {
  return candidates.reduce((best, candidate) => (cost(candidate) < cost(best) - 1e-9 ? candidate : best));
}

const logRatio = (a: number, b: number) => Math.abs(Math.log(a / b));
const divisors = (n: number) => Array.from({ length: n }, (_, i) => i + 1).filter((divisor) => n % divisor === 0);
const squared = (side: number) => `${side} × ${side}`;
/** The largest that is not above `x`. */
const powerOfTwo = (x: number) => 2 ** Math.floor(Math.log2(x));
/** To three digits: more would be no truer. */
const rounded = (x: number) => Number(x.toPrecision(3));
