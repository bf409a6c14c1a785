/** A SavedModel computes what the model computes, from plain pixels, at any batch size, with TensorFlow's own ops. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ModelConfigOf } from '../../src/core/modelConfig.ts';
import { models } from '../../src/engine/models/index.ts';
import { imagesOf, type Model } from '../../src/engine/models/model.ts';
import { initialValues } from '../../src/engine/parameters.ts';
import type { Snapshot } from '../../src/engine/step/executor.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { savedModelOf, type TrainedModel } from '../../src/runner/savedModel.ts';
import { graphRuntime, imageModelNames, type PixelData, setUp, tinyConfig, tinyData } from '../engine/examples.ts';
import { readSavedModel } from '../support/savedModel.ts';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

const forms = {
  'DeiT-III, class token': {},
  'DeiT-III, mean': { pool: 'mean' },
  MAE: { form: 'mae' },
  'with drop-path and layer scale': { dropPath: 0.3, layerScale: 0.5 },
} as const;
const cases = [
  ...imageModelNames.map((name) => ({ title: name, model: { name } })),
  ...Object.entries(forms).map(([form, model]) => ({ title: `vit, ${form}`, model })),
];

/** What an evaluation reads. */
const stateOf = ({ parameters, buffers }: Snapshot) => new Map([...parameters, ...buffers]);

describe.each(cases)('$title', ({ model }) => {
  // Lively weights: with the defaults all logits are almost zero.
  const isVit = !('name' in model) || model.name === 'vit';
  const config = tinyConfig({ model: { ...(isVit ? { init: 'fan-in' } : {}), ...model } });

  test('computes the same at every batch size', async () => {
    const { problem, batches, executor } = await setUp(config, tinyData);
    const weights = stateOf(await executor.snapshot());
    const saved = readSavedModel(savedModelOf(trained(problem.model, weights), graphRuntime()));
    expect(saved).toMatchObject({
      tag: 'serve',
      inputs: { images: 'images:0' },
      outputs: { logits: 'logits:0', probabilities: 'probabilities:0' },
    });
    expect([...saved.ops].filter((op) => /MaskSub|VarHandle|ReadVariable/.test(op))).toEqual([]);
    for (const [from, to] of [
      [0, 1],
      [1, 4],
      [4, 32],
    ] as const) {
      const expected = await executor.evaluate(await batches.validation(from, to), {}, 'parameters');
      const { logits, probabilities } = await serve(saved.graph, pixels(tinyData, from, to));
      expectNear(logits, expected);
      expectNear(probabilities, softmax(expected, tinyData.classes));
    }
    await executor.dispose();
  });

  test('computes the same at a fixed batch size', async () => {
    const { problem, batches, executor } = await setUp(config, tinyData);
    const weights = stateOf(await executor.snapshot());
    const { graph } = readSavedModel(savedModelOf(trained(problem.model, weights), graphRuntime(), 3));
    const expected = await executor.evaluate(await batches.validation(0, 3), {}, 'parameters');
    expectNear((await serve(graph, pixels(tinyData, 0, 3))).logits, expected);
    await executor.dispose();
  });
});

describe('a model that knows its batch size', () => {
  const base = models.vit(tinyConfig().model as ModelConfigOf<'vit'>, { imageSize: 8, channels: 3, classes: 5 });
  const withForward = (forward: Model['forward']): Model => ({ ...base, forward });
  const weights = initialValues(base, 0);
  const padded =
    (rows: (batch: number) => number): Model['forward'] =>
    (...given) => {
      const logits = base.forward(...given);
      return tf.slice(
        tf.pad(logits, [
          [0, rows(imagesOf(given[1]).shape[0])],
          [0, 0],
        ]),
        [0, 0],
        [...logits.shape],
      );
    };

  test.each([
    [
      'in a value',
      withForward((...given) => tf.div(base.forward(...given), imagesOf(given[1]).shape[0])),
      'in more than its shapes',
    ],
    [
      'in the number of its ops',
      withForward((...given) => {
        const logits = base.forward(...given);
        return imagesOf(given[1]).shape[0] % 4 === 3 ? tf.neg(logits) : logits; // for two of the three that are recorded
      }),
      'How many ops',
    ],
    ['in a shape that grows in steps', withForward(padded((batch) => batch % 1000)), 'in proportion'],
    ['in a shape that stops growing', withForward(padded((batch) => Math.min(batch, 10_000))), 'in proportion'],
  ])('%s is refused, and written for a fixed one', (_, model, reason) => {
    const write = (batch?: number) => savedModelOf(trained(model, weights), graphRuntime(), batch);
    expect(() => write()).toThrow(reason);
    expect(() => write()).toThrow(
      expect.objectContaining({ name: 'UserError', hint: expect.stringContaining('--batch') }),
    );
    expect(readSavedModel(write(2)).outputs).toHaveProperty('logits');
  });
});

test('a model above 2 GiB is refused, with the limit', () => {
  const { model } = trained(
    models.vit(tinyConfig().model as ModelConfigOf<'vit'>, { imageSize: 8, channels: 3, classes: 5 }),
    new Map(),
  );
  // As large as it says, and nothing behind it.
  const huge = Object.create(Float32Array.prototype, { byteLength: { value: 3 * 2 ** 30 } }) as Float32Array;
  const weights = new Map([['head.weight', huge]]);
  expect(() => savedModelOf(trained(model, weights), graphRuntime())).toThrow(/takes 3\.0 GiB.*holds 2/);
});

function trained(model: Model, weights: ReadonlyMap<string, Float32Array>): TrainedModel {
  const { channels, classes, mean, std } = tinyData;
  return { model, weights, height: 8, width: 8, channels, classes, mean, std };
}

/** Validation images from 0 to 1. */
function pixels({ validation, channels }: PixelData, from: number, to: number) {
  const size = 8 * 8 * channels;
  const values = Float32Array.from(validation.pixels.subarray(from * size, to * size), (pixel) => pixel / 255);
  return { values, shape: [to - from, 8, 8, channels] };
}

/** Runs the graph in a session of its own. */
async function serve(graph: Uint8Array, images: { values: Float32Array; shape: readonly number[] }) {
  const session = graphRuntime().open();
  try {
    session.extend(graph);
    const feeds = [{ node: 'images', dtype: 'float32', ...images }] as const;
    const [logits, probabilities] = await session.run(feeds, ['logits', 'probabilities'], []);
    return { logits: logits as Float32Array, probabilities: probabilities as Float32Array };
  } finally {
    session.close();
  }
}

function expectNear(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  const errors = found.map((value, i) => Math.abs(value - (expected[i] as number)));
  expect(Math.max(...errors)).toBeLessThanOrEqual(1e-5);
}

function softmax(logits: Float32Array, classes: number): Float32Array {
  return logits.map((logit, i) => {
    const row = logits.subarray(i - (i % classes), i - (i % classes) + classes);
    return Math.exp(logit) / row.reduce((sum, other) => sum + Math.exp(other), 0);
  });
}
