/** The config of an experiment: what a person wrote, over a recipe, over defaults. */
import { type ConfigProblem, crossChecks, problemsOf } from './configProblems.ts';
import { type ConfigInput, configSchema } from './configSchema.ts';

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

// DeiT-III: Touvron et al. 2022, section 3 (https://arxiv.org/abs/2204.07118); MAE: He et al. 2022, appendix A.
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
  run: {
    backend: 'auto',
    executor: 'auto',
    precision: 'float32',
    precisionForced: false,
    logEvery: 10,
    layersEvery: 100,
    checkpointEvery: 10,
  },
} as const;

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
