/** A config is completed from recipe and defaults, and what is wrong in it is said in words, at its place, with the way out. */
import { describe, expect, test } from 'vitest';
import { backends, datasets, executors, methods, models, optimizers, precisions } from '../../src/core/catalog.ts';
import { type Config, type Recipe, resolveConfig } from '../../src/core/config.ts';
import { configJsonSchema } from '../../src/core/configSchema.ts';
import type { ModelConfigOf } from '../../src/core/modelConfig.ts';
import { recipes } from '../../src/engine/recipes/index.ts';

type Input = Readonly<Record<string, unknown>>;
const data = { dataset: 'fashion-mnist-mini' };
const model = { name: 'vit' };
const minimal = { data, model };

function config(input: Input, table: Readonly<Record<string, Recipe>> = recipes): Config {
  const result = resolveConfig({ ...minimal, ...input }, table);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

function problems(input: unknown) {
  const result = resolveConfig(input, recipes);
  if ('config' in result) throw new Error('No problem was found.');
  return result.problems;
}

describe('what is not written', () => {
  test('has its default, every one written out', () => {
    expect(config({})).toEqual({
      name: 'fashion-mnist-mini vit',
      data: { dataset: 'fashion-mnist-mini', validateEvery: 1 },
      model: {
        name: 'vit',
        form: 'deit3',
        patchSize: 16,
        width: 384,
        depth: 12,
        heads: 6,
        mlpRatio: 4,
        pool: 'token',
        layerScale: 1e-4,
        dropPath: 0,
        dropout: 0,
        init: 'truncated-normal',
      },
      method: {
        name: 'masksub',
        maskRatio: 0.5,
        maskShape: 'random',
        maskRounding: 'down',
        dropRate: 0.5,
        subWeight: 0.5,
        target: 'soft',
        temperature: 1,
        stopGradient: true,
        cleanView: true,
      },
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
      augment: {
        crop: 'none',
        padding: 4,
        minScale: 0.08,
        flip: false,
        threeAugment: false,
        colorJitter: 0,
        mixup: 0,
        cutmix: 0,
        switchProb: 0.5,
        mixProb: 1,
        randomErasing: 0,
        repeated: 1,
        testCrop: 1,
      },
      compare: { baseline: true, seeds: [0] },
      run: {
        backend: 'auto',
        executor: 'auto',
        precision: 'float32',
        precisionForced: false,
        logEvery: 10,
        layersEvery: 100,
        samplesEvery: 5,
        checkpointEvery: 10,
      },
    });
  });
  test('and is a config itself, that resolves to the same', () => {
    for (const input of [{}, { recipe: 'demo' }, { model: { name: 'vit', form: 'mae', size: 'b/16' } }]) {
      const once = config(input);
      expect(config(once as unknown as Input)).toEqual(once);
    }
  });
  test('is that of the form and the published size', () => {
    expect(config({ model: { ...model, form: 'mae', size: 'h/14' } }).model).toMatchObject({
      pool: 'mean',
      layerScale: 0,
      width: 1280,
      depth: 32,
      heads: 16,
      patchSize: 14,
    });
  });
  test('bfloat16 may be asked for wherever it could be had', () => {
    for (const backend of ['auto', 'tensorflow'])
      for (const executor of ['auto', 'recorded'])
        expect(config({ run: { backend, executor, precision: 'bfloat16' } }).run.precision).toBe('bfloat16');
  });
  test('seeds follow the seed of the training', () => {
    expect(config({ train: { seed: 7 } }).compare.seeds).toEqual([7]);
    expect(config({ train: { seed: 7 }, compare: { seeds: [1, 2] } }).compare.seeds).toEqual([1, 2]);
  });
});

describe('layers: config over recipe over size over form over defaults', () => {
  const table: Record<string, Recipe> = {
    demo: {
      data: { validateEvery: 7 },
      model: { form: 'mae', patchSize: 7, width: 96 },
      train: { epochs: 33, batchSize: 11 },
      augment: { flip: true },
    },
  };
  const layered = config(
    { model: { ...model, size: 's/16', width: 60 }, recipe: 'demo', train: { epochs: 44 } },
    table,
  );
  const layeredModel = layered.model as ModelConfigOf<'vit'>;
  test.each<[string, unknown, unknown]>([
    ['the config wins over the recipe', layered.train.epochs, 44],
    ['the recipe wins over the defaults', layered.train.batchSize, 11],
    ['the config wins over a size', layeredModel.width, 60],
    ['the recipe wins over a size', layeredModel.patchSize, 7],
    ['the size wins over the defaults', layeredModel.heads, 6],
    ["the recipe's form decides what follows from it", layeredModel.pool, 'mean'],
    ['the recipe reaches the data', layered.data.validateEvery, 7],
    ['and the augmentation', layered.augment.flip, true],
    ['what nobody says is the default', layered.augment.padding, 4],
  ])('%s', (_, got, expected) => expect(got).toEqual(expected));

  test('a recipe of images leaves the texts of BERT alone, and what is for images is refused', () => {
    const bert = { data: { dataset: 'text', path: 'texts.csv', tokenizer: 'vocab.txt' }, model: { name: 'bert' } };
    expect(config({ ...bert, recipe: 'demo' }).augment).toEqual(config(bert).augment);
    const found = problems({ ...bert, augment: { flip: true, mixup: 0.2, padding: 2 } });
    expect(found.map(({ path }) => path.join('.')).sort()).toEqual([
      'augment.flip',
      'augment.mixup',
      'augment.padding',
    ]);
  });

  test('every recipe gives a valid config', () => {
    for (const recipe of Object.keys(recipes)) expect(config({ recipe }).recipe).toBe(recipe);
  });
});

describe('a wrong config says what is wrong, what is allowed, and the nearest right spelling', () => {
  const cases: [what: string, input: Input, path: string, message: string | RegExp, suggestion?: string][] = [
    ['a misspelt key', { train: { epoch: 3 } }, 'train.epoch', 'Unknown key "epoch". Did you mean "epochs"?', 'epochs'],
    ['a misspelt group', { trian: {} }, 'trian', 'Unknown key "trian". Did you mean "train"?', 'train'],
    [
      'a key in the wrong group',
      { model: { ...model, clipNorm: 1 } },
      'model.clipNorm',
      'Unknown key "clipNorm". "clipNorm" belongs into "train".',
    ],
    [
      'a key of a group at the top',
      { clipNorm: 1 },
      'clipNorm',
      'Unknown key "clipNorm". "clipNorm" belongs into "train".',
    ],
    [
      'a key that is nowhere',
      { augment: { rainbow: 1 } },
      'augment.rainbow',
      'Unknown key "rainbow". Known: crop, padding, minScale, flip, threeAugment, randAugment, colorJitter, mixup, cutmix, switchProb, mixProb, randomErasing, repeated, testCrop.',
    ],
    [
      'a misspelt value',
      { method: { name: 'masksup' } },
      'method.name',
      '"name" must be one of "baseline", "masksub", "dropsub", "pathsub", "cosub", "direct-mask", found "masksup". Did you mean "masksub"?',
      'masksub',
    ],
    [
      'a value like none',
      { train: { loss: 'hinge' } },
      'train.loss',
      '"loss" must be one of "ce", "bce", found "hinge".',
    ],
    [
      'a text for a number',
      { train: { epochs: 'ten' } },
      'train.epochs',
      /^"epochs" must be a .*number, found "ten"\.$/,
    ],
    ['half an epoch', { train: { epochs: 1.5 } }, 'train.epochs', '"epochs" must be a whole number, found 1.5.'],
    [
      'a ratio of 1',
      { method: { name: 'masksub', maskRatio: 1 } },
      'method.maskRatio',
      '"maskRatio" must be below 1, found 1.',
    ],
    [
      'a negative rate',
      { train: { learningRate: -1 } },
      'train.learningRate',
      '"learningRate" must be above 0, found -1.',
    ],
    ['a decay above 1', { train: { layerDecay: 2 } }, 'train.layerDecay', '"layerDecay" must be at most 1, found 2.'],
    ['no seeds', { compare: { seeds: [] } }, 'compare.seeds', '"seeds" must have a length of at least 1, found [].'],
    [
      'a wrong seed in a list',
      { compare: { seeds: [0, -1] } },
      'compare.seeds.1',
      '"seeds[1]" must be at least 0, found -1.',
    ],
    ['a group that is none', { train: 3 }, 'train', '"train" must be an object, found 3.'],
    [
      'heads that do not divide',
      { model: { ...model, width: 64, heads: 3 } },
      'model.heads',
      '"heads" (3) must divide "width" (64).',
    ],
    [
      'patches that do not divide',
      { model: { ...model, imageSize: 28, patchSize: 8 } },
      'model.patchSize',
      '"patchSize" (8) must divide "imageSize" (28).',
    ],
    [
      'too long a warm-up',
      { train: { epochs: 3, warmupEpochs: 4 } },
      'train.warmupEpochs',
      '"warmupEpochs" (4) must not exceed "epochs" (3).',
    ],
    [
      'a lowest rate above the peak',
      { train: { learningRate: 0.1, minLearningRate: 0.2 } },
      'train.minLearningRate',
      '"minLearningRate" (0.2) must not exceed "learningRate" (0.1).',
    ],
    ['files without a folder', { data: { dataset: 'idx' } }, 'data.dataset', /needs "path"/],
    [
      'channels that differ',
      { data: { ...data, mean: [0.5], std: [1, 1] } },
      'data.std',
      /"std" has 2 channels, "mean" has 1/,
    ],
    [
      'a mask that leaves nothing',
      { model: { ...model, imageSize: 14, patchSize: 7 }, method: { name: 'masksub', maskRatio: 0.9 } },
      'method.maskRatio',
      /0\.9 leaves none of the 4 patches; lower it/,
    ],
    ['a seed twice', { compare: { seeds: [3, 1, 3] } }, 'compare.seeds', '"seeds" holds a seed twice.'],
    [
      'a mask for the baseline',
      { method: { name: 'baseline', maskRatio: 0.75 } },
      'method.maskRatio',
      /"maskRatio" does not apply/,
    ],
    [
      'a recorded step without TensorFlow',
      { run: { backend: 'wasm', executor: 'recorded' } },
      'run.executor',
      'The executor "recorded" needs the backend "tensorflow", found "wasm".',
    ],
    [
      'bfloat16 op by op',
      { run: { executor: 'eager', precision: 'bfloat16' } },
      'run.precision',
      'The precision "bfloat16" needs the executor "recorded", found "eager".',
    ],
    [
      'bfloat16 without TensorFlow, also where it is forced',
      { run: { backend: 'cpu', precision: 'bfloat16', precisionForced: true } },
      'run.precision',
      'The precision "bfloat16" needs the backend "tensorflow", found "cpu".',
    ],
  ];
  for (const [what, input, path, message, suggestion] of cases) {
    test(what, () => {
      const found = problems({ ...minimal, ...input });
      expect(found).toHaveLength(1);
      expect(found[0]?.path.join('.')).toBe(path);
      if (typeof message === 'string') expect(found[0]?.message).toBe(message);
      else expect(found[0]?.message).toMatch(message);
      expect(found[0]?.suggestion).toBe(suggestion);
      expect(found[0]?.atKey, 'the key is marked where it is the key that is wrong').toBe(
        /^Unknown key/.test(found[0]?.message ?? ''),
      );
    });
  }
  test.each<[string, unknown, string, string]>([
    ['no data', { model }, 'data', '"data" is missing; it must be an object.'],
    [
      'no model name',
      { data, model: {} },
      'model.name',
      '"name" is missing; it must be one of "vit", "resnet", "swin", "bert".',
    ],
    ['no object', [], '', '"config" must be an object, found [].'],
    ['nothing', null, '', '"config" must be an object, found null.'],
  ])('%s', (_, input, path, message) => {
    const [first] = problems(input);
    expect(first?.path.join('.')).toBe(path);
    expect(first?.message).toBe(message);
  });
  test('every problem is told, not only the first', () => {
    const found = problems({ ...minimal, train: { epoch: 1, batchSize: 0 }, run: { logEvery: 0.5 } });
    expect(found.map((problem) => problem.path.join('.')).sort()).toEqual([
      'run.logEvery',
      'train.batchSize',
      'train.epoch',
    ]);
  });
  test('only what the JSON Schema cannot know is left to the own check', () => {
    expect(problems({ ...minimal, train: { epochs: 'ten' } })[0]?.inSchema).toBe(true);
    expect(problems({ ...minimal, train: { epoch: 1 } })[0]?.inSchema).toBe(false);
    expect(problems({ ...minimal, compare: { seeds: [1, 1] } })[0]?.inSchema).toBe(false);
  });
});

describe('the JSON Schema of the editor', () => {
  type Schema = {
    $schema?: string;
    properties?: Record<string, Schema>;
    enum?: string[];
    anyOf?: Schema[];
    markdownDescription?: string;
    markdownEnumDescriptions?: string[];
    required?: string[];
    additionalProperties?: unknown;
  };
  const schema = configJsonSchema() as Schema;
  const leaves = Object.entries(schema.properties ?? {}).flatMap(([group, value]) =>
    Object.entries(value.properties ?? {}).map(([key, leaf]) => [`${group}.${key}`, leaf] as const),
  );
  const leaf = (name: string) => leaves.find(([key]) => key === name)?.[1];

  test('is draft 7 and asks for data set and model alone', () => {
    expect(schema.$schema).toContain('draft-07');
    expect(schema.required).toEqual(['data', 'model']);
    expect(schema.properties?.data?.required).toEqual(['dataset']);
    expect(schema.properties?.model?.required).toEqual(['name']);
  });
  test('has every key of a resolved config', () => {
    const full = config({ recipe: 'demo' }) as unknown as Record<string, object>;
    for (const [group, values] of Object.entries(full)) {
      expect(Object.keys(schema.properties ?? {})).toContain(group);
      if (typeof values !== 'object') continue;
      for (const key of Object.keys(values)) expect(leaf(`${group}.${key}`), `${group}.${key}`).toBeDefined();
    }
  });
  test('describes every key', () => {
    expect(leaves.length).toBeGreaterThan(50);
    for (const [name, { markdownDescription }] of leaves) expect(markdownDescription, name).toMatch(/\S\.$/);
  });
  test('describes every name of the catalog', () => {
    for (const [name, table] of [
      ['data.dataset', datasets],
      ['model.name', models],
      ['method.name', methods],
      ['train.optimizer', optimizers],
      ['run.backend', backends],
      ['run.executor', executors],
      ['run.precision', precisions],
    ] as const) {
      const [known, any] = leaf(name)?.anyOf ?? [];
      expect(known?.enum, name).toEqual(Object.keys(table));
      expect(any, `${name}: the own check says which name was meant`).toEqual({});
      const texts = Object.values<{ title: string; about: string }>(table).map(
        (entry) => `**${entry.title}.** ${entry.about}`,
      );
      expect(known?.markdownEnumDescriptions, name).toEqual(texts);
    }
  });
  test('leaves unknown keys to the own check, which knows the nearest right one', () => {
    expect(JSON.stringify(schema)).not.toContain('additionalProperties');
  });
});

describe('the keys of a data set', () => {
  const problemsOf = (data: object, model: object = { name: 'vit' }) => {
    const result = resolveConfig({ data, model }, {});
    return 'problems' in result ? result.problems.map(({ path, message }) => `${path.join('.')}: ${message}`) : [];
  };
  test.each([
    [{ dataset: 'image-folder', path: 'x', textColumn: 'y' }, /^data\.textColumn: "textColumn" does not apply to/],
    [{ dataset: 'cifar10', path: 'x', split: 0.2 }, /^data\.split: "split" does not apply to the data set "cifar10"/],
    [{ dataset: 'image-folder' }, /^data\.dataset: .* needs "path": the folder with train and val/],
    [{ dataset: 'image-folder', path: 'x', mean: [0], std: [1, 1] }, /^data\.std: "std" has 2 channels/],
    [{ dataset: 'text', path: 'x', tokenizer: 'y' }, /^model\.name: "vit" does not go with the data set "text"/],
  ] as const)('%j', (data, message) => {
    expect(problemsOf(data)).toEqual([expect.stringMatching(message)]);
  });
  test('a model of texts has no images', () => {
    expect(problemsOf({ dataset: 'fashion-mnist-mini' }, { name: 'bert' })).toEqual([
      expect.stringMatching(/^model\.name: "bert" does not go with/),
    ]);
    expect(problemsOf({ dataset: 'text', path: 'x' }, { name: 'bert' })).toEqual([
      expect.stringMatching(/^data\.dataset: .* needs "tokenizer"/),
    ]);
  });
  test('RandAugment has its defaults written out', () => {
    const result = resolveConfig(
      { data: { dataset: 'fashion-mnist-mini' }, model: { name: 'vit' }, augment: { randAugment: { magnitude: 7 } } },
      {},
    );
    const randAugment = { magnitude: 7, std: 0.5, ops: 2, increasing: true };
    expect(result).toMatchObject({ config: { augment: { randAugment } } });
  });
});
