/**
 * The recipes: golden files from which every number can be read (`UPDATE=1` rewrites them), the table of the paper's numbers against
 * which they are held, and three steps of each. `WHOLE=1` also runs the large models forward, at their own size.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { recipesPage } from '../../scripts/recipesPage.ts';
import { recipes as titles } from '../../src/core/catalog.ts';
import { type Config, resolveConfig } from '../../src/core/config.ts';
import type { ModelConfig } from '../../src/core/modelConfig.ts';
import { RandomStream } from '../../src/core/random.ts';
import { Batches } from '../../src/engine/batches.ts';
import type { Model } from '../../src/engine/models/model.ts';
import { sizeOf } from '../../src/engine/parameters.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import { type RecipeName, recipeRows, recipes } from '../../src/engine/recipes/index.ts';
import { type Row, valuesOfRow } from '../../src/engine/recipes/row.ts';
import { type Sourced, sources } from '../../src/engine/recipes/sources.ts';
import { eagerExecutor } from '../../src/engine/step/eager.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { noiseData, noiseTexts, setUp, trainSteps } from './examples.ts';

const names = Object.keys(recipes) as RecipeName[];
const rowNames = names.filter((name) => name !== 'demo');
const rows: Readonly<Record<RecipeName, Row>> = recipeRows;

function configOf(name: RecipeName): Config {
  const model = rows[name].model.name?.value;
  const data =
    model === 'bert'
      ? { dataset: 'text', path: 'data', tokenizer: 'vocab.txt' }
      : { dataset: 'image-folder', path: 'data' };
  const result = resolveConfig({ data, model: { name: model }, recipe: name }, recipes);
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.config;
}

describe('the golden file', () => {
  test.each(names)('%s', (name) => {
    const row = rows[name];
    const cited = ({ value, source, note }: Sourced<unknown>) => ({ value, source, ...(note ? { note } : {}) });
    const { data, model, method, train, augment } = configOf(name);
    const { name: methodName, maskRatio } = method;
    const golden = {
      config: { data, model, method: { name: methodName, maskRatio }, train, augment },
      sources: Object.fromEntries(valuesOfRow(row).map(([key, value]) => [key, cited(value)])),
      published: row.published,
      ...(row.weights ? { weights: row.weights } : {}),
      notes: row.notes,
    };
    const file = path.join(import.meta.dirname, 'recipes', `${name}.json`);
    if (process.env.UPDATE) fs.writeFileSync(file, `${JSON.stringify(golden, null, 2)}\n`);
    expect(golden).toEqual(JSON.parse(fs.readFileSync(file, 'utf8')));
  });

  test('there is none besides', () => {
    const files = fs.readdirSync(path.join(import.meta.dirname, 'recipes'));
    expect(files.sort()).toEqual(names.map((name) => `${name}.json`).sort());
  });
});

test('a size that a person writes beside a recipe wins over that of the recipe', () => {
  const data = { dataset: 'image-folder', path: 'data' };
  const model = { name: 'vit', size: 's/16' };
  const resolved = resolveConfig({ data, model, recipe: 'deit3-vit-b-400' }, recipes);
  expect(resolved).toMatchObject({ config: { model: { width: 384, heads: 6, imageSize: 192, dropPath: 0.1 } } });
});

test('docs/recipes.md is what `npm run recipes` makes', () => {
  expect(fs.readFileSync(path.resolve(import.meta.dirname, '../../docs/recipes.md'), 'utf8')).toBe(recipesPage());
});

describe('every value', () => {
  test.each(names)('of %s has a source, and an own choice a reason', (name) => {
    const values = valuesOfRow(rows[name]);
    expect(values.length).toBeGreaterThan(10);
    for (const [key, { source, note }] of values) {
      expect(sources, key).toHaveProperty(source);
      if (source === 'own') expect(note, key).toBeTruthy();
    }
  });

  test.each(names)('of %s is the one that a config takes over', (name) => {
    const { size, ...model } = rows[name].model;
    for (const [key, { value }] of valuesOfRow({ ...rows[name], model })) {
      expect(configOf(name), key).toHaveProperty(key, value);
    }
  });
});

test('the line of the catalog has the published result of its row', () => {
  for (const name of rowNames) {
    const { published } = rows[name];
    const result =
      'none' in published ? '' : `${published.baseline.value.toFixed(1)} → ${published.masksub.value.toFixed(1)}`;
    expect(/[\d.]+ → [\d.]+/.exec(titles[name].about)?.[0] ?? '', name).toBe(result);
    // How long BERT is fine-tuned is what a person changes first.
    if (name !== 'bert-classify') expect(titles[name].about).toContain(`${configOf(name).train.epochs} epochs`);
  }
});

/**
 * Copied by hand from the collected facts about paper and code, not from the recipes. Beside a family's numbers a row for each size:
 * image side, samples of a step, learning rate, weight decay, drop-path, epochs, published without and with MaskSub.
 */
const table = {
  'deit3-vit-s-400': [224, 2048, 4e-3, 0.03, 0, 400, 80.4, 81.1],
  'deit3-vit-s-800': [224, 2048, 4e-3, 0.05, 0.05, 800, 81.4, 81.7],
  'deit3-vit-b-400': [192, 2048, 3e-3, 0.03, 0.1, 400, 83.5, 84.1],
  'deit3-vit-b-800': [192, 2048, 3e-3, 0.05, 0.2, 800, 83.8, 84.2],
  'deit3-vit-l-400': [192, 2048, 3e-3, 0.03, 0.4, 400, 84.5, 85.2],
  'deit3-vit-l-800': [192, 2048, 3e-3, 0.05, 0.45, 800, 84.9, 85.3],
  // The command says 160: 11 × 11 patches of 14 pixels, which are 154.
  'deit3-vit-h-400': [154, 2048, 3e-3, 0.03, 0.5, 400, 85.1, 85.7],
  'deit3-vit-h-800': [154, 2048, 3e-3, 0.05, 0.6, 800, 85.2, 85.7],
  'deit3-vit-b-finetune': [224, 512, 1e-5, 0.1, 0.2, 20, undefined, undefined],
  'deit3-vit-l-finetune': [224, 512, 1e-5, 0.1, 0.45, 20, undefined, undefined],
  'deit3-vit-h-finetune': [224, 512, 1e-5, 0.1, 0.55, 20, undefined, undefined],
  'mae-finetune-vit-b': [224, 1024, 2e-3, 0.05, 0.1, 100, 83.6, 83.9],
  'mae-finetune-vit-l': [224, 1024, 4e-3, 0.05, 0.2, 50, 85.9, 86.1],
  'mae-finetune-vit-h': [224, 1024, 4e-3, 0.05, 0.3, 50, 86.9, 87.2],
  'beit2-finetune-vit-b': [224, 1024, 5e-4, 0.05, 0.2, 100, 85.5, 85.6],
  'beit2-finetune-vit-l': [224, 1024, 2e-4, 0.05, 0.2, 50, undefined, undefined],
  'clip-finetune-vit-b': [224, 2048, 6e-4, 0.05, 0, 50, 84.8, 85.2],
  'clip-finetune-vit-l': [224, 2048, 4e-4, 0.05, 0, 30, 87.5, 87.8],
  'rsb-resnet-50': [224, 2048, 5e-3, 0.02, 0.05, 300, 79.7, 80.0],
  'rsb-resnet-101': [224, 2048, 5e-3, 0.02, 0.05, 300, 81.4, 82.1],
  'rsb-resnet-152': [224, 2048, 5e-3, 0.02, 0.05, 300, 81.8, 82.8],
  'swin-t': [224, 1024, 1e-3, 0.05, 0.2, 300, 81.3, 81.4],
  'swin-s': [224, 1024, 1e-3, 0.05, 0.3, 300, 83.0, 83.4],
  'swin-b': [224, 1024, 1e-3, 0.05, 0.5, 300, 83.5, 83.9],
  'bert-classify': [undefined, 32, 2e-5, 0.01, undefined, 3, undefined, undefined],
} as const satisfies Record<Exclude<RecipeName, 'demo'>, readonly (number | undefined)[]>;

const adam = { betas: [0.9, 0.999], epsilon: 1e-8 };
const ofFamily = {
  'deit3-vit-.-.00': {
    train: {
      ...{ ...adam, optimizer: 'lamb', loss: 'bce', targetThreshold: 0, smoothing: 0, schedulePer: 'epoch', seed: 0 },
      ...{ warmupEpochs: 5, warmupLearningRate: 1e-6, minLearningRate: 1e-5, schedule: 'cosine', scheduleLag: false },
      warmupPrefix: false,
    },
    augment: {
      ...{ crop: 'resized', minScale: 0.08, flip: true, threeAugment: true, colorJitter: 0.3, repeated: 3 },
      ...{ mixup: 0.8, cutmix: 1, switchProb: 0.5, mixProb: 1, randomErasing: 0, testCrop: 1 },
    },
    model: { form: 'deit3', layerScale: 1e-4, pool: 'token', dropout: 0 },
  },
  'deit3-vit-.-finetune': {
    train: {
      ...{
        ...adam,
        optimizer: 'adamw',
        loss: 'ce',
        smoothing: 0.1,
        warmupEpochs: 5,
        warmupPrefix: false,
        minLearningRate: 1e-5,
        layerDecay: 1,
      },
    },
    augment: {
      ...{ crop: 'resized', threeAugment: false, mixup: 0.8, cutmix: 1, repeated: 1, randomErasing: 0, testCrop: 1 },
      randAugment: { magnitude: 9, std: 0.5, increasing: true },
    },
    model: { form: 'deit3', layerScale: 1e-4, pool: 'token' },
  },
  'rsb-resnet-.*': {
    train: {
      ...{ betas: [0.9, 0.999], epsilon: 1e-6, optimizer: 'lamb', loss: 'bce', smoothing: 0, schedulePer: 'epoch' },
      ...{ warmupEpochs: 5, warmupLearningRate: 1e-4, minLearningRate: 1e-6, seed: 42 },
      warmupPrefix: false,
    },
    augment: {
      ...{ mixup: 0.1, cutmix: 1, randomErasing: 0, colorJitter: 0, repeated: 3, testCrop: 0.95, threeAugment: false },
      randAugment: { magnitude: 7, std: 0.5, increasing: false },
    },
    model: { maskPatch: 32 },
  },
  'swin-.': {
    train: {
      ...{ ...adam, optimizer: 'adamw', loss: 'ce', smoothing: 0.1, schedulePer: 'step', clipNorm: 5, seed: 0 },
      ...{ warmupEpochs: 20, warmupLearningRate: 1e-6, minLearningRate: 1e-5 },
      warmupPrefix: false,
    },
    augment: {
      ...{ mixup: 0.8, cutmix: 1, randomErasing: 0.25, repeated: 1, testCrop: 0.875, colorJitter: 0 },
      randAugment: { magnitude: 9, std: 0.5, increasing: true },
    },
    model: { window: 7, maskPatch: 32, patchSize: 4 },
  },
  'mae-finetune-vit-.': {
    train: {
      ...{ betas: [0.9, 0.999], optimizer: 'adamw', loss: 'ce', smoothing: 0.1, schedulePer: 'step' },
      ...{ warmupEpochs: 5, warmupLearningRate: 0, minLearningRate: 1e-6, warmupPrefix: true },
    },
    augment: {
      ...{ mixup: 0.8, cutmix: 1, randomErasing: 0.25, testCrop: 0.875 },
      randAugment: { magnitude: 9, std: 0.5, increasing: true },
    },
    model: { form: 'mae', pool: 'mean', layerScale: 0 },
  },
  'beit2-finetune-vit-.': {
    train: { optimizer: 'adamw', loss: 'ce' },
    augment: { mixup: 0.8, cutmix: 1 },
    model: { form: 'beit' },
  },
  'clip-finetune-vit-.': {
    train: { optimizer: 'adamw', loss: 'ce', ema: 0.9998 },
    augment: { mixup: 0, cutmix: 0 },
    data: { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] },
    model: { form: 'clip' },
  },
  'bert-classify': { model: { width: 768, depth: 12, heads: 12 } },
} as const;

const warmupAndDecay = {
  'mae-finetune-vit-b': [5, 0.65],
  'mae-finetune-vit-l': [5, 0.75],
  'mae-finetune-vit-h': [5, 0.75],
  'beit2-finetune-vit-b': [20, 0.6],
  'beit2-finetune-vit-l': [5, 0.8],
  'clip-finetune-vit-b': [10, 0.6],
  'clip-finetune-vit-l': [5, 0.65],
} as const;

describe('the numbers of the paper', () => {
  test.each(Object.entries(table))(
    '%s',
    (name, [imageSize, samples, learningRate, weightDecay, dropPath, epochs, ...of]) => {
      const config = configOf(name as RecipeName);
      const { model, train } = config;
      expect(model.imageSize).toBe(imageSize);
      expect(train.batchSize * train.accumulate).toBe(samples);
      expect(train).toMatchObject({ learningRate, weightDecay, epochs });
      expect('dropPath' in model ? model.dropPath : undefined).toBe(dropPath);
      const { published } = rows[name as RecipeName];
      const results =
        'none' in published ? [undefined, undefined] : [published.baseline.value, published.masksub.value];
      expect(results).toEqual(of);
      const [family] = Object.entries(ofFamily).filter(([pattern]) => new RegExp(`^${pattern}$`).test(name));
      expect(config).toMatchObject(family?.[1] ?? { unknown: name });
      const [warmupEpochs, layerDecay] = warmupAndDecay[name as keyof typeof warmupAndDecay] ?? [];
      if (warmupEpochs) expect(train).toMatchObject({ warmupEpochs, layerDecay });
      expect(config.method).toMatchObject({ name: 'masksub', maskRatio: 0.5 });
    },
  );

  // Millions, as published: with 1000 classes.
  test.each([
    ['deit3-vit-s-400', 22.0],
    ['deit3-vit-b-finetune', 86.6],
    ['deit3-vit-l-finetune', 304.4],
    ['deit3-vit-h-finetune', 632.1],
    ['rsb-resnet-50', 25.6],
    ['rsb-resnet-101', 44.5],
    ['rsb-resnet-152', 60.2],
    ['swin-t', 28.3],
    ['swin-s', 49.6],
    ['swin-b', 87.8],
  ] as const)('%s: %f million parameters', (name, millions) => {
    const { model } = buildProblem(configOf(name), shapeOf(configOf(name), 1000));
    const count = model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0);
    expect(Math.abs(count / 1e6 - millions)).toBeLessThan(0.06);
  });
});

const shapeOf = ({ model }: Config, classes: number) =>
  model.name === 'bert'
    ? ({ kind: 'text', name: 'texts', classes, length: 16, vocabulary: 100 } as const)
    : ({ kind: 'images', name: 'images', classes, size: undefined, channels: 3 } as const);

/** The same recipe with a model that is small in depth and width. */
function cutDown(model: ModelConfig): ModelConfig {
  switch (model.name) {
    case 'vit':
      return { ...model, width: 16, depth: 2, heads: 2 };
    case 'resnet':
      return { ...model, blocks: [1, 1, 1, 1], channels: [4, 4, 4, 4], stem: 4 };
    case 'swin':
      return { ...model, width: 8, blocks: [1, 2, 1, 1], heads: [1, 2, 2, 2] };
    case 'bert':
      return { ...model, width: 16, depth: 2, heads: 2, vocabulary: 100 };
  }
}

describe('three steps at batch 2', () => {
  beforeAll(async () => {
    await loadBackend('tensorflow');
  });
  // So that the test runner hears of it: the eager engine never lets go of the thread.
  afterEach(() => new Promise((resolve) => setTimeout(resolve)));
  const images = noiseData(40, 24, 4, 3);
  const texts = noiseTexts(16, 24, 4, 100);

  const cases = [
    ...rowNames.map((name) => ({ name, size: 'cut down' as const })),
    { name: 'deit3-vit-s-400' as const, size: 'whole' as const },
  ];
  test.each(cases)('$name, $size', async ({ name, size }) => {
    const whole = configOf(name);
    const config: Config = {
      ...whole,
      model: size === 'whole' ? whole.model : cutDown(whole.model),
      train: { ...whole.train, batchSize: 2, accumulate: Math.min(2, whole.train.accumulate) },
    };
    const run = await setUp(
      config,
      whole.model.name === 'bert' ? texts : images,
      size === 'whole' ? 'recorded' : 'eager', // recorded, the main thread stays free
    );
    const before = await run.executor.snapshot();
    await trainSteps(run, 0, 3);
    const reports = await run.executor.reports();
    expect(reports.map(({ finite, loss }) => [finite, Object.keys(loss.branches)])).toEqual(
      Array(3).fill([true, ['main', 'sub']]),
    );
    const after = await run.executor.snapshot();
    await run.executor.dispose();
    const moved = [...after.parameters].filter(([key, values]) =>
      values.some((value, i) => value !== before.parameters.get(key)?.[i]),
    );
    expect(moved.length).toBeGreaterThan(0.9 * after.parameters.size);
  });

  test.each(process.env.WHOLE ? rowNames : [])(
    '%s: the whole model, built and run forward',
    async (name) => {
      const { ema: _ema, ...train } = configOf(name).train;
      // An optimizer that keeps little: only the weights matter here.
      const config: Config = { ...configOf(name), train: { ...train, batchSize: 2, accumulate: 1, optimizer: 'sgd' } };
      const data = config.model.name === 'bert' ? texts : images;
      const problem = buildProblem(config, data);
      const batches = new Batches(config, data, problem.model, problem.method);
      const executor = eagerExecutor(problem, cheapValues(problem.model));
      const logits = await executor.evaluate(await batches.validation(0, 2), {}, 'parameters');
      expect([logits.length, logits.every(Number.isFinite)]).toEqual([8, true]);
      await executor.dispose();
    },
    1_800_000,
  );
});

/** As the initial values, but for truncated normals, of which a few thousand are drawn and come again. */
function cheapValues(model: Model): Map<string, Float32Array> {
  const stream = new RandomStream(0, 'test.weights');
  const drawn = Float32Array.from({ length: 4096 }, () => stream.truncatedNormal(1));
  const values = new Map<string, Float32Array>();
  for (const { name, shape, init } of [...model.parameters, ...model.buffers.map(bufferAsConstant)]) {
    const size = sizeOf({ shape });
    if (init.kind === 'values') values.set(name, init.values);
    else if (init.kind === 'constant') values.set(name, new Float32Array(size).fill(init.value));
    else {
      const deviation = init.standardDeviation;
      values.set(
        name,
        new Float32Array(size).map((_, i) => deviation * (drawn[i % drawn.length] as number)),
      );
    }
  }
  return values;
}

const bufferAsConstant = ({ name, shape, value }: Model['buffers'][number]) => ({
  name,
  shape,
  init: { kind: 'constant' as const, value },
});
