/** The `model` group of a config: which keys a model has, the published sizes and forms, and the defaults. */
import type { ConfigInput } from './configSchema.ts';

type ModelInput = ConfigInput['model'];
export type ModelName = ModelInput['name'];

/** The keys of each model besides `name`, `size`, `imageSize` and `weights`; all have a value in a resolved config. */
export const modelKeys = {
  vit: [
    'form',
    'patchSize',
    'width',
    'depth',
    'heads',
    'mlpRatio',
    'pool',
    'layerScale',
    'dropPath',
    'dropout',
    'init',
  ],
  resnet: ['blocks', 'channels', 'stem', 'maskPatch', 'dropPath'],
  swin: ['patchSize', 'width', 'blocks', 'heads', 'window', 'mlpRatio', 'maskPatch', 'dropPath'],
  bert: ['width', 'depth', 'heads', 'mlpRatio', 'vocabulary', 'positions', 'dropout', 'masking'],
} as const satisfies Record<ModelName, readonly (keyof ModelInput)[]>;

type Filled<Name extends ModelName> = { readonly name: Name } & {
  readonly [K in (typeof modelKeys)[Name][number]]-?: NonNullable<ModelInput[K]>;
} & Readonly<Pick<ModelInput, 'imageSize' | 'weights'>>;

/** The model of a resolved config. */
export type ModelConfig = { [Name in ModelName]: Filled<Name> }[ModelName];
/** That of one model. */
export type ModelConfigOf<Name extends ModelName> = Extract<ModelConfig, { name: Name }>;

/** Published sizes. */
export const modelSizes = {
  // Dosovitskiy et al. 2021, table 1; Ti and S: Touvron et al. 2021, table 1.
  vit: {
    'ti/16': { width: 192, depth: 12, heads: 3, patchSize: 16 },
    's/16': { width: 384, depth: 12, heads: 6, patchSize: 16 },
    'b/16': { width: 768, depth: 12, heads: 12, patchSize: 16 },
    'l/16': { width: 1024, depth: 24, heads: 16, patchSize: 16 },
    'h/14': { width: 1280, depth: 32, heads: 16, patchSize: 14 },
  },
  // He et al. 2016, table 1 (https://arxiv.org/abs/1512.03385).
  resnet: {
    '50': { blocks: [3, 4, 6, 3] },
    '101': { blocks: [3, 4, 23, 3] },
    '152': { blocks: [3, 8, 36, 3] },
  },
  // Liu et al. 2021, section 3.3 (https://arxiv.org/abs/2103.14030).
  swin: {
    t: { width: 96, blocks: [2, 2, 6, 2], heads: [3, 6, 12, 24] },
    s: { width: 96, blocks: [2, 2, 18, 2], heads: [3, 6, 12, 24] },
    b: { width: 128, blocks: [2, 2, 18, 2], heads: [4, 8, 16, 32] },
  },
  // Devlin et al. 2019, section 3 (https://arxiv.org/abs/1810.04805); small: Turc et al. 2019 (https://arxiv.org/abs/1908.08962).
  bert: {
    base: { width: 768, depth: 12, heads: 12 },
    small: { width: 512, depth: 4, heads: 8 },
  },
} as const satisfies Record<ModelName, Record<string, Partial<ModelInput>>>;

// DeiT-III: Touvron et al. 2022, section 3 (https://arxiv.org/abs/2204.07118); MAE: He et al. 2022, appendix A;
// BEiT: Bao et al. 2022 (https://arxiv.org/abs/2106.08254); CLIP: Radford et al. 2021, section 2.4 (https://arxiv.org/abs/2103.00020).
const vitForms = {
  deit3: { pool: 'token', layerScale: 1e-4 },
  mae: { pool: 'mean', layerScale: 0 },
  beit: { pool: 'mean', layerScale: 0.1 },
  clip: { pool: 'token', layerScale: 0 },
} as const;

const defaults = {
  vit: { form: 'deit3', size: 's/16', mlpRatio: 4, dropPath: 0, dropout: 0, init: 'truncated-normal' },
  resnet: { size: '50', channels: [64, 128, 256, 512], stem: 64, maskPatch: 32, dropPath: 0 },
  swin: { size: 't', patchSize: 4, window: 7, mlpRatio: 4, maskPatch: 32, dropPath: 0 },
  bert: { size: 'base', mlpRatio: 4, vocabulary: 30522, positions: 512, dropout: 0.1, masking: 'remove' },
} as const satisfies Record<ModelName, Partial<ModelInput>>;

/**
 * What the model group comes to: its keys over the recipe's, over those of its size and form, over the defaults. What a recipe says of
 * another model does not apply.
 */
export function resolveModel(input: ModelInput, given: Partial<ModelInput> = {}): ModelConfig {
  const { name } = input;
  const recipe = given.name === undefined || given.name === name ? given : {};
  const fallback: Partial<ModelInput> = defaults[name];
  const sizes: Readonly<Record<string, Partial<ModelInput>>> = modelSizes[name];
  const size = sizes[input.size ?? recipe.size ?? ''] ?? sizes[fallback.size ?? '']; // an unknown one is said elsewhere
  const form = name === 'vit' ? vitForms[input.form ?? recipe.form ?? 'deit3'] : {};
  const { size: _size, ...all } = layered(fallback, form, size, recipe, input);
  return all as ModelConfig; // every key of the model stands in its defaults, its size or its form
}

/** Patches that a mask may hide, where the config itself tells the size of the images. */
export function maskUnits(model: ModelConfig): number | undefined {
  if (model.name === 'bert' || !model.imageSize) return undefined;
  const side = model.imageSize / (model.name === 'vit' ? model.patchSize : model.maskPatch);
  return Number.isInteger(side) ? side ** 2 : undefined;
}

/** Later layers win; an absent or undefined key never does. */
export function layered(...layers: (object | undefined)[]): Record<string, unknown> {
  const entries = layers.flatMap((layer) => Object.entries(layer ?? {}));
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** What is wrong with a key of the model group, in a sentence. */
export interface ModelProblem {
  readonly key: keyof ModelInput;
  readonly message: string;
}

/** What is wrong with the model group as it was written and as it was resolved. */
export function modelProblems(model: ModelConfig, input: ModelInput): ModelProblem[] {
  const problems: ModelProblem[] = [];
  const own: readonly string[] = ['name', 'size', 'imageSize', 'weights', ...modelKeys[model.name]];
  for (const key of Object.keys(input) as (keyof ModelInput)[]) {
    if (own.includes(key)) continue;
    problems.push({ key, message: `"${key}" does not apply to the model "${model.name}". It has: ${own.join(', ')}.` });
  }
  const sizes = Object.keys(modelSizes[model.name]);
  if (input.size !== undefined && !sizes.includes(input.size)) {
    const known = sizes.map((size) => `"${size}"`).join(', ');
    problems.push({ key: 'size', message: `The model "${model.name}" has no size "${input.size}". It has: ${known}.` });
  }
  return [...problems, ...shapeProblems(model)];
}

function shapeProblems(model: ModelConfig): ModelProblem[] {
  switch (model.name) {
    case 'vit':
      return [...dividesWidth(model.heads, model.width), ...dividesImage(model.patchSize, model.imageSize)];
    case 'bert':
      return dividesWidth(model.heads, model.width);
    case 'resnet':
      if (model.blocks.length === model.channels.length)
        return dividesImage(model.maskPatch, model.imageSize, 'maskPatch');
      return [
        {
          key: 'channels',
          message: `"channels" needs a number for each of the ${model.blocks.length} stages in "blocks".`,
        },
      ];
    case 'swin':
      return swinProblems(model);
  }
}

function swinProblems({
  heads,
  width,
  blocks,
  patchSize,
  maskPatch,
  imageSize,
}: ModelConfigOf<'swin'>): ModelProblem[] {
  if (!Array.isArray(heads) || heads.length !== blocks.length) {
    const message = `"heads" of the model "swin" is a list with a number for each of the ${blocks.length} stages in "blocks".`;
    return [{ key: 'heads', message }];
  }
  return [
    ...heads.flatMap((count, stage) => dividesWidth(count, width * 2 ** stage)),
    ...dividesMaskPatch(patchSize, maskPatch),
    ...dividesImage(maskPatch, imageSize, 'maskPatch'),
  ];
}

function dividesWidth(heads: ModelInput['heads'], width: number): ModelProblem[] {
  if (typeof heads !== 'number') {
    return [{ key: 'heads', message: '"heads" must be a number; a list is for the model "swin".' }];
  }
  if (width % heads === 0) return [];
  return [{ key: 'heads', message: `"heads" (${heads}) must divide "width" (${width}).` }];
}

function dividesMaskPatch(patchSize: number, maskPatch: number): ModelProblem[] {
  if (maskPatch % patchSize === 0) return [];
  return [{ key: 'maskPatch', message: `"patchSize" (${patchSize}) must divide "maskPatch" (${maskPatch}).` }];
}

function dividesImage(
  size: number,
  imageSize: number | undefined,
  key: keyof ModelInput = 'patchSize',
): ModelProblem[] {
  if (!imageSize || imageSize % size === 0) return [];
  return [{ key, message: `"${key}" (${size}) must divide "imageSize" (${imageSize}).` }];
}
