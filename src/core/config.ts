/** The config of an experiment: what a person wrote, over a recipe, over defaults. */
import { type AugmentConfig, resolveAugment } from './augmentConfig.ts';
import { type ConfigProblem, crossChecks, problemsOf } from './configProblems.ts';
import { type ConfigInput, configSchema } from './configSchema.ts';
import { dataDefaults } from './dataConfig.ts';
import { methodDefaults } from './methodConfig.ts';
import { layered, type ModelConfig, resolveModel } from './modelConfig.ts';

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
  readonly data: ConfigInput['data'] & Filled<Pick<ConfigInput['data'], 'dataset' | 'validateEvery'>>;
  readonly model: ModelConfig;
  readonly method: Filled<NonNullable<ConfigInput['method']>>;
  readonly recipe?: ConfigInput['recipe'];
  readonly train: Filled<NonNullable<ConfigInput['train']>, 'clipNorm' | 'ema' | 'targetThreshold'>;
  readonly augment: AugmentConfig;
  readonly compare: Filled<NonNullable<ConfigInput['compare']>>;
  readonly run: Filled<NonNullable<ConfigInput['run']>, 'threads'>;
}

const defaults = {
  data: { validateEvery: 1 },
  method: methodDefaults,
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
    warmupPrefix: true,
    schedule: 'cosine',
    schedulePer: 'step',
    scheduleLag: false,
    weightDecay: 0.05,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    momentum: 0.9,
    nesterov: false,
    layerDecay: 1,
    seed: 0,
  },
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
  const train = withShortWarmup(filled<Config['train']>(defaults.train, recipe.train, input.train), input);
  const ofImages = input.model.name !== 'bert'; // a recipe's augmentation is for images
  const config: Config = {
    name: input.name ?? `${input.data.dataset} ${input.model.name}`,
    data: filled<Config['data']>(defaults.data, dataDefaults[input.data.dataset], recipe.data, input.data),
    model: resolveModel(input.model, recipe.model),
    method: filled<Config['method']>(defaults.method, input.method),
    ...(input.recipe ? { recipe: input.recipe } : {}),
    train,
    augment: resolveAugment(ofImages ? recipe.augment : {}, input.augment),
    compare: filled<Config['compare']>(defaults.compare, { seeds: [train.seed] }, input.compare),
    run: filled<Config['run']>(defaults.run, { samplesEvery: Math.max(1, Math.round(train.epochs / 20)) }, input.run),
  };
  const problems = crossChecks(config, input);
  return problems.length > 0 ? { problems } : { config };
}

/** The caller's layers hold every key that `T` requires. */
const filled = <T extends object>(...layers: (object | undefined)[]) => layered(...layers) as T;

/** A warm-up that nobody wrote takes at most half of the epochs, so that a short trial of a long recipe needs one key only. */
function withShortWarmup(train: Config['train'], input: ConfigInput): Config['train'] {
  if (input.train?.warmupEpochs !== undefined) return train;
  return { ...train, warmupEpochs: Math.min(train.warmupEpochs, train.epochs / 2) };
}
