/** A step that cannot be recorded runs op by op instead: the same numbers as eager from the start, and the run says why. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { EngineEvent } from '../../src/core/events.ts';
import type { Model } from '../../src/engine/models/model.ts';
import { initialValues } from '../../src/engine/parameters.ts';
import { eagerExecutor } from '../../src/engine/step/eager.ts';
import type { HostBatch, HostImages } from '../../src/engine/step/executor.ts';
import { withFallback } from '../../src/engine/step/fallback.ts';
import type { GraphRuntime } from '../../src/engine/step/graphRuntime.ts';
import { recordedExecutor } from '../../src/engine/step/recorded.ts';
import type { Problem } from '../../src/engine/step/step.ts';
import type { Surroundings } from '../../src/engine/train.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { eventsOf, expectClose, graphRuntime, setUp, tinyConfig, tinyData } from './examples.ts';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

/** Changes what a model does with its logits. */
type Twist = (logits: tf.Tensor2D) => tf.Tensor2D;

const twisted = (problem: Problem, twist: Twist): Problem => {
  const forward: Model['forward'] = (...inputs) => twist(problem.model.forward(...inputs));
  return { ...problem, model: { ...problem.model, forward } };
};

const executorsWith = (twist: Twist, runtime = graphRuntime()) =>
  ({
    eager: async (problem, initial) => ({
      executor: eagerExecutor(twisted(problem, twist), initial),
      name: 'eager',
      reason: 'A test asks for it.',
    }),
    recorded: async (problem, initial) => {
      const changed = twisted(problem, twist);
      const recorded = await recordedExecutor(changed, initial, runtime);
      return { executor: withFallback(changed, recorded, 'float32'), name: 'recorded', reason: 'A test asks for it.' };
    },
  }) as const satisfies Record<string, Surroundings['executorFor']>;

/** A runtime some of whose graphs TensorFlow refuses. */
function refusing(change: Partial<ReturnType<GraphRuntime['open']>>): GraphRuntime {
  const real = graphRuntime();
  let graphs = 0;
  return {
    ...real,
    open() {
      const session = real.open();
      return {
        ...session,
        extend(graph) {
          // The first graph holds the variables.
          if (change.extend && graphs++ > 0) change.extend(graph);
          session.extend(graph);
        },
      };
    },
  };
}

/** Everything but what a fallback adds or a clock changes. */
const figures = (events: readonly EngineEvent[]) =>
  events.filter(({ type }) => type !== 'warning').map(({ type, ...event }) => [type, event] as const);

const warnings = (events: readonly EngineEvent[]) =>
  events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));

let outside: tf.Tensor;
beforeAll(() => {
  outside = tf.add(tf.scalar(0.5), 0); // computed, so it exists in the backend only
});

const scale = (logits: tf.Tensor2D, factor: number) => tf.mul<tf.Tensor2D>(logits, factor);

describe('from the first step on', () => {
  const twists: Record<string, { twist: Twist; says: RegExp; runtime?: () => GraphRuntime }> = {
    'a model that reads the value of a tensor': {
      twist: (logits) => scale(logits, tf.sum(logits).dataSync()[0] === 0 ? 1 : 0.9),
      says: /reads the value of a tensor/,
    },
    'a model with a tensor that was made before': {
      twist: (logits) => tf.mul<tf.Tensor2D>(logits, outside),
      says: /uses a tensor that was made before/,
    },
    'an op whose shape depends on values': {
      twist: (logits) => scale(logits, tf.unique(tf.reshape(logits, [-1])).values.size > 1 ? 0.9 : 1),
      says: /shape of what UniqueV2 gives is not known/,
    },
    'a graph that TensorFlow refuses': {
      twist: (logits) => logits,
      says: /TensorFlow refuses it: Op type not registered/,
      runtime: () =>
        refusing({
          extend: () => {
            throw new Error('Op type not registered');
          },
        }),
    },
  };
  for (const [what, { twist, says, runtime }] of Object.entries(twists)) {
    test(`${what}: the run is the eager one, with a warning`, async () => {
      const config = tinyConfig({ model: { dropPath: 0.2 }, train: { ema: 0.9 }, run: { logEvery: 1 } });
      const { eager, recorded } = executorsWith(twist, runtime?.());
      const own = await eventsOf(config, tinyData, { executorFor: recorded });
      const plain = await eventsOf(config, tinyData, { executorFor: eager });
      expect(own.summary?.state).toBe('finished');
      const [message, ...more] = warnings(own.events);
      expect(message).toMatch(/^The step cannot be recorded and runs op by op from here on\. /);
      expect(message).toMatch(says);
      expect(more).toEqual([]);
      expect(own.summary?.final).toEqual(plain.summary?.final);
      const numbers = ({ events }: typeof own) =>
        figures(events).filter(([type]) => type === 'step' || type === 'epoch' || type === 'layers');
      expect(numbers(own).map(withoutTimes)).toEqual(numbers(plain).map(withoutTimes));
    });
  }
});

test('a constant that the model made before is recorded, and is still there for whoever uses it afterwards', async () => {
  const own = tf.tensor1d([1, 2, -1, 0.5, 3]);
  const config = tinyConfig({ model: { init: 'fan-in', layerScale: 0.5 } });
  const { problem, stepInput } = await setUp(config, tinyData);
  const initial = initialValues(problem.model, 0);
  const { eager, recorded } = executorsWith((logits) => tf.mul<tf.Tensor2D>(logits, own));
  // Recorded first: the eager step would upload it.
  const both = [(await recorded(problem, initial)).executor, (await eager(problem, initial)).executor] as const;
  const { input } = (await stepInput(0))[0][0] as HostBatch;
  const logits: ReadonlyMap<string, Float32Array>[] = [];
  for (const executor of both) {
    await executor.step(...(await stepInput(0)));
    await executor.inspect(...(await stepInput(1)));
    logits.push(new Map([['logits', await executor.evaluate(input, {}, 'parameters')]]));
  }
  const [a, b] = logits;
  expectClose(a, b, 'evaluation', 1e-3);
  expect(both[0].notices()).toEqual([]);
  expect([...own.dataSync()]).toEqual([1, 2, -1, 0.5, 3]);
  own.dispose();
  for (const executor of both) await executor.dispose();
});

/** The clock of the tests ticks once a call, and the executors are asked in different numbers of calls. */
function withoutTimes([type, event]: readonly [string, object]): unknown {
  const { imagesPerSecond: _, dataWait: __, ...rest } = event as Record<string, unknown>;
  return [type, rest];
}

test('half-way: the state is taken over, and no report is lost', async () => {
  const config = tinyConfig({ train: { ema: 0.9, epsilon: 1e-3 }, model: { init: 'fan-in', layerScale: 0.5 } });
  // Only what has another batch size cannot be recorded.
  const twist: Twist = (logits) =>
    logits.shape[0] === 8 ? logits : scale(logits, tf.max(logits).dataSync()[0] ? 1 : 1);
  const { problem, stepInput } = await setUp(config, tinyData);
  const initial = initialValues(problem.model, 0);
  const { eager, recorded } = executorsWith(twist);
  const both = [(await recorded(problem, initial)).executor, (await eager(problem, initial)).executor] as const;
  const [small] = await (await setUp(tinyConfig({ train: { batchSize: 4 } }), tinyData)).stepInput(3);
  for (const executor of both) {
    for (let step = 0; step < 3; step++) await executor.step(...(await stepInput(step)));
    expect(executor.notices()).toEqual([]);
    await executor.step(small, (await stepInput(3))[1]);
    for (let step = 4; step < 6; step++) await executor.step(...(await stepInput(step)));
  }
  expect(both[0].notices()).toEqual([expect.stringContaining('reads the value of a tensor')]);
  expect(both[0].notices(), 'once').toEqual([]);
  const [own, plain] = [await both[0].reports(), await both[1].reports()];
  expect(own).toHaveLength(6);
  for (const [i, { loss }] of own.entries()) expect(loss.total).toBeCloseTo(plain[i]?.loss.total ?? Number.NaN, 4);
  const [a, b] = [await both[0].snapshot(), await both[1].snapshot()];
  expectClose(a.ema, b.ema, 'moving average', 1e-3);
  for (const [slot, values] of b.slots) expectClose(a.slots.get(slot), values, slot, 1e-2);
  for (const executor of both) await executor.dispose();
});

test('a recording that fails leaves the state as it was, to the bit', async () => {
  const config = tinyConfig({ train: { ema: 0.9 } });
  const { problem, stepInput, batches } = await setUp(config, tinyData);
  const images = (await batches.batch(0, 0, batches.order(0))).input as HostImages;
  const initial = initialValues(problem.model, 0);
  const twist: Twist = (logits) =>
    logits.shape[0] === 8 ? logits : scale(logits, tf.max(logits).dataSync()[0] ? 1 : 1);
  const recorded = await recordedExecutor(twisted(problem, twist), initial, graphRuntime());
  await recorded.step(...(await stepInput(0)));
  const before = await recorded.snapshot();
  const one = { kind: 'images', values: images.values.slice(0, 192), shape: [1, 8, 8, 3] } as const;
  for (let times = 0; times < 2; times++) {
    await expect(recorded.evaluate(one, {}, 'parameters')).rejects.toThrow('reads the value of a tensor');
  }
  expect(await recorded.snapshot()).toEqual(before);
  await recorded.step(...(await stepInput(1)));
  expect(await recorded.reports()).toHaveLength(2);
  await recorded.dispose();
});

test('in bfloat16 nothing is done behind the back: the run is refused with a way out', async () => {
  const { problem, stepInput } = await setUp(tinyConfig(), tinyData);
  const initial = initialValues(problem.model, 0);
  const changed = twisted(problem, (logits) => scale(logits, tf.max(logits).dataSync()[0] ? 1 : 1));
  const recorded = await recordedExecutor(changed, initial, graphRuntime(), 'bfloat16');
  const error = await withFallback(changed, recorded, 'bfloat16')
    .step(...(await stepInput(0)))
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toMatch(/cannot be recorded in bfloat16\. .*reads the value/);
  expect((error as UserError).hint).toContain('run.precision');
  await recorded.dispose();
});

test('a bug in the model is a bug on either executor, and no warning', async () => {
  const { problem, stepInput } = await setUp(tinyConfig(), tinyData);
  const initial = initialValues(problem.model, 0);
  const broken: Twist = () => {
    throw new TypeError('A bug of the model.');
  };
  for (const executorFor of Object.values(executorsWith(broken))) {
    const { executor } = await executorFor(problem, initial);
    await expect(executor.step(...(await stepInput(0)))).rejects.toThrow(TypeError);
    await executor.dispose();
  }
});
