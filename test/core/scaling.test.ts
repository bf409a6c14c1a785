/** Fitting a recipe to a laptop: every row at every size of data stays a config that trains. */
import { describe, expect, test } from 'vitest';
import { type Config, resolveConfig } from '../../src/core/config.ts';
import { modelProblems } from '../../src/core/modelConfig.ts';
import { type Change, type Fit, scaleConfig } from '../../src/core/scaling.ts';
import { swinFromConfig } from '../../src/engine/models/swin.ts';
import { type RecipeName, recipeRows, recipes } from '../../src/engine/recipes/index.ts';
import type { Row } from '../../src/engine/recipes/row.ts';

const rows: Readonly<Record<RecipeName, Row>> = recipeRows;
const names = (Object.keys(rows) as RecipeName[]).filter((name) => name !== 'demo');

function configOf(name: RecipeName): Config {
  const { model, weights } = rows[name];
  const data =
    model.name?.value === 'bert'
      ? { dataset: 'text', path: 'data', tokenizer: 'vocab.txt' }
      : { dataset: 'image-folder', path: 'data' };
  return resolved({
    data,
    model: { name: model.name?.value, ...(weights ? { weights: weights.path } : {}) },
    recipe: name,
  });
}

function resolved(input: object): Config {
  const result = resolveConfig(input, recipes);
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.config;
}

/** The config with the changes written into it, checked as one that a person wrote. */
function changed(config: Config, changes: readonly Change[]): Config {
  const groups: Record<string, Record<string, unknown>> = {
    model: { ...config.model },
    train: { ...config.train },
    augment: { ...config.augment },
  };
  for (const { group, key, to } of changes) (groups[group] as Record<string, unknown>)[key] = to;
  const ofText = config.model.name === 'bert';
  return resolved({
    data: config.data,
    model: groups.model,
    train: groups.train,
    ...(ofText ? {} : { augment: groups.augment }),
  });
}

const samples = [1, 40, 1_000, 50_000, 1_281_167].map((samples) => ({ samples, side: 32 }));
const sides = [undefined, 8, 17, 28, 48, 64, 97, 112, 160, 224, 500].map((side) => ({ samples: 5_000, side }));
const fits: readonly Fit[] = [...samples, ...sides];

describe('whatever the data', () => {
  test.each(names)('%s trains', (name) => {
    const config = configOf(name);
    for (const fit of fits) {
      const { model, train } = changed(config, scaleConfig(config, fit));
      const told = `${fit.samples} samples, ${fit.side} pixels`;
      const perStep = train.batchSize * train.accumulate;
      expect(Math.floor(fit.samples / perStep), told).toBeGreaterThanOrEqual(1);
      expect(perStep, told).toBeLessThanOrEqual(64);
      expect(train.learningRate, told).toBeLessThanOrEqual(config.train.learningRate);
      expect(train.epochs, told).toBeLessThanOrEqual(config.train.epochs);
      expect(modelProblems(model, model), told).toEqual([]);
      if (model.name === 'swin') {
        const { imageSize = 0 } = model;
        expect(() => swinFromConfig(model, { imageSize, channels: 3, classes: 4 }), told).not.toThrow();
      }
      if (fit.side && fit.side >= 16 && model.imageSize && !model.weights) {
        expect(model.imageSize, told).toBeGreaterThanOrEqual(Math.min(224, fit.side) * 0.66);
        expect(model.imageSize, told).toBeLessThanOrEqual(fit.side * 1.15);
      }
    }
  });

  test.each(names)('%s: the same for the same, each change with its reason', (name) => {
    const config = configOf(name);
    for (const fit of fits) {
      const changes = scaleConfig(config, fit);
      expect(scaleConfig(config, fit)).toEqual(changes);
      expect(changes.filter(({ from, to, reason }) => !reason || JSON.stringify(from) === JSON.stringify(to))).toEqual(
        [],
      );
      expect(new Set(changes.map(({ group, key }) => `${group}.${key}`)).size).toBe(changes.length);
    }
  });
});

describe('the learning rate', () => {
  const trainOf = (name: RecipeName, samples: number) => {
    const config = configOf(name);
    return changed(config, scaleConfig(config, { samples })).train;
  };
  test('with AdamW goes with the samples of a step', () => {
    // 64 of 1024.
    expect(trainOf('swin-t', 50_000)).toMatchObject({
      learningRate: 1e-3 / 16,
      warmupLearningRate: 1e-6 / 16,
      minLearningRate: 1e-5 / 16,
    });
  });
  test('with LAMB goes with their square root', () => {
    // 32 of 2048.
    expect(trainOf('rsb-resnet-50', 1_000)).toMatchObject({ batchSize: 32, learningRate: 5e-3 / 8 });
  });
  test('is enough to learn a new head', () => {
    expect(trainOf('deit3-vit-b-finetune', 1_000).learningRate).toBe(1e-5);
    expect(trainOf('clip-finetune-vit-b', 100).learningRate).toBe(1e-5);
  });
});

describe('the epochs', () => {
  const epochsOf = (name: RecipeName, samples: number) => {
    const config = configOf(name);
    return changed(config, scaleConfig(config, { samples })).train.epochs;
  };
  test('come to 4,000 steps from scratch, 1,000 in fine-tuning, and to fewer where there are many samples', () => {
    expect(epochsOf('deit3-vit-s-400', 5_000)).toBe(Math.ceil(4_000 / 78));
    expect(epochsOf('mae-finetune-vit-b', 5_000)).toBe(Math.ceil(1_000 / 78));
    expect(epochsOf('deit3-vit-s-400', 50_000)).toBe(10);
    expect(epochsOf('deit3-vit-s-400', 1_281_167)).toBe(1);
  });
  test('are never more than those of the recipe', () => {
    expect(epochsOf('bert-classify', 100)).toBe(3);
    expect(epochsOf('deit3-vit-s-400', 40)).toBe(400);
  });
});

describe('images', () => {
  const changesOf = (name: RecipeName, side: number) =>
    Object.fromEntries(scaleConfig(configOf(name), { samples: 5_000, side }).map(({ key, to }) => [key, to]));
  test('of 32 pixels', () => {
    expect(changesOf('deit3-vit-s-400', 32)).toMatchObject({
      imageSize: 32,
      patchSize: 4,
      minScale: 0.35,
      repeated: 1,
    });
    expect(changesOf('rsb-resnet-50', 32)).toMatchObject({ imageSize: 32, maskPatch: 4, testCrop: 1 });
    expect(changesOf('swin-t', 32)).toMatchObject({ imageSize: 32, patchSize: 2, window: 8, maskPatch: 4 });
  });
  test('are enlarged for weights that know no other size', () => {
    expect(changesOf('mae-finetune-vit-b', 32)).not.toHaveProperty('imageSize');
  });
  test('as large as the recipe’s stay', () => {
    for (const name of names) expect(changesOf(name, 224)).not.toHaveProperty('imageSize');
  });
});

test('a wide ViT takes few samples at a time, for as many in a step', () => {
  const config = configOf('deit3-vit-l-400');
  const { train } = changed(config, scaleConfig(config, { samples: 50_000 }));
  expect([train.batchSize, train.accumulate]).toEqual([8, 8]);
});
