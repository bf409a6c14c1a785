/** The config of an experiment: one schema for types, defaults, messages and the JSON Schema of the editor. */
import * as z from 'zod';
import { backends, datasets, type Entry, executors, methods, models, namesOf, optimizers, recipes } from './catalog.ts';
import { nearestName } from './errors.ts';

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
  logEvery: described(natural, 'A step event after every so many steps (and after the first).').optional(),
  layersEvery: described(natural, 'Gradient statistics of each layer after every so many steps.').optional(),
  checkpointEvery: described(
    natural,
    'A checkpoint after every so many epochs; one is always written at the end.',
  ).optional(),
  threads: described(natural, 'Threads of one run. Default: the cores, shared among the runs of a pair.').optional(),
});

const groups = {
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
/** A recipe: hyper-parameters that a config may take over. */
export type Recipe = Partial<Pick<ConfigInput, 'train' | 'augment'>> & {
  readonly model?: Partial<ConfigInput['model']>;
  readonly data?: Partial<ConfigInput['data']>;
};

type Filled<T, Optional extends keyof T = never> = {
  readonly [K in keyof T as K extends Optional ? never : K]-?: NonNullable<T[K]>;
} & {
  readonly [K in Optional]?: T[K] | undefined;
};

/** A resolved config: every default written out. Keys that stay optional mean "none" when absent. */
export interface Config {
  readonly name: string;
  readonly data: Filled<ConfigInput['data'], 'path' | 'mean' | 'std' | 'trainOn' | 'validateOn'>;
  readonly model: Filled<ConfigInput['model'], 'size' | 'imageSize'>;
  readonly method: Filled<NonNullable<ConfigInput['method']>>;
  readonly recipe?: ConfigInput['recipe'];
  readonly train: Filled<NonNullable<ConfigInput['train']>, 'clipNorm' | 'ema'>;
  readonly augment: Filled<NonNullable<ConfigInput['augment']>>;
  readonly compare: Filled<NonNullable<ConfigInput['compare']>>;
  readonly run: Filled<NonNullable<ConfigInput['run']>, 'threads'>;
}

// Widths, depths and heads: Dosovitskiy et al. 2021, table 1; Ti and S: Touvron et al. 2021, table 1.
const vitSizes = {
  'ti/16': { width: 192, depth: 12, heads: 3, patchSize: 16 },
  's/16': { width: 384, depth: 12, heads: 6, patchSize: 16 },
  'b/16': { width: 768, depth: 12, heads: 12, patchSize: 16 },
  'l/16': { width: 1024, depth: 24, heads: 16, patchSize: 16 },
  'h/14': { width: 1280, depth: 32, heads: 16, patchSize: 14 },
} as const;

// Heo et al. 2022 (DeiT-III, Touvron et al. 2022, section 3) and He et al. 2022, appendix A.
const vitForms = {
  deit3: { pool: 'token', layerScale: 1e-4 },
  mae: { pool: 'mean', layerScale: 0 },
} as const;

const defaults = {
  data: { validateEvery: 1 },
  model: { form: 'deit3', size: 's/16', mlpRatio: 4, dropPath: 0, init: 'truncated-normal' },
  method: { name: 'masksub', maskRatio: 0.5 }, // 0.5 for every architecture of the paper
  train: {
    epochs: 100,
    batchSize: 64,
    accumulate: 1,
    loss: 'ce',
    smoothing: 0,
    optimizer: 'adamw',
    learningRate: 1e-3,
    minLearningRate: 0,
    warmupEpochs: 5,
    warmupLearningRate: 0,
    schedule: 'cosine',
    weightDecay: 0.05,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    momentum: 0.9,
    nesterov: false,
    layerDecay: 1,
    seed: 0,
  },
  augment: { crop: 'none', padding: 4, flip: false },
  compare: { baseline: true },
  run: { backend: 'auto', executor: 'auto', logEvery: 10, layersEvery: 100, checkpointEvery: 10 },
} as const;

/** Something wrong in a config: where (a path of keys), what, and the way out. */
export interface ConfigProblem {
  readonly path: readonly (string | number)[];
  /** True where the key itself is wrong rather than its value. */
  readonly atKey: boolean;
  readonly message: string;
  /** The nearest right spelling, where there is one. */
  readonly suggestion?: string;
  /** True where the JSON Schema of the editor marks it too. */
  readonly inSchema: boolean;
}

/** The resolved config, or every problem found. */
export type ConfigResult = { readonly config: Config } | { readonly problems: readonly ConfigProblem[] };

/**
 * Checks what a person wrote and fills in the rest: config over recipe over defaults.
 * `recipeTable` holds the recipes by name. Nothing here looks at files; `dataset` and `path` are checked when the data are opened.
 */
export function resolveConfig(value: unknown, recipeTable: Readonly<Record<string, Recipe>>): ConfigResult {
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) return { problems: parsed.error.issues.flatMap((issue) => problemsOf(issue, value)) };
  const input = parsed.data;
  const recipe = (input.recipe && recipeTable[input.recipe]) || {};
  const size = vitSizes[input.model.size ?? defaults.model.size];
  const form = vitForms[input.model.form ?? recipe.model?.form ?? defaults.model.form];
  const { size: _defaultSize, ...modelDefaults } = defaults.model;
  const train = withShortWarmup(layered<Config['train']>(defaults.train, recipe.train, input.train), input);
  const config: Config = {
    name: input.name ?? `${input.data.dataset} ${input.model.name}`,
    data: layered<Config['data']>(defaults.data, recipe.data, input.data),
    model: layered<Config['model']>(modelDefaults, form, size, recipe.model, input.model),
    method: layered<Config['method']>(defaults.method, input.method),
    ...(input.recipe ? { recipe: input.recipe } : {}),
    train,
    augment: layered<Config['augment']>(defaults.augment, recipe.augment, input.augment),
    compare: layered<Config['compare']>(defaults.compare, { seeds: [train.seed] }, input.compare),
    run: layered<Config['run']>(defaults.run, input.run),
  };
  const problems = crossChecks(config, input);
  return problems.length > 0 ? { problems } : { config };
}

/** Later layers win; an absent or undefined key never does. The caller's layers hold every key that `T` requires. */
function layered<T extends object>(...layers: (object | undefined)[]): T {
  const entries = layers.flatMap((layer) => Object.entries(layer ?? {}));
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T;
}

/** A warm-up that nobody wrote takes at most half of the epochs, so that a short trial of a long recipe needs one key only. */
function withShortWarmup(train: Config['train'], input: ConfigInput): Config['train'] {
  if (input.train?.warmupEpochs !== undefined) return train;
  return { ...train, warmupEpochs: Math.min(train.warmupEpochs, train.epochs / 2) };
}

/** Checks over several keys; each names the key that a person would change. */
function crossChecks(config: Config, input: ConfigInput): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const problem = (path: [string, string], message: string) =>
    problems.push({ path, atKey: false, message, inSchema: false });
  const { model, train, data, method } = config;
  if (model.width % model.heads !== 0) {
    problem(['model', 'heads'], `"heads" (${model.heads}) must divide "width" (${model.width}).`);
  }
  if (model.imageSize && model.imageSize % model.patchSize !== 0) {
    problem(['model', 'patchSize'], `"patchSize" (${model.patchSize}) must divide "imageSize" (${model.imageSize}).`);
  }
  if (train.warmupEpochs > train.epochs) {
    problem(
      ['train', 'warmupEpochs'],
      `"warmupEpochs" (${train.warmupEpochs}) must not exceed "epochs" (${train.epochs}).`,
    );
  }
  if (train.minLearningRate > train.learningRate) {
    problem(
      ['train', 'minLearningRate'],
      `"minLearningRate" (${train.minLearningRate}) must not exceed "learningRate" (${train.learningRate}).`,
    );
  }
  if (data.dataset === 'idx' && !data.path) {
    problem(['data', 'dataset'], 'The data set "idx" needs "path": the folder with the four IDX files.');
  }
  if (data.mean && data.std && data.mean.length !== data.std.length) {
    problem(
      ['data', 'std'],
      `"std" has ${data.std.length} channels, "mean" has ${data.mean.length}; they must be equal.`,
    );
  }
  if (model.imageSize && method.name === 'masksub') {
    const patches = (model.imageSize / model.patchSize) ** 2;
    if (Math.floor(patches * (1 - method.maskRatio)) < 1) {
      problem(
        ['method', 'maskRatio'],
        `"maskRatio" ${method.maskRatio} leaves none of the ${patches} patches; lower it.`,
      );
    }
  }
  if (new Set(config.compare.seeds).size !== config.compare.seeds.length) {
    problem(['compare', 'seeds'], '"seeds" holds a seed twice.');
  }
  if (input.method?.name === 'baseline' && input.method.maskRatio !== undefined) {
    problem(['method', 'maskRatio'], 'The baseline has no masked branch: "maskRatio" does not apply.');
  }
  return problems;
}

/** One zod issue in our own words: what was found, what is allowed, the nearest right spelling. */
function problemsOf(issue: z.core.$ZodIssue, root: unknown): ConfigProblem[] {
  const path = issue.path.filter((key): key is string | number => typeof key !== 'symbol');
  const found = path.reduce<unknown>(
    (value, key) => (value as Record<string | number, unknown> | undefined)?.[key],
    root,
  );
  const key = path.at(-1);
  const label = typeof key === 'number' ? `${String(path.at(-2))}[${key}]` : String(key ?? 'config');
  const at = { path, atKey: false, inSchema: true };
  switch (issue.code) {
    case 'unrecognized_keys': {
      const group = path.length === 0 ? configSchema.shape : groups[path[0] as keyof typeof groups]?.shape;
      const known = Object.keys(group ?? {}).filter((name) => name !== '$schema');
      return issue.keys.map((name) => unknownKey([...path, name], name, known));
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const suggestion = nearestName(String(found), allowed);
      if (found === undefined)
        return [{ ...at, message: `"${label}" is missing; it must be one of ${quotedList(allowed)}.` }];
      const text = `"${label}" must be one of ${quotedList(allowed)}, found ${JSON.stringify(found)}.`;
      const wrong = { ...at, inSchema: typeof found !== 'string' };
      return [
        suggestion
          ? { ...wrong, message: `${text} Did you mean "${suggestion}"?`, suggestion }
          : { ...wrong, message: text },
      ];
    }
    case 'invalid_type':
      if (found === undefined)
        return [{ ...at, message: `"${label}" is missing; it must be ${articled(issue.expected)}.` }];
      return [{ ...at, message: `"${label}" must be ${articled(issue.expected)}, found ${JSON.stringify(found)}.` }];
    case 'too_small':
    case 'too_big': {
      const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
      const relation =
        issue.code === 'too_small' ? (issue.inclusive ? 'at least' : 'above') : issue.inclusive ? 'at most' : 'below';
      const what = issue.origin === 'string' || issue.origin === 'array' ? 'have a length of' : 'be';
      return [{ ...at, message: `"${label}" must ${what} ${relation} ${bound}, found ${JSON.stringify(found)}.` }];
    }
    default:
      return [{ ...at, message: `"${label}": ${issue.message}, found ${JSON.stringify(found)}.` }];
  }
}

function unknownKey(path: readonly (string | number)[], name: string, known: readonly string[]): ConfigProblem {
  const suggestion = nearestName(name, known);
  const elsewhere = Object.entries(groups).find(([group, schema]) => group !== path[0] && name in schema.shape)?.[0];
  const way = suggestion
    ? ` Did you mean "${suggestion}"?`
    : elsewhere
      ? ` "${name}" belongs into "${elsewhere}".`
      : ` Known: ${known.join(', ')}.`;
  const problem = { path, atKey: true, inSchema: false, message: `Unknown key "${name}".${way}` };
  return suggestion ? { ...problem, suggestion } : problem;
}

const quotedList = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');
const articled = (type: string) =>
  type === 'int' ? 'a whole number' : /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;

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
