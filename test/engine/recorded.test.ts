/** The recorded step computes what the eager step computes: for every method, optimizer and form of the model. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { Batches } from '../../src/engine/batches.ts';
import { optimizers } from '../../src/engine/optim/index.ts';
import { initialValues } from '../../src/engine/parameters.ts';
import type { HostBatch, HostImages, StepReport } from '../../src/engine/step/executor.ts';
import type { GraphRuntime } from '../../src/engine/step/graphRuntime.ts';
import { recordedExecutor } from '../../src/engine/step/recorded.ts';
import { stepScalars } from '../../src/engine/step/step.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import {
  demoConfig,
  demoData,
  type executors,
  expectClose,
  graphRuntime,
  hashOf,
  methodNames,
  setUp,
  tinyConfig,
  tinyData,
  tinyDataOf,
  trainSteps,
  valuesOf,
} from './examples.ts';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

const optimizerNames = Object.keys(optimizers) as Config['train']['optimizer'][];

type TinyChanges = NonNullable<Parameters<typeof tinyConfig>[0]>;

/** A tiny model whose branches differ from the first step on: with the defaults the masked branch's gradient is all rounding. */
function livelyConfig({ model, train, ...changes }: TinyChanges): Config {
  return tinyConfig({
    ...changes,
    model: { ...(model?.name === 'bert' ? {} : { init: 'fan-in', layerScale: 0.5 }), ...model },
    // A large ε: Adam otherwise makes full steps of gradients that are all rounding, as those of the keys' bias.
    train: { learningRate: 1e-2, epsilon: 1e-3, ...train },
  });
}

const options: Record<string, TinyChanges> = {
  plain: {},
  'with everything on': {
    model: { dropPath: 0.3 },
    train: { accumulate: 2, clipNorm: 0.1, ema: 0.9, layerDecay: 0.7, smoothing: 0.1 },
  },
  'binary cross-entropy': { train: { loss: 'bce', weightDecay: 0 } },
};

function expectSameReports(recorded: readonly StepReport[], eager: readonly StepReport[]): void {
  expect(recorded.length).toBe(eager.length);
  for (const [i, { loss, grad, correct, finite }] of recorded.entries()) {
    const other = eager[i] as StepReport;
    expect([correct, finite]).toEqual([other.correct, other.finite]);
    expect(loss.total).toBeCloseTo(other.loss.total, 4);
    expect(grad.total / other.grad.total).toBeCloseTo(1, 3);
    expect(Object.keys(loss.branches)).toEqual(Object.keys(other.loss.branches));
    for (const [branch, value] of Object.entries(other.loss.branches)) {
      expect(loss.branches[branch as 'main'], branch).toBeCloseTo(value, 4);
    }
    for (const [branch, value] of Object.entries(other.grad.branches)) {
      // Where a branch has hardly any gradient yet, it is mostly rounding.
      const tolerance = 1e-3 * value + 1e-5 * other.grad.total;
      expect(Math.abs((grad.branches[branch as 'main'] ?? 0) - value), branch).toBeLessThanOrEqual(tolerance);
    }
    if (other.grad.cosine === undefined) expect(grad.cosine).toBeUndefined();
    else expect(grad.cosine).toBeCloseTo(other.grad.cosine, 2); // of gradients that may be all but rounding
  }
}

const asMap = (values: Float32Array) => new Map([['logits', values]]);

/** Trains on both executors and compares whatever can be read. `inputs` are the steps. */
async function expectFollows(
  config: Config,
  inputsOf?: (eager: Awaited<ReturnType<typeof setUp>>) => Promise<HostBatch[][]>,
) {
  const [eager, recorded] = await Promise.all([
    setUp(config, tinyDataOf(config), 'eager'),
    setUp(config, tinyDataOf(config), 'recorded'),
  ]);
  const steps =
    (await inputsOf?.(eager)) ?? (await Promise.all([0, 1, 2].map(async (step) => (await eager.stepInput(step))[0])));
  for (const [i, batches] of steps.entries()) {
    const scalars = stepScalars(eager.problem, i + 1, config.train.learningRate, 0.5);
    if (i % 3 !== 1) {
      for (const { executor } of [eager, recorded]) await executor.step(batches, scalars);
      continue;
    }
    const [a, b] = [await recorded.executor.inspect(batches, scalars), await eager.executor.inspect(batches, scalars)];
    expectClose(a.total, b.total, 'total gradient', 1e-3);
    expect(Object.keys(a.terms)).toEqual(Object.keys(b.terms));
    for (const branch of ['main', 'sub'] as const) expectClose(a.terms[branch], b.terms[branch], branch, 1e-3);
    expect(a.logits.length).toBe(batches.length);
    for (const [j, logits] of b.logits.entries()) {
      for (const branch of Object.keys(logits) as ('main' | 'sub')[]) {
        const [own, other] = [a.logits[j]?.[branch], logits[branch]] as [Float32Array, Float32Array];
        expectClose(asMap(own), asMap(other), `logits of ${branch}`);
      }
    }
  }
  expectSameReports(await recorded.executor.reports(), await eager.executor.reports());
  const [a, b] = [await recorded.executor.snapshot(), await eager.executor.snapshot()];
  expectClose(a.parameters, b.parameters, 'parameters');
  expect([...a.slots.keys()]).toEqual([...b.slots.keys()]);
  for (const [slot, values] of b.slots) expectClose(a.slots.get(slot), values, slot, 1e-3);
  expectClose(a.ema, b.ema, 'moving average');
  const [[{ input, draws }]] = steps as [[HostBatch]];
  for (const weights of ['parameters', 'ema'] as const) {
    for (const drawn of [{}, draws.sub ?? draws.main ?? {}]) {
      const [own, other] = [
        await recorded.executor.evaluate(input, drawn, weights),
        await eager.executor.evaluate(input, drawn, weights),
      ];
      expectClose(asMap(own), asMap(other), `evaluation of the ${weights}`);
    }
  }
  for (const { executor } of [eager, recorded]) await executor.dispose();
}

describe('reports, gradients, state and evaluation are those of the eager step', () => {
  for (const method of methodNames) {
    for (const optimizer of optimizerNames) {
      for (const [what, changes] of Object.entries(options)) {
        test(`${method}, ${optimizer}, ${what}`, async () => {
          await expectFollows(
            livelyConfig({ ...changes, method: { name: method }, train: { ...changes.train, optimizer } }),
          );
        });
      }
    }
    for (const masking of ['remove', 'replace'] as const) {
      if (method === 'pathsub') continue; // BERT has no drop-path
      test(`${method}, BERT, masked tokens: ${masking}`, async () => {
        await expectFollows(livelyConfig({ method: { name: method }, model: { name: 'bert', masking } }));
      });
    }
    for (const form of ['deit3', 'mae'] as const) {
      for (const pool of ['token', 'mean'] as const) {
        for (const layerScale of [0, 0.5]) {
          test(`${method}, form ${form}, pool ${pool}, layer scale ${layerScale}`, async () => {
            await expectFollows(livelyConfig({ method: { name: method }, model: { form, pool, layerScale } }));
          });
        }
      }
    }
    test(`${method}: another mask ratio, a smaller last batch, more batches a step, and the first form again`, async () => {
      const config = livelyConfig({ method: { name: method }, train: { ema: 0.9 } });
      await expectFollows(config, async ({ problem }) => {
        const batch = (maskRatio: number, batchSize: number, index: number) => {
          const changed = {
            ...config,
            method: { ...config.method, maskRatio },
            train: { ...config.train, batchSize },
          };
          const batches = new Batches(changed, tinyData, problem.model, problem.method);
          return batches.batch(0, index, batches.order(0));
        };
        const forms = [
          [await batch(0.5, 8, 0)],
          [await batch(0.25, 8, 1)],
          [await batch(0.5, 5, 1)],
          [await batch(0.5, 8, 2), await batch(0.75, 3, 0)],
        ];
        return [...forms, ...forms];
      });
    });
  }
});

describe('a mask ratio of each sample', () => {
  const maskRatio = { min: 0.25, max: 0.75, per: 'sample' } as const;
  test.each(['deit3', 'mae', 'beit', 'clip'] as const)('ViT, form %s', async (form) => {
    await expectFollows(livelyConfig({ method: { name: 'masksub', maskRatio }, model: { form, patchSize: 2 } }));
  });
  test('BERT', async () => {
    await expectFollows(livelyConfig({ method: { name: 'masksub', maskRatio }, model: { name: 'bert' } }));
  });
});

describe('more forms of input than a session takes', () => {
  test('it is opened anew, and nothing of the state is lost', async () => {
    const config = livelyConfig({ train: { ema: 0.9 } });
    const [opened, closed] = [[] as number[], [] as number[]]; // how many graphs each session took
    const real = graphRuntime();
    const counting: GraphRuntime = {
      ...real,
      open() {
        const session = real.open();
        const index = opened.push(0) - 1;
        return {
          ...session,
          extend(graph) {
            opened[index] = (opened[index] ?? 0) + 1;
            session.extend(graph);
          },
          close() {
            closed.push(index);
            session.close();
          },
        };
      },
    };
    const plain = await setUp(config, tinyData, 'recorded');
    const initial = (await plain.executor.snapshot()).parameters;
    const busy = await recordedExecutor(plain.problem, initial, counting);
    const { input } = await plain.batches.batch(0, 0, plain.batches.order(0));
    const images = (input as HostImages).values;
    for (let step = 0; step < 3; step++) {
      const before = await busy.snapshot();
      for (let count = 1; count <= 20; count++) {
        const some = {
          kind: 'images',
          values: new Float32Array(count * 192).fill(images[count] as number),
          shape: [count, 8, 8, 3],
        } as const;
        for (const weights of ['parameters', 'ema'] as const) await busy.evaluate(some, {}, weights);
      }
      expect(await busy.snapshot()).toEqual(before);
      for (const executor of [plain.executor, busy]) await executor.step(...(await plain.stepInput(step)));
    }
    expect(await busy.snapshot()).toEqual(await plain.executor.snapshot());
    expect(await busy.reports()).toEqual(await plain.executor.reports());
    await busy.dispose();
    await plain.executor.dispose();
    expect(opened.length).toBeGreaterThan(2);
    expect(Math.max(...opened), 'graphs in one session').toBeLessThanOrEqual(25);
    expect(closed, 'each session is closed before the next is opened').toEqual(opened.map((_, i) => i));
  });
});

test.each([1, 2])('with %i threads: the same bits twice, from a snapshot on, too', async (threads) => {
  const { problem, stepInput } = await setUp(demoConfig(), demoData);
  const initial = initialValues(problem.model, 0);
  const make = () => recordedExecutor(problem, initial, graphRuntime(threads));
  const [first, second, late] = [await make(), await make(), await make()];
  for (let step = 0; step < 10; step++) {
    if (step === 5) await late.restore(await first.snapshot());
    for (const executor of step < 5 ? [first, second] : [first, second, late])
      await executor.step(...(await stepInput(step)));
  }
  const end = hashOf(valuesOf(await first.snapshot()));
  for (const executor of [second, late]) expect(hashOf(valuesOf(await executor.snapshot()))).toBe(end);
  for (const executor of [first, second, late]) await executor.dispose();
});

describe('bfloat16', () => {
  /** 50 steps of the demo model. */
  async function run(name: (typeof methodNames)[number], precision: 'float32' | 'bfloat16') {
    const { problem, stepInput } = await setUp(demoConfig({ method: { name }, train: { batchSize: 16 } }), demoData);
    const initial = initialValues(problem.model, 0);
    const executor = await recordedExecutor(problem, initial, graphRuntime(), precision);
    for (let step = 0; step < 50; step++) {
      const scalars = stepScalars(problem, step + 1, 2e-3 * Math.min(1, (step + 1) / 32), 0.5);
      await executor.step((await stepInput(step))[0], scalars);
    }
    const result = { reports: await executor.reports(), snapshot: await executor.snapshot() };
    await executor.dispose();
    return result;
  }

  test.each(methodNames)('%s: losses within 0.2 %% and gradient norms within 1 %% of float32', async (name) => {
    const [full, half] = [await run(name, 'float32'), await run(name, 'bfloat16')];
    const differences = half.reports.map(({ loss, grad, finite }, i) => {
      const other = full.reports[i] as StepReport;
      expect(finite).toBe(true);
      expect(Math.abs(loss.total / other.loss.total - 1), `loss of step ${i + 1}`).toBeLessThan(2e-3);
      return Math.abs(grad.total / other.grad.total - 1);
    });
    expect(Math.max(...differences)).toBeLessThan(0.01);
    expect(Math.max(...differences), 'products are really rounded').toBeGreaterThan(5e-4);
  });

  test('weights and optimizer state keep all their bits', async () => {
    const { snapshot } = await run('masksub', 'bfloat16');
    for (const values of [snapshot.parameters, ...snapshot.slots.values()]) {
      const bits = [...values.values()].flatMap((own) => [...new Uint32Array(own.slice().buffer)]);
      const beyond = bits.filter((word) => (word & 0xffff) !== 0).length;
      expect(beyond / bits.length).toBeGreaterThan(0.95);
    }
  });
});

describe('200 steps of the demo model', () => {
  // Small batches, since what is compared is the number of steps.
  const configOf = (name: (typeof methodNames)[number]) =>
    demoConfig({ method: { name }, train: { batchSize: 8, epochs: 20, warmupEpochs: 2 } });

  async function losses(name: (typeof methodNames)[number], executor: keyof typeof executors) {
    const config = configOf(name);
    const run = await setUp(config, demoData, executor);
    for (let step = 0; step < 200; step++) {
      // The recipe's warm-up: without it a difference in the last bit grows from the first steps on.
      const learningRate = config.train.learningRate * Math.min(1, (step + 1) / 32);
      await run.executor.step((await run.stepInput(step))[0], stepScalars(run.problem, step + 1, learningRate, 0.5));
    }
    const reports = await run.executor.reports();
    const hash = hashOf(valuesOf(await run.executor.snapshot()));
    await run.executor.dispose();
    return { losses: reports.map(({ loss }) => loss.total), hash };
  }

  test.each(methodNames)('%s: the loss stays within 1e-4 of the eager one, and twice the same bits', async (name) => {
    const eager = await losses(name, 'eager');
    const first = await losses(name, 'recorded');
    const differences = first.losses.map((loss, i) => Math.abs(loss / (eager.losses[i] as number) - 1));
    expect(Math.max(...differences)).toBeLessThanOrEqual(1e-4);
    expect(first.losses.at(-1)).not.toBe(first.losses[0]);
    const second = await losses(name, 'recorded');
    expect(second).toEqual(first);
  });
});

test('recording leaves no tensor behind, and what tfjs computes afterwards is real again', async () => {
  const before = tf.memory().numTensors;
  const run = await setUp(livelyConfig({ train: { ema: 0.9, accumulate: 2 } }), tinyData, 'recorded');
  await trainSteps(run, 0, 2);
  await run.executor.inspect(...(await run.stepInput(2)));
  expect(tf.memory().numTensors).toBe(before);
  expect([...tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 1)).dataSync()]).toEqual([2, 3]);
  await run.executor.dispose();
});
