/** The schema of a config as a person writes it: types, ranges and texts for completion and hover; and its JSON Schema. */
import * as z from 'zod';
import {
  backends,
  datasets,
  type Entry,
  executors,
  methods,
  models,
  namesOf,
  optimizers,
  precisions,
  recipes,
} from './catalog.ts';

const oneOf = <T extends Record<string, Entry>>(table: T, what: string) =>
  z.enum(namesOf(table)).meta({
    markdownDescription: what,
    markdownEnumDescriptions: namesOf(table).map((name) => `**${table[name]?.title}.** ${table[name]?.about}`),
  });
const described = <T extends z.ZodType>(type: T, markdownDescription: string) => type.meta({ markdownDescription });

const natural = z.number().int().positive();
const rate = z.number().min(0).lt(1);
const positive = z.number().positive();
const nonNegative = z.number().nonnegative();

/** What a person writes: only `data.dataset` and `model.name` must be there; a recipe and the defaults give the rest. */
const dataSchema = z.strictObject({
  dataset: oneOf(datasets, 'The data set.'),
  path: described(z.string().min(1), 'Folder of the data, relative to this file.').optional(),
  mean: described(z.array(z.number()).min(1), 'Mean of each channel of the pixels (0 to 1), subtracted.').optional(),
  std: described(
    z.array(positive).min(1),
    'Standard deviation of each channel of the pixels; they are divided by it.',
  ).optional(),
  trainOn: described(
    natural,
    'Train on so many of the training samples, drawn once, the same for every seed.',
  ).optional(),
  validateEvery: described(natural, 'Validate after every so many epochs, and always after the last.').optional(),
  validateOn: described(
    natural,
    'Validate on the first so many samples on the way; after the last epoch always on all.',
  ).optional(),
});

const modelSchema = z.strictObject({
  name: oneOf(models, 'The model.'),
  form: z
    .enum(['deit3', 'mae'])
    .meta({
      markdownDescription: 'Form of the Vision Transformer.',
      markdownEnumDescriptions: [
        'DeiT-III: the class token has no position embedding, layer scale, drop-path constant over depth.',
        'MAE fine-tuning: the position embedding covers the class token, mean pooling over the patch tokens, drop-path growing linearly over depth.',
      ],
    })
    .optional(),
  size: described(
    z.enum(['ti/16', 's/16', 'b/16', 'l/16', 'h/14']),
    'A published size: width, depth, heads and patch size at once. Keys beside it win.',
  ).optional(),
  imageSize: described(natural, 'Side of the square input, in pixels. Default: that of the data.').optional(),
  patchSize: described(natural, 'Side of a patch, in pixels; must divide `imageSize`.').optional(),
  width: described(natural, 'Embedding dimension; must be a multiple of `heads`.').optional(),
  depth: described(natural, 'Number of blocks.').optional(),
  heads: described(natural, 'Attention heads.').optional(),
  mlpRatio: described(positive, 'Hidden width of the MLP, as a multiple of `width`.').optional(),
  pool: described(
    z.enum(['token', 'mean']),
    'What the head reads: the class `token`, or the `mean` over the patch tokens (then `deit3` has no class token).',
  ).optional(),
  layerScale: described(nonNegative, 'Initial layer scale of each residual branch; 0: none.').optional(),
  dropPath: described(rate, 'Stochastic depth: probability of dropping a residual branch, per sample.').optional(),
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
});

const methodSchema = z.strictObject({
  name: oneOf(methods, 'The training method.'),
  maskRatio: described(
    rate,
    'Share of the patches that the masked branch does not see. The paper: 0.5 everywhere.',
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
  optimizer: oneOf(optimizers, 'The optimizer.').optional(),
  learningRate: described(positive, 'Peak learning rate.').optional(),
  minLearningRate: described(nonNegative, 'Learning rate at the end of the cosine.').optional(),
  warmupEpochs: described(nonNegative, 'Epochs of linear warm-up.').optional(),
  warmupLearningRate: described(nonNegative, 'Learning rate at the first step of the warm-up.').optional(),
  schedule: described(z.enum(['cosine', 'constant']), 'Learning rate after the warm-up, step by step.').optional(),
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

const augmentSchema = z.strictObject({
  crop: described(
    z.enum(['none', 'pad']),
    '`pad`: pad with black by `padding` pixels and take a random crop of the old size.',
  ).optional(),
  padding: described(natural, 'Pixels of padding before the random crop.').optional(),
  flip: described(z.boolean(), 'Flip horizontally with probability ½.').optional(),
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
  logEvery: described(natural, 'A step event after every so many steps (and after the first).').optional(),
  layersEvery: described(natural, 'Gradient statistics of each layer after every so many steps.').optional(),
  checkpointEvery: described(
    natural,
    'A checkpoint after every so many epochs; one is always written at the end.',
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
