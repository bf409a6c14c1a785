/** The schema of a config as a person writes it: types, ranges and texts for completion and hover; and its JSON Schema. */
import * as z from 'zod';
import { augmentSchema } from './augmentSchema.ts';
import { backends, executors, methods, models, optimizers, precisions, recipes } from './catalog.ts';
import { dataSchema } from './dataSchema.ts';
import { modelSizes } from './modelConfig.ts';
import { described, natural, nonNegative, oneOf, positive, rate } from './schemaParts.ts';

/** A rate over training: constant, from one value to another, or in steps. */
const scheduledRate = [
  rate,
  z.strictObject({ from: rate, to: rate, schedule: z.enum(['linear', 'cosine']) }),
  z.strictObject({ steps: z.array(z.tuple([nonNegative, rate])).min(1) }),
] as const;

/** For completion; which model has which is checked beside the schema. */
const sizeExamples: string[] = Object.values(modelSizes).flatMap((sizes) => Object.keys(sizes));
const sizesByModel: string[] = Object.entries(modelSizes).map(
  ([name, sizes]) => `\`${name}\`: ${Object.keys(sizes).join(', ')}.`,
);

const modelSchema = z.strictObject({
  name: oneOf(models, 'The model.'),
  form: z
    .enum(['deit3', 'mae', 'beit', 'clip'])
    .meta({
      markdownDescription: 'Form of the Vision Transformer.',
      markdownEnumDescriptions: [
        'DeiT-III: the class token has no position embedding, layer scale, drop-path constant over depth.',
        'MAE fine-tuning: the position embedding covers the class token, mean pooling over the patch tokens, drop-path growing linearly over depth.',
        'BEiT: a relative position bias in each block in place of position embeddings, layer scale, mean pooling over the patch tokens, drop-path growing linearly over depth.',
        'CLIP: the visual tower of the OpenAI weights, with a norm before the blocks, quick GELU and the class token; drop-path growing linearly over depth.',
      ],
    })
    .optional(),
  size: described(
    z.string().meta({ examples: sizeExamples }),
    `A published size, which sets several keys at once; keys beside it win. ${sizesByModel.join(' ')}`,
  ).optional(),
  imageSize: described(natural.max(4096), 'Side of the square input, in pixels. Default: that of the data.').optional(),
  patchSize: described(natural, 'Side of a patch, in pixels; must divide `imageSize`.').optional(),
  width: described(
    natural,
    'Embedding dimension, of `swin` that of the first stage; must be a multiple of `heads`.',
  ).optional(),
  depth: described(natural, 'Number of blocks.').optional(),
  heads: described(
    z.union([natural, z.array(natural).min(1)]),
    'Attention heads; `swin`: a list with a number for each stage.',
  ).optional(),
  blocks: described(z.array(natural).min(1), '`resnet`, `swin`: blocks of each stage.').optional(),
  channels: described(
    z.array(natural).min(1),
    '`resnet`: inner channels of the bottlenecks of each stage; four times as many come out.',
  ).optional(),
  stem: described(natural, '`resnet`: channels of the first convolution.').optional(),
  window: described(natural, '`swin`: side of an attention window, in tokens.').optional(),
  maskPatch: described(
    natural,
    '`resnet`, `swin`: side of a patch that the masked branch does not see, in pixels; must divide the image size.',
  ).optional(),
  vocabulary: described(natural, '`bert`: token ids.').optional(),
  positions: described(natural, '`bert`: the longest sequence that has position embeddings.').optional(),
  masking: described(
    z.enum(['remove', 'replace']),
    '`bert`: what the masked branch does to a token: `remove` it, or `replace` it by [MASK].',
  ).optional(),
  mlpRatio: described(positive, 'Hidden width of the MLP, as a multiple of `width`.').optional(),
  pool: described(
    z.enum(['token', 'mean']),
    'What the head reads: the class `token`, or the `mean` over the patch tokens (then `deit3` has no class token).',
  ).optional(),
  layerScale: described(nonNegative, 'Initial layer scale of each residual branch; 0: none.').optional(),
  dropPath: described(rate, 'Stochastic depth: probability of dropping a residual branch, per sample.').optional(),
  dropout: described(
    rate,
    'Dropout after the attention’s projection and both layers of the MLP, in every branch. The paper: 0.',
  ).optional(),
  init: z
    .enum(['truncated-normal', 'fan-in'])
    .meta({
      markdownDescription: 'Initial weights.',
      markdownEnumDescriptions: [
        'Truncated normal, standard deviation 0.02, as in timm.',
        'Truncated normal, standard deviation 1/√fan-in (head 0.02); position embedding from 2-D sine and cosine.',
      ],
    })
    .optional(),
  weights: described(
    z.string().min(1),
    'Weights to start from, relative to this file: a checkpoint of a run, or a safetensors, `.pth` or `.bin` file in the layout of timm, DeiT-III, MAE, BEiT v2, CLIP, Swin, torchvision or transformers (BEiT, CLIP, BERT). Positions are interpolated to the image size, and a head for other classes starts anew; anything else that does not fit is an error.',
  ).optional(),
});

const methodSchema = z.strictObject({
  name: oneOf(methods, 'The training method.'),
  maskRatio: described(
    z.union([...scheduledRate, z.strictObject({ min: rate, max: rate, per: z.enum(['batch', 'sample']) })]),
    'Share of the patches that the masked branch does not see. The paper: 0.5 everywhere. A number; or over training `{ "from": 0.25, "to": 0.75, "schedule": "linear" }` or `"cosine"`; or `{ "steps": [[0, 0.25], [50, 0.5]] }` (epoch, ratio); or drawn evenly from a range, `{ "min": 0.25, "max": 0.75, "per": "batch" }` or `"sample"`.',
  ).optional(),
  maskShape: z
    .enum(['random', 'block', 'grid'])
    .meta({
      markdownDescription: 'What the mask looks like.',
      markdownEnumDescriptions: [
        'Patches at random (the paper).',
        'Rectangles of patches, as in BEiT.',
        'As even as can be: at 0.5 a chequerboard, at 0.75 one of each 2 × 2 patches is visible.',
      ],
    })
    .optional(),
  maskRounding: z
    .enum(['down', 'up'])
    .meta({
      markdownDescription:
        '`resnet`, `swin`: visible patches where their share is no whole number: 24 or 25 of 49 at a mask ratio of 0.5.',
      markdownEnumDescriptions: [
        'Rounded down: 24 of 49.',
        'Rounded up: 25 of 49, as the published code does for ResNet, where patches that its mask marks as hidden are the ones that stay.',
      ],
    })
    .optional(),
  dropRate: described(
    rate,
    '`dropsub`: dropout of the sub-branch. `pathsub`: its drop-path rate, in place of the model’s.',
  ).optional(),
  subWeight: described(
    z.union([...scheduledRate]),
    'Weight of the sub-branch’s loss; the main branch has the rest. The paper: 0.5. A number; or over training `{ "from": 0, "to": 0.5, "schedule": "linear" }` or `"cosine"`; or `{ "steps": [[0, 0.25], [50, 0.5]] }` (epoch, weight). At 0 the sub-branch is measured and moves nothing.',
  ).optional(),
  target: described(
    z.union([z.enum(['soft', 'hard']), z.number().min(0).max(1)]),
    'What the sub-branch learns: the main branch’s `soft` prediction (the paper), its `hard` decision, or a mix with that share of the hard one.',
  ).optional(),
  temperature: described(
    positive,
    'The main branch’s logits are divided by it before they become the target. The paper: 1.',
  ).optional(),
  stopGradient: described(
    z.boolean(),
    'No gradient flows from the sub-branch’s loss into its target (the paper). Without it the main branch learns to be easy to predict.',
  ).optional(),
  cleanView: described(
    z.boolean(),
    '`direct-mask`: train on the whole input beside the masked one. False: on the masked one alone.',
  ).optional(),
});

const trainSchema = z.strictObject({
  epochs: described(natural, 'Passes over the training data.').optional(),
  batchSize: described(natural, 'Samples in a batch; an incomplete last batch is dropped.').optional(),
  accumulate: described(natural, 'Batches whose gradients are averaged for one optimizer step.').optional(),
  loss: z
    .enum(['ce', 'bce'])
    .meta({
      markdownDescription: 'The criterion of both branches.',
      markdownEnumDescriptions: [
        'Softmax cross-entropy; the masked branch learns from the softmax of the main branch.',
        'Binary cross-entropy of every class; the masked branch learns from the sigmoid of the main branch.',
      ],
    })
    .optional(),
  smoothing: described(rate, 'Label smoothing.').optional(),
  targetThreshold: described(
    rate,
    'With "bce": targets above it become 1, others 0, as in DeiT-III (0) after mixup. Absent: they stay soft, as in RSB.',
  ).optional(),
  optimizer: oneOf(optimizers, 'The optimizer.').optional(),
  learningRate: described(positive, 'Peak learning rate.').optional(),
  minLearningRate: described(nonNegative, 'Learning rate at the end of the cosine.').optional(),
  warmupEpochs: described(nonNegative, 'Epochs of linear warm-up.').optional(),
  warmupLearningRate: described(nonNegative, 'Learning rate at the first step of the warm-up.').optional(),
  warmupPrefix: described(
    z.boolean(),
    'The cosine begins after the warm-up, as in MAE and BEiT. False: it spans all epochs, and the warm-up covers its beginning, as timm has it by default.',
  ).optional(),
  schedule: described(z.enum(['cosine', 'constant']), 'Learning rate after the warm-up.').optional(),
  schedulePer: described(
    z.enum(['step', 'epoch']),
    'The learning rate changes with every `step`, or stays through an `epoch` as in DeiT and RSB.',
  ).optional(),
  scheduleLag: described(
    z.boolean(),
    'With `"schedulePer": "epoch"`: each epoch has the rate of the one before, as in the published code of DeiT-III, whose first two epochs both have the warm-up rate.',
  ).optional(),
  weightDecay: described(
    nonNegative,
    'Weight decay: decoupled for AdamW. None on 1-D parameters, position embedding and class token.',
  ).optional(),
  betas: described(z.tuple([rate, rate]), 'Decay of the first and second moment of AdamW and LAMB.').optional(),
  epsilon: described(positive, 'Added to the root of the second moment.').optional(),
  momentum: described(rate, 'Momentum of SGD.').optional(),
  nesterov: described(z.boolean(), 'Nesterov momentum for SGD.').optional(),
  layerDecay: described(
    z.number().positive().max(1),
    'Layer-wise decay of the learning rate, from the head downwards; 1: none.',
  ).optional(),
  clipNorm: described(positive, 'Clip the gradient to this global L2 norm. Absent: no clipping.').optional(),
  ema: described(rate, 'Decay of the exponential moving average of the weights. Absent: none is kept.').optional(),
  seed: described(z.number().int().min(0).max(0xffff_ffff), 'Seed of every random draw.').optional(),
});

const compareSchema = z.strictObject({
  baseline: described(
    z.boolean(),
    'Train the baseline beside the method, from the same weights on the same batches.',
  ).optional(),
  seeds: described(
    z.array(z.number().int().min(0).max(0xffff_ffff)).min(1),
    'One pair of runs for each seed.',
  ).optional(),
});

const runSchema = z.strictObject({
  backend: oneOf(backends, 'What computes.').optional(),
  executor: oneOf(executors, 'How a training step is executed.').optional(),
  precision: oneOf(precisions, 'In which numbers a training step multiplies.').optional(),
  precisionForced: described(
    z.boolean(),
    'Train in bfloat16 also where the processor does not have it in hardware; that is slower than float32.',
  ).optional(),
  logEvery: described(natural, 'Steps from one step event to the next; the first step has one, too.').optional(),
  layersEvery: described(natural, 'Steps from one statistics of the gradients of each layer to the next.').optional(),
  samplesEvery: described(
    z.number().int().nonnegative(),
    'Epochs from one record of single samples to the next: images, masks, predictions, attention, confusion matrix. The last epoch has one, too. 0: none. Default: a twentieth of the epochs.',
  ).optional(),
  checkpointEvery: described(
    natural,
    'Epochs from one checkpoint to the next; one is always written at the end.',
  ).optional(),
  threads: described(
    natural,
    'Most threads of one run. Default: the cores, shared among the runs of a pair. A small model takes one.',
  ).optional(),
});

/** The groups of a config by name. */
export const configGroups = {
  data: dataSchema,
  model: modelSchema,
  method: methodSchema,
  train: trainSchema,
  augment: augmentSchema,
  compare: compareSchema,
  run: runSchema,
} as const;

/** What a person writes: only `data.dataset` and `model.name` must be there; a recipe and the defaults give the rest. */
export const configSchema = z.strictObject({
  $schema: z.string().optional(),
  name: described(z.string().min(1).max(80), 'Name of the experiment, for lists and charts.').optional(),
  data: described(dataSchema, 'What is learned.'),
  model: described(modelSchema, 'Who learns.'),
  method: described(methodSchema, 'The training method. Default: MaskSub at 50 %.').optional(),
  recipe: oneOf(recipes, 'A named set of hyper-parameters; keys of this file win over it.').optional(),
  train: described(trainSchema, 'Optimization.').optional(),
  augment: described(
    augmentSchema,
    'Augmentation of the training images; the same draws for baseline and method.',
  ).optional(),
  compare: described(compareSchema, 'What the method is compared with.').optional(),
  run: described(runSchema, 'How it is executed and logged.').optional(),
  leavesPaper: described(
    z.array(z.string()),
    'Written by `masksub config` and by a run: what the method does otherwise than the paper. Reading it changes nothing.',
  ).optional(),
});

/** A config as written. */
export type ConfigInput = z.infer<typeof configSchema>;

/**
 * The JSON Schema (draft-07) that the editor uses for completion, hover and validation of `*.masksub.json`.
 * Unknown keys and names are left to the runner's check, which knows the nearest right one: the schema offers the known names, and
 * takes any.
 */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, {
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
      if (!jsonSchema.enum) return;
      const { enum: names, markdownEnumDescriptions } = jsonSchema;
      jsonSchema.anyOf = [{ enum: names, ...(markdownEnumDescriptions ? { markdownEnumDescriptions } : {}) }, {}];
      delete jsonSchema.enum;
      delete jsonSchema.markdownEnumDescriptions;
    },
  });
}
