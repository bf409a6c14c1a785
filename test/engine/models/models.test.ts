/** What every model owes the engine, whatever it is: shapes, gradients of all parameters, symmetries, no tensor left behind. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../../src/core/configSchema.ts';
import { type ModelName, resolveModel } from '../../../src/core/modelConfig.ts';
import { RandomStream } from '../../../src/core/random.ts';
import { models } from '../../../src/engine/models/index.ts';
import type { ImageShape, Model } from '../../../src/engine/models/model.ts';
import { groupBuffers, groupParameters, initialValues, sizeOf } from '../../../src/engine/parameters.ts';
import { buildProblem } from '../../../src/engine/problem.ts';
import { eagerExecutor } from '../../../src/engine/step/eager.ts';
import type { HostBatch, HostDraws, HostModelInput } from '../../../src/engine/step/executor.ts';
import type { Problem } from '../../../src/engine/step/step.ts';
import { loadBackend } from '../../../src/runner/backend.ts';
import { norm, plus, tinyConfig, tinyData } from '../examples.ts';

type Keys = Omit<ConfigInput['model'], 'name'>;

const vit: Keys = { imageSize: 12, patchSize: 4, width: 8, depth: 2, heads: 2, mlpRatio: 2 };
const bert: Keys = { width: 8, depth: 2, heads: 2, mlpRatio: 2, vocabulary: 20, positions: 12 };

/** A few thousand parameters each. A new model needs an entry here. */
const tiny: Readonly<Record<ModelName, Readonly<Record<string, Keys>>>> = {
  vit: {
    'deit3, class token': { ...vit, form: 'deit3', layerScale: 0.5 },
    'deit3, mean': { ...vit, form: 'deit3', pool: 'mean' },
    mae: { ...vit, form: 'mae' },
    beit: { ...vit, form: 'beit' },
    clip: { ...vit, form: 'clip' },
  },
  resnet: { resnet: { imageSize: 16, blocks: [1, 2], channels: [2, 4], stem: 4, maskPatch: 8 } },
  swin: {
    swin: {
      imageSize: 16,
      patchSize: 2,
      width: 4,
      blocks: [2, 1],
      heads: [1, 2],
      window: 4,
      maskPatch: 4,
      mlpRatio: 2,
    },
  },
  bert: {
    'bert, tokens removed': { ...bert, masking: 'remove' },
    'bert, tokens replaced': { ...bert, masking: 'replace' },
  },
};

const halves = { 'weight.main': 0.5, 'weight.sub': 0.5 };
const BATCH = 4;
const CLASSES = 5;
const LENGTH = 10;
/** The id that stands for a replaced token. */
const MASK = 3;

const variants = Object.entries(tiny).flatMap(([name, ofModel]) =>
  Object.entries(ofModel).map(([title, keys]) => [title, name as ModelName, keys] as const),
);

beforeAll(async () => {
  await loadBackend('tensorflow');
});

test.each(variants)('%s: what is tiny is', (_, name, keys) => {
  const parameters = modelOf(name, keys).parameters.reduce((sum, spec) => sum + sizeOf(spec), 0);
  expect(parameters).toBeGreaterThan(500);
  expect(parameters).toBeLessThan(8000);
});

describe.each(variants)('%s', (_, name, keys) => {
  test('gives logits of its classes, a finite loss, and with MaskSub a gradient of every parameter', async () => {
    const { model, executor, batch } = prepared(name, keys);
    const { total, logits } = await executor.inspect([batch], halves);
    const [report] = await executor.reports();
    await executor.dispose();
    for (const branch of ['main', 'sub'] as const) {
      expect(logits[0]?.[branch]).toHaveLength(BATCH * CLASSES);
      expect(logits[0]?.[branch]?.every(Number.isFinite)).toBe(true);
      expect(report?.loss.branches[branch]).toBeGreaterThan(0);
    }
    expect(report?.finite).toBe(true);
    expect([...total.keys()].sort()).toEqual(model.parameters.map((spec) => spec.name).sort());
    for (const spec of model.parameters) {
      const values = total.get(spec.name) ?? new Float32Array();
      expect(values, spec.name).toHaveLength(sizeOf(spec));
      expect(values.every(Number.isFinite), spec.name).toBe(true);
      const share = norm(new Map([[spec.name, values]])) / norm(total);
      // What is added to all keys alike changes no attention weight.
      if (/\.key\.bias$/.test(spec.name)) expect(share, spec.name).toBeLessThan(1e-5);
      else expect(share, spec.name).toBeGreaterThan(1e-5);
    }
  });

  test('leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const { executor, batch } = prepared(name, keys);
    const held = tf.memory().numTensors;
    for (let step = 0; step < 2; step++) {
      await executor.inspect([batch], halves);
      await executor.evaluate(batch.input, batch.draws.sub ?? {}, 'parameters');
      await executor.reports();
    }
    expect(tf.memory().numTensors).toBe(held);
    await executor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('evaluates without draws, twice to the same bits, and otherwise with a mask', async () => {
    const { executor, batch } = prepared(name, keys);
    const whole = await executor.evaluate(batch.input, {}, 'parameters');
    expect(whole).toHaveLength(BATCH * CLASSES);
    expect(whole.every(Number.isFinite)).toBe(true);
    expect(await executor.evaluate(batch.input, {}, 'parameters')).toEqual(whole);
    const masked = await executor.evaluate(batch.input, batch.draws.sub ?? {}, 'parameters');
    expect(distance(masked, whole)).toBeGreaterThan(1e-2);
    await executor.dispose();
  });

  test('a batch in another order gives its outputs in that order', async () => {
    const { executor, batch } = prepared(name, keys);
    const order = [2, 0, 3, 1];
    const other = permuted(batch, order);
    for (const branch of ['main', 'sub'] as const) {
      const [straight, turned] = [
        await executor.evaluate(batch.input, batch.draws[branch] ?? {}, 'parameters'),
        await executor.evaluate(other.input, other.draws[branch] ?? {}, 'parameters'),
      ];
      expect(distance(turned, rows(straight, order)), branch).toBeLessThan(1e-5);
      expect(distance(turned, straight), 'the order matters').toBeGreaterThan(1e-2);
    }
    await executor.dispose();
  });

  test('evaluates each sample as if it were alone', async () => {
    const { executor, batch } = prepared(name, keys);
    const together = await executor.evaluate(batch.input, {}, 'parameters');
    const alone = await executor.evaluate(permuted(batch, [2], BATCH).input, {}, 'parameters');
    expect(distance(alone, rows(together, [2], BATCH))).toBeLessThan(1e-5);
    await executor.dispose();
  });

  test('a batch in another order gives the same gradient', async () => {
    const [straight, turned] = await Promise.all(
      [
        [0, 1, 2, 3],
        [2, 0, 3, 1],
      ].map(async (order) => {
        const { executor, batch } = prepared(name, keys);
        const { total } = await executor.inspect([permuted(batch, order)], halves);
        await executor.dispose();
        return total;
      }),
    );
    if (!straight || !turned) throw new Error('There are two orders.');
    expect(norm(plus(turned, -1, straight)) / norm(straight)).toBeLessThan(1e-5);
  });
});

const removing = variants.filter(([, name, keys]) => modelOf(name, keys).masking.kind === 'remove');

test.each(removing)('%s: the order of the kept tokens does not matter', async (_, name, keys) => {
  const { model, executor, batch } = prepared(name, keys);
  const { keep } = batch.draws.sub ?? {};
  if (!keep) throw new Error('Nothing was removed.');
  const fixed = model.masking.fixed ?? 0;
  const reversed = { kept: keep.kept, indices: keep.indices.slice() };
  for (let b = 0; b < BATCH; b++) reversed.indices.subarray(b * keep.kept + fixed, (b + 1) * keep.kept).reverse();
  expect(reversed.indices).not.toEqual(keep.indices);
  const logits = await executor.evaluate(batch.input, { keep }, 'parameters');
  expect(distance(await executor.evaluate(batch.input, { keep: reversed }, 'parameters'), logits)).toBeLessThan(1e-5);
  await executor.dispose();
});

test.each(removing)(
  '%s: samples that keep fewer tokens than others give what they give alone',
  async (_, name, keys) => {
    const { executor, batch } = prepared(name, keys);
    const { keep } = batch.draws.sub ?? {};
    if (!keep) throw new Error('Nothing was removed.');
    const { indices, kept } = keep;
    const counts = [kept, kept - 1, 2, 1];
    const present = Float32Array.from(indices, (_, at) =>
      at % kept < (counts[Math.floor(at / kept)] as number) ? 1 : 0,
    );
    const together = await executor.evaluate(batch.input, { keep: { indices, kept, present } }, 'parameters');
    for (const [i, count] of counts.entries()) {
      const own = { indices: indices.subarray(i * kept, i * kept + count), kept: count };
      const alone = await executor.evaluate(permuted(batch, [i], BATCH).input, { keep: own }, 'parameters');
      expect(distance(rows(together, [i], BATCH), alone), `sample ${i}`).toBeLessThan(1e-5);
    }
    const unfilled = await executor.evaluate(batch.input, { keep }, 'parameters');
    expect(distance(together, unfilled), 'the others would count').toBeGreaterThan(1e-2);
    await executor.dispose();
  },
);

function modelOf(name: ModelName, keys: Keys): Model {
  const config = resolveModel({ name, ...keys });
  const build = models[name] as (config: object, input: ImageShape & { length: number }) => Model;
  return build(config, { imageSize: keys.imageSize ?? 0, channels: 3, classes: CLASSES, length: LENGTH });
}

/** The model at weights that do something in every layer, a step of MaskSub without an update, and a batch for it. */
function prepared(name: ModelName, keys: Keys) {
  const model = modelOf(name, keys);
  const config = tinyConfig({ train: { optimizer: 'sgd', momentum: 0, weightDecay: 0 } });
  const base = buildProblem(config, tinyData);
  const problem: Problem = {
    ...base,
    // Nothing moves: one step after another sees the same weights.
    optimizer: { ...base.optimizer, scalars: () => ({}), update: ({ parameter, slots }) => ({ parameter, slots }) },
    model,
    groups: groupParameters(model.parameters, { depth: model.depth, layerDecay: 1, separate: false }),
    bufferGroups: groupBuffers(model.buffers),
  };
  return { model, executor: eagerExecutor(problem, livelyValues(model)), batch: batchOf(name, keys, model) };
}

/** Branches that start at zero, and heads that start near it, would hide everything behind them. */
function livelyValues(model: Model): Map<string, Float32Array> {
  const stream = new RandomStream(5, 'test.weights');
  const variances = new Set(model.buffers.filter(({ name }) => name.endsWith('running_var')).map(({ name }) => name));
  return new Map(
    [...initialValues(model, 0)].map(([name, values]) => {
      const draw = () => (variances.has(name) ? stream.uniform() : 0.3 * stream.normal());
      return [name, values.map((value) => value + draw())];
    }),
  );
}

function batchOf(name: ModelName, { imageSize = 0 }: Keys, model: Model): HostBatch {
  const stream = new RandomStream(6, 'test.batch');
  const input: HostModelInput =
    name === 'bert'
      ? {
          kind: 'text',
          shape: [BATCH, LENGTH],
          ids: Int32Array.from({ length: BATCH * LENGTH }, () => 4 + stream.below(16)),
          types: Int32Array.from({ length: BATCH * LENGTH }, (_, i) => (i % LENGTH < 5 ? 0 : 1)),
          // The texts have 10, 8, 6 and 4 tokens.
          present: Float32Array.from({ length: BATCH * LENGTH }, (_, i) =>
            i % LENGTH < LENGTH - 2 * Math.floor(i / LENGTH) ? 1 : 0,
          ),
        }
      : {
          kind: 'images',
          shape: [BATCH, imageSize, imageSize, 3],
          values: Float32Array.from({ length: BATCH * imageSize * imageSize * 3 }, () => stream.normal()),
        };
  const target = new Float32Array(BATCH * CLASSES);
  for (let b = 0; b < BATCH; b++) target[b * CLASSES + stream.below(CLASSES)] = 1;
  return { input, target, draws: { main: {}, sub: maskOf(model, input, stream) } };
}

/** Half of the units of each sample. */
function maskOf({ masking }: Model, input: HostModelInput, stream: RandomStream): HostDraws {
  const { rows, columns, fixed = 0 } = masking;
  const units = rows * columns;
  const orders = Array.from({ length: BATCH }, () =>
    [...stream.permutation(units - fixed)].map((unit) => unit + fixed),
  );
  const hiddenOf = (order: number[]) => order.slice(Math.floor(order.length / 2));
  switch (masking.kind) {
    case 'remove': {
      const kept = orders.map((order) => [...Array(fixed).keys(), ...order.slice(0, Math.floor(order.length / 2))]);
      return { keep: { indices: Int32Array.from(kept.flat()), kept: kept[0]?.length ?? 0 } };
    }
    case 'hide':
      return {
        hidden: Float32Array.from(
          orders.flatMap((order) => {
            const hidden = new Set(hiddenOf(order));
            return Array.from({ length: units }, (_, unit) => (hidden.has(unit) ? 1 : 0));
          }),
        ),
      };
    case 'replace': {
      if (input.kind !== 'text') throw new Error('Only tokens of a text are replaced.');
      const ids = input.ids.slice();
      orders.forEach((order, b) => {
        for (const unit of hiddenOf(order)) ids[b * units + unit] = MASK;
      });
      return { ids };
    }
  }
}

/** The samples `order` of a batch of `batch`. */
function permuted({ input, target, draws }: HostBatch, order: readonly number[], batch = order.length): HostBatch {
  const turned: HostModelInput =
    input.kind === 'images'
      ? {
          ...input,
          values: rows(input.values, order, batch),
          shape: [order.length, input.shape[1], input.shape[2], input.shape[3]],
        }
      : {
          ...input,
          shape: [order.length, input.shape[1]],
          ids: rows(input.ids, order, batch),
          types: rows(input.types, order, batch),
          present: rows(input.present, order, batch),
        };
  const turnedDraws = ({ keep, hidden, ids }: HostDraws): HostDraws => ({
    ...(keep ? { keep: { ...keep, indices: rows(keep.indices, order, batch) } } : {}),
    ...(hidden ? { hidden: rows(hidden, order, batch) } : {}),
    ...(ids ? { ids: rows(ids, order, batch) } : {}),
  });
  return {
    input: turned,
    target: rows(target, order, batch),
    draws: { main: turnedDraws(draws.main ?? {}), sub: turnedDraws(draws.sub ?? {}) },
  };
}

function rows<T extends Float32Array | Int32Array>(values: T, order: readonly number[], batch = order.length): T {
  const size = values.length / batch;
  const picked = order.flatMap((row) => [...values.subarray(row * size, (row + 1) * size)]);
  return (values instanceof Float32Array ? Float32Array.from(picked) : Int32Array.from(picked)) as T;
}

/** Relative to the norm of `b`. */
function distance(a: Float32Array, b: Float32Array): number {
  const [got, expected] = [new Map([['', a]]), new Map([['', b]])];
  return norm(plus(got, -1, expected)) / norm(expected);
}
