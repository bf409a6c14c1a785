/** Every method on every model: it trains, the same twice and without leaks, or is refused; and what does not go together is told in words. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/core/config.ts';
import { describeError, UserError } from '../../src/core/errors.ts';
import type { ModelName } from '../../src/core/modelConfig.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import { recipes } from '../../src/engine/recipes/index.ts';
import type { StepReport } from '../../src/engine/step/executor.ts';
import type { ImageData } from '../../src/engine/trainingData.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { methodNames, setUp, tinyData, tinyDataOf, tinyTexts, trainSteps, valuesOf } from './examples.ts';

type Keys = Readonly<Record<string, unknown>>;

beforeAll(async () => {
  await loadBackend('tensorflow');
});

/** Models for `tinyData` or `tinyTexts`. A new model needs an entry here. */
const tiny = {
  vit: { patchSize: 4, width: 8, depth: 2, heads: 2, mlpRatio: 2, dropPath: 0.2 },
  resnet: { blocks: [1, 2], channels: [2, 3], stem: 4, maskPatch: 4, dropPath: 0.2 },
  swin: { patchSize: 2, width: 4, blocks: [2], heads: [2], window: 2, maskPatch: 4, mlpRatio: 2, dropPath: 0.2 },
  bert: { width: 8, depth: 2, heads: 2, mlpRatio: 2, vocabulary: 20, positions: 12, dropout: 0.1 },
} as const satisfies Record<ModelName, Keys>;
/** Models with what the masked branch may do otherwise. */
const variants: Readonly<Record<string, Keys>> = {
  ...Object.fromEntries(Object.entries(tiny).map(([name, keys]) => [name, { name, ...keys }])),
  'bert, replace': { name: 'bert', ...tiny.bert, masking: 'replace' },
};

/** Where `tinyTexts` are said to be. */
const texts = { dataset: 'text', path: 'texts', tokenizer: 'vocab.txt' };

/** Where the model has nothing to drop. */
const impossible: Readonly<Record<string, readonly string[]>> = {
  dropsub: ['resnet'],
  pathsub: ['bert', 'bert, replace'],
};

describe.each(Object.keys(variants))('%s', (variant) => {
  for (const method of methodNames.filter((method) => !impossible[method]?.includes(variant))) {
    test(`trains with ${method}: finite numbers, the same bits twice, no tensor left`, async () => {
      const before = tf.memory().numTensors;
      const config = configOf(variants[variant] ?? {}, { method: { name: method }, train: { batchSize: 8 } });
      const run = async () => {
        const prepared = await setUp(config, tinyDataOf(config));
        await trainSteps(prepared, 0, 3);
        const { terms, total } = await prepared.executor.inspect(...(await prepared.stepInput(3)));
        const state = valuesOf(await prepared.executor.snapshot());
        const reports = await prepared.executor.reports();
        await prepared.executor.dispose();
        return { terms, total, state, reports, problem: prepared.problem };
      };
      const first = await run();
      expect(tf.memory().numTensors).toBe(before);
      const { problem: _, ...numbers } = first;
      const { problem: __, ...again } = await run();
      expect(again).toEqual(numbers);

      expect(first.reports).toHaveLength(4);
      expect(first.reports.every(({ finite, loss }) => finite && Number.isFinite(loss.total))).toBe(true);
      const names = first.problem.model.parameters.map(({ name }) => name).sort();
      expect([...first.total.keys()].sort()).toEqual(names);
      expect([...first.total.values()].every((values) => values.every(Number.isFinite))).toBe(true);
      const { branches } = (first.reports.at(-1) as StepReport).grad;
      expect(Object.keys(branches)).toEqual(first.problem.method.terms.map(({ branch }) => branch));
      for (const norm of Object.values(branches)) expect(norm).toBeGreaterThan(0);
    });
  }
});

describe('what a model cannot do is refused with the way out', () => {
  const vit = { name: 'vit', imageSize: 8, patchSize: 4, width: 8, depth: 2, heads: 2 };
  const cases: readonly [what: string, model: Keys, groups: Keys, ...said: RegExp[]][] = [
    [
      'dropsub on resnet',
      { name: 'resnet', ...tiny.resnet },
      { method: { name: 'dropsub' } },
      /DropSub needs dropout sites, and the model "resnet" has none/,
      /Use "masksub", or another model/,
    ],
    [
      'cosub without drop-path',
      vit,
      { method: { name: 'cosub' } },
      /Without drop-path/,
      /model\.dropPath to more than 0/,
    ],
    [
      'cosub with a drop-path that grows over a single block',
      { ...vit, form: 'mae', depth: 1, dropPath: 0.5 },
      { method: { name: 'cosub' } },
      /Without drop-path/,
    ],
    ...[
      { from: 0.5, to: 0.9, schedule: 'linear' },
      {
        steps: [
          [0, 0.5],
          [1, 0.9],
        ],
      },
      { min: 0.5, max: 0.9, per: 'batch' },
    ].map((maskRatio): [string, Keys, Keys, RegExp, RegExp] => [
      `a mask ratio of ${JSON.stringify(maskRatio)} for 4 patches`,
      { ...vit, imageSize: undefined },
      { method: { name: 'masksub', maskRatio } },
      /method\.maskRatio 0\.9 leaves none of the 4 patches/,
      /Lower it, or make model\.patchSize smaller/,
    ]),
    ...(['resnet', 'swin'] as const).map((name): [string, Keys, Keys, RegExp] => [
      `a mask of all patches of ${name}`,
      { name, ...tiny[name] },
      { method: { name: 'direct-mask', maskRatio: 0.9 } },
      /method\.maskRatio 0\.9 leaves none of the 4 patches.*Direct masking/,
    ]),
    [
      'patches that do not divide the images of the data',
      { ...vit, imageSize: undefined, patchSize: 3 },
      {},
      /model\.patchSize \(3\) must divide "imageSize" \(8\)/,
    ],
    ...(['resnet', 'swin'] as const).map((name): [string, Keys, Keys, RegExp] => [
      `mask patches of ${name} that do not divide the images of the data`,
      { name, ...tiny[name], maskPatch: 6 },
      {},
      /model\.maskPatch \(6\) must divide "imageSize" \(8\)/,
    ]),
    [
      'windows that do not divide the grid of swin',
      { name: 'swin', ...tiny.swin, window: 3 },
      {},
      /Stage 1 has 4 × 4 tokens, which do not fall into windows of 3 × 3/,
      /multiple of patch size · window/,
    ],
  ];
  for (const [what, model, groups, ...said] of cases) {
    test(what, () => {
      const config = configOf(model, groups);
      const error = refusalOf(() => buildProblem(config, tinyData));
      for (const text of said) expect(describeError(error)).toMatch(text);
    });
  }

  test('the way out of a mask of all patches names a key that the model has', () => {
    const config = configOf({ name: 'resnet', ...tiny.resnet, maskPatch: 8 });
    expect(refusalOf(() => buildProblem(config, tinyData)).hint).toMatch(/model\.maskPatch/);
  });

  test.each([
    ['that are not square', { height: 8, width: 16 }, /"noise" has images of 16×8 pixels.*squares of one size/],
    ['of different sizes', undefined, /"noise" has images of different sizes/],
  ])('images %s, where model.imageSize does not say how they are seen', (_, size, said) => {
    const data: ImageData = { ...tinyData, size };
    const refusal = refusalOf(() => buildProblem(configOf({ name: 'resnet', ...tiny.resnet }), data));
    expect(refusal.message).toMatch(said);
    expect(refusal.hint).toContain('model.imageSize');
    const { model } = buildProblem(configOf({ name: 'resnet', ...tiny.resnet, imageSize: 12 }), data);
    expect(model.masking).toMatchObject({ rows: 3, columns: 3 });
  });

  test('BERT is refused for images', () => {
    refusalOf(() => buildProblem(configOf({ name: 'bert', ...tiny.bert }), tinyData));
  });

  test.each(['vit', 'resnet', 'swin'] as const)('%s is refused for texts', (name) => {
    expect(refusalOf(() => buildProblem(configOf({ name, ...tiny[name] }), tinyTexts)).message).toMatch(/has texts/);
  });

  test('a tokenizer with more ids than the model', () => {
    const config = configOf({ name: 'bert', ...tiny.bert, vocabulary: 10 });
    const refusal = refusalOf(() => buildProblem(config, tinyTexts));
    expect(describeError(refusal)).toMatch(/has 20 token ids, the model has 10.*Set model\.vocabulary to 20/s);
  });

  test('texts with more places than the model has positions', () => {
    const config = configOf({ name: 'bert', ...tiny.bert, positions: 8 });
    expect(refusalOf(() => buildProblem(config, tinyTexts)).message).toMatch(/12 tokens, BERT has 8 positions/);
  });

  test('pathsub on bert, which has no drop-path', () => {
    const config = configOf({ name: 'bert', ...tiny.bert }, { method: { name: 'pathsub' } });
    expect(refusalOf(() => buildProblem(config, tinyTexts)).message).toMatch(/PathSub needs drop-path sites/);
  });

  test('cosub on bert without dropout', () => {
    const config = configOf({ name: 'bert', ...tiny.bert, dropout: 0 }, { method: { name: 'cosub' } });
    expect(describeError(refusalOf(() => buildProblem(config, tinyTexts)))).toMatch(
      /Set model\.dropout to more than 0/,
    );
  });
});

describe('keys of the model that are wrong are found before anything is read', () => {
  const vit = { name: 'vit', width: 64, heads: 2 };
  const resnet = { name: 'resnet', imageSize: 224 };
  const swin = { name: 'swin', imageSize: 224 };
  const cases: readonly [what: string, model: Keys, key: string, ...said: RegExp[]][] = [
    ['a window for vit', { ...vit, window: 7 }, 'window', /does not apply to the model "vit"/, /It has: .*patchSize/],
    ['heads for resnet', { ...resnet, heads: 2 }, 'heads', /does not apply to the model "resnet"/, /blocks, channels/],
    ['a depth for swin', { ...swin, depth: 2 }, 'depth', /does not apply to the model "swin"/, /blocks, heads, window/],
    ['a patch size for bert', { name: 'bert', patchSize: 2 }, 'patchSize', /does not apply to the model "bert"/],
    [
      'a size of another model for vit',
      { name: 'vit', size: '50', width: 64, heads: 2, patchSize: 4 },
      'size',
      /has no size "50"/,
      /"s\/16", "b\/16"/,
    ],
    [
      'an unknown size of bert',
      { name: 'bert', size: 'large', width: 64, heads: 2 },
      'size',
      /has no size "large"/,
      /"base", "small"/,
    ],
    [
      'an unknown size of resnet',
      { name: 'resnet', size: '18', blocks: [2, 2, 2, 2] },
      'size',
      /no size "18"/,
      /"50", "101", "152"/,
    ],
    [
      'an unknown size of swin',
      { name: 'swin', size: 'l', blocks: [2], heads: [2], width: 32 },
      'size',
      /has no size "l"/,
      /"t", "s", "b"/,
    ],
    ['heads that do not divide the width of vit', { ...vit, heads: 3 }, 'heads', /\(3\) must divide "width" \(64\)/],
    [
      'heads that do not divide the width of bert',
      { name: 'bert', width: 64, heads: 3 },
      'heads',
      /\(3\) must divide "width" \(64\)/,
    ],
    [
      'heads that do not divide the width of a stage',
      { ...swin, width: 64, heads: [2, 4, 6, 16] },
      'heads',
      /\(6\) must divide "width" \(256\)/,
    ],
    ['a list of heads for vit', { ...vit, heads: [2, 4] }, 'heads', /must be a number/],
    ['a list of heads for bert', { name: 'bert', heads: [2, 4] }, 'heads', /must be a number/],
    [
      'a single number of heads for swin',
      { ...swin, heads: 4 },
      'heads',
      /is a list with a number for each of the 4 stages/,
    ],
    ['heads for three of four stages', { ...swin, heads: [3, 6, 12] }, 'heads', /each of the 4 stages/],
    ['channels for three of four stages', { ...resnet, channels: [64, 128, 256] }, 'channels', /each of the 4 stages/],
    [
      'mask patches that do not divide the image of resnet',
      { ...resnet, maskPatch: 48 },
      'maskPatch',
      /\(48\) must divide "imageSize" \(224\)/,
    ],
    [
      'mask patches that do not divide the image of swin',
      { ...swin, maskPatch: 48 },
      'maskPatch',
      /\(48\) must divide "imageSize" \(224\)/,
    ],
    [
      'mask patches of half a patch',
      { ...swin, patchSize: 4, maskPatch: 14 },
      'maskPatch',
      /"patchSize" \(4\) must divide "maskPatch" \(14\)/,
    ],
    [
      'patches that do not divide the image',
      { ...vit, imageSize: 30, patchSize: 4 },
      'patchSize',
      /\(4\) must divide "imageSize" \(30\)/,
    ],
  ];
  for (const [what, model, key, ...said] of cases) {
    test(what, () => {
      const problems = problemsOf(model);
      expect(problems.map(({ path }) => path.join('.'))).toEqual([`model.${key}`]);
      for (const text of said) expect(problems[0]?.message).toMatch(text);
    });
  }

  test.each(['vit', 'resnet', 'swin', 'bert'])('an unknown size of %s is the one thing that is wrong', (name) => {
    expect(problemsOf({ name, size: 'huge' }).map(({ path }) => path.join('.'))).toEqual(['model.size']);
  });

  test.each([
    { name: 'vit', imageSize: 8, patchSize: 4, width: 8, heads: 2 },
    { name: 'resnet', imageSize: 64 },
    { name: 'swin', imageSize: 8, ...tiny.swin },
  ])('a mask ratio that leaves none of the patches of $name at some time', (model) => {
    for (const maskRatio of [0.9, { from: 0.5, to: 0.9, schedule: 'cosine' }, { min: 0.1, max: 0.9, per: 'sample' }]) {
      const problems = problemsOf(model, { method: { name: 'masksub', maskRatio } });
      expect(problems.map(({ path }) => path.join('.'))).toEqual(['method.maskRatio']);
      expect(problems[0]?.message).toMatch(/leaves none of the 4 patches/);
    }
    expect(problemsOf(model, { method: { name: 'baseline' } })).toEqual([]);
  });

  test('a range of mask ratios from the larger to the smaller', () => {
    const maskRatio = { min: 0.9, max: 0.25, per: 'batch' };
    const problems = problemsOf(vit, { method: { name: 'masksub', maskRatio } });
    expect(problems.map(({ path }) => path.slice(0, 2).join('.'))).toEqual(['method.maskRatio']);
  });
});

const written = (model: Keys, groups: Keys = {}) => ({
  data: model.name === 'bert' ? texts : { dataset: 'fashion-mnist-mini' },
  model,
  ...groups,
});

function configOf(model: Keys, groups: Keys = {}) {
  const result = resolveConfig(written(model, groups), recipes);
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.config;
}

function problemsOf(model: Keys, groups: Keys = {}) {
  const result = resolveConfig(written(model, groups), recipes);
  return 'problems' in result ? result.problems : [];
}

function refusalOf(build: () => unknown): UserError {
  try {
    build();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}
