/** One step does what it says: gradients, the stop-gradient, accumulation, clipping, the moving average, the figures it reports. */
import { beforeAll, describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/core/random.ts';
import { layerStatistics } from '../../src/engine/layerStatistics.ts';
import type { HostBatch, Snapshot, StepReport } from '../../src/engine/step/executor.ts';
import { stepScalars } from '../../src/engine/step/step.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { dot, executorNames, norm, plus, setUp, tinyConfig, tinyData } from './examples.ts';

type Values = ReadonlyMap<string, Float32Array>;

beforeAll(async () => {
  await loadBackend('tensorflow');
});

/** SGD without momentum and decay at learning rate 1: a step subtracts exactly the gradient. */
const plainDescent = {
  optimizer: 'sgd',
  momentum: 0,
  weightDecay: 0,
  learningRate: 1,
} as const;

/** Weights large enough that the branches disagree: at the usual start their outputs are all but uniform. */
function randomized(parameters: Values): Map<string, Float32Array> {
  const stream = new RandomStream(5, 'test.weights');
  return new Map([...parameters].map(([name, values]) => [name, values.map((value) => value + 0.4 * stream.normal())]));
}

describe.each(executorNames)('%s', (executorName) => {
  describe('gradients agree with differences of the loss', () => {
    const direction = (() => {
      const stream = new RandomStream(6, 'test.direction');
      return (parameters: Values) => new Map([...parameters].map(([name, v]) => [name, v.map(() => stream.normal())]));
    })();

    async function prepared() {
      const {
        executor: run,
        stepInput,
        problem,
      } = await setUp(tinyConfig({ train: plainDescent }), tinyData, executorName);
      const start = await run.snapshot();
      const at: Snapshot = { ...start, parameters: randomized(start.parameters) };
      await run.restore(at);
      const [[batch]] = (await stepInput(0)) as [[HostBatch], unknown];
      const inspection = await run.inspect([batch], stepScalars(problem, 1, 1, 0.5));
      const along = direction(at.parameters);
      const moved = (factor: number) => plus(at.parameters, factor, along);
      const logits = async (branch: 'main' | 'sub', parameters: Values) => {
        await run.restore({ ...at, parameters });
        return await run.evaluate(batch.input, batch.draws[branch] ?? {}, 'parameters');
      };
      return { run, at, batch, inspection, along, moved, logits };
    }
    const epsilon = 2e-3;
    const slope = async (f: (factor: number) => Promise<number>) =>
      ((await f(epsilon)) - (await f(-epsilon))) / (2 * epsilon);

    test('of the main branch', async () => {
      const { run, batch, inspection, along, moved, logits } = await prepared();
      const expected = await slope(async (factor) => crossEntropy(await logits('main', moved(factor)), batch.target));
      expect(relative(dot(inspection.terms.main ?? new Map(), along), expected)).toBeLessThan(0.01);
      await run.dispose();
    });

    test('of the masked branch, which learns from the main branch and does not move it', async () => {
      const { run, at, inspection, along, moved, logits } = await prepared();
      const teacher = async (parameters: Values) => softmax(await logits('main', parameters));
      const fixed = await teacher(at.parameters);
      const stopped = await slope(async (factor) => crossEntropy(await logits('sub', moved(factor)), fixed));
      const through = await slope(async (factor) => {
        const target = await teacher(moved(factor));
        return crossEntropy(await logits('sub', moved(factor)), target);
      });
      const got = dot(inspection.terms.sub ?? new Map(), along);
      expect(relative(got, stopped)).toBeLessThan(0.01);
      // The test would show nothing if the gradient through the teacher were small.
      expect(relative(through, stopped)).toBeGreaterThan(0.1);
      await run.dispose();
    });
  });

  test('half the batch accumulated twice is the whole batch', async () => {
    const changes = [{ batchSize: 16 }, { batchSize: 8, accumulate: 2 }];
    const [a, b] = (await Promise.all(
      changes.map(async (change) => {
        const { executor: run, stepInput } = await setUp(
          tinyConfig({ train: { ...plainDescent, ...change } }),
          tinyData,
          executorName,
        );
        // Where the branches agree, as they do at first, the masked branch's gradient is all rounding.
        const start = await run.snapshot();
        await run.restore({ ...start, parameters: randomized(start.parameters) });
        const gradients = (await run.inspect(...(await stepInput(1)))).total;
        const [report] = await run.reports();
        await run.dispose();
        return { gradients, report };
      }),
    )) as [{ gradients: Values; report: StepReport }, { gradients: Values; report: StepReport }];
    expect(norm(plus(a.gradients, -1, b.gradients)) / norm(a.gradients)).toBeLessThan(1e-5);
    expect(b.report.loss.total).toBeCloseTo(a.report.loss.total, 5);
    expect(b.report.loss.branches.sub).toBeCloseTo(a.report.loss.branches.sub ?? Number.NaN, 5);
    expect(b.report.grad.cosine).toBeCloseTo(a.report.grad.cosine ?? Number.NaN, 4);
    expect(b.report.correct).toBe(a.report.correct);
  });

  test('the weight of the sub-branch follows its schedule, in loss and gradient', async () => {
    const subWeight = { from: 0, to: 0.8, schedule: 'linear' } as const;
    const config = tinyConfig({ method: { name: 'masksub', subWeight }, train: { ...plainDescent, epochs: 4 } });
    const { executor: run, stepInput, batches } = await setUp(config, tinyData, executorName);
    const start = await run.snapshot();
    for (const step of [0, batches.perEpoch, 2 * batches.perEpoch]) {
      await run.restore({ ...start, parameters: randomized(start.parameters) });
      const { terms, total } = await run.inspect(...(await stepInput(step)));
      const [{ loss, grad }] = (await run.reports()) as [StepReport];
      const weight = 0.2 * (step / batches.perEpoch);
      const { main = Number.NaN, sub = Number.NaN } = loss.branches;
      expect(loss.total).toBeCloseTo((1 - weight) * main + weight * sub, 10);
      const expected = new Map([...(terms.main ?? [])].map(([name, of]) => [name, of.map((x) => (1 - weight) * x)]));
      expect(norm(plus(total, -1, plus(expected, weight, terms.sub ?? new Map()))) / norm(total)).toBeLessThan(1e-6);
      expect(relative(grad.total, norm(total))).toBeLessThan(1e-5);
      expect(grad.branches.sub, 'measured at any weight').toBeGreaterThan(0.01);
    }
    await run.dispose();
  });

  describe('clipping', () => {
    const descent = async (clipNorm: number | undefined) => {
      const config = tinyConfig({ train: { ...plainDescent, ...(clipNorm && { clipNorm }) } });
      const { executor: run, stepInput } = await setUp(config, tinyData, executorName);
      const before = (await run.snapshot()).parameters;
      await run.step(...(await stepInput(0)));
      const moved = plus(before, -1, (await run.snapshot()).parameters);
      const [report] = (await run.reports()) as [StepReport];
      await run.dispose();
      return { moved, report };
    };
    const free = () => descent(undefined);

    test('shortens a longer gradient to the norm, and keeps its direction', async () => {
      const { moved, report } = await descent(0.05);
      const { moved: unclipped, report: freeReport } = await free();
      expect(norm(unclipped)).toBeGreaterThan(0.1);
      expect(norm(moved)).toBeCloseTo(0.05, 5);
      expect(dot(moved, unclipped) / norm(moved) / norm(unclipped)).toBeCloseTo(1, 5);
      expect(report.grad.total, 'the norm before clipping is reported').toBe(freeReport.grad.total);
    });
    test('leaves a shorter gradient as it is', async () => {
      const { moved, report } = await descent(1000);
      expect(norm(moved)).toBeCloseTo(report.grad.total, 4);
      expect(norm(plus(moved, -1, (await free()).moved)) / norm(moved)).toBeLessThan(1e-5);
    });
  });

  test('the moving average starts at the initial weights and follows d·e + (1 − d)·p', async () => {
    const { executor: run, stepInput } = await setUp(tinyConfig({ train: { ema: 0.7 } }), tinyData, executorName);
    let expected: Values = (await run.snapshot()).parameters;
    expect((await run.snapshot()).ema).toEqual(expected);
    for (let step = 0; step < 3; step++) {
      await run.step(...(await stepInput(step)));
      const { parameters, ema = new Map() } = await run.snapshot();
      expected = new Map(
        [...expected].map(([name, values]) => [
          name,
          values.map((value, i) => 0.7 * value + 0.3 * (parameters.get(name)?.[i] ?? Number.NaN)),
        ]),
      );
      expect(norm(plus(ema, -1, expected)) / norm(expected)).toBeLessThan(1e-6);
      expect(norm(plus(ema, -1, parameters)) / norm(expected)).toBeGreaterThan(1e-4);
    }
    const [[batch]] = (await stepInput(0)) as [[HostBatch], unknown];
    expect(await run.evaluate(batch.input, {}, 'ema')).not.toEqual(await run.evaluate(batch.input, {}, 'parameters'));
    await run.dispose();
  });

  describe('what a step reports', () => {
    for (const method of ['masksub', 'baseline'] as const) {
      test(`of ${method}: the layers' statistics combine to the global ones`, async () => {
        const {
          executor: run,
          stepInput,
          problem,
        } = await setUp(tinyConfig({ method: { name: method } }), tinyData, executorName);
        const inspection = await run.inspect(...(await stepInput(0)));
        const [report] = (await run.reports()) as [StepReport];
        await run.dispose();
        const layers = layerStatistics(inspection, problem.method, problem.model);
        expect(Object.keys(layers.main)).toEqual(['embed', 'blocks.0', 'blocks.1', 'head']);
        const combined = (norms: Readonly<Record<string, number>>) => Math.hypot(...Object.values(norms));
        expect(relative(combined(layers.main), report.grad.branches.main ?? Number.NaN)).toBeLessThan(1e-5);
        if (method === 'baseline') {
          expect(Object.keys(layers)).toEqual(['main']);
          expect(report.grad.cosine).toBeUndefined();
          expect(report.grad.total).toBe(report.grad.branches.main);
          return;
        }
        const { main, sub = {}, cosine = {} } = layers;
        expect(relative(combined(sub), report.grad.branches.sub ?? Number.NaN)).toBeLessThan(1e-5);
        const of = (values: Readonly<Record<string, number>>, layer: string) => values[layer] ?? Number.NaN;
        const products = Object.keys(main).map((layer) => of(cosine, layer) * of(main, layer) * of(sub, layer));
        const total = products.reduce((sum, product) => sum + product) / (combined(main) * combined(sub));
        expect(total).toBeCloseTo(report.grad.cosine ?? Number.NaN, 5);
      });
    }

    test('is of the losses without their weights, and in all of what the optimizer gets', async () => {
      const { executor: run, stepInput } = await setUp(tinyConfig(), tinyData, executorName);
      const { terms, total } = await run.inspect(...(await stepInput(0)));
      const [{ loss, grad }] = (await run.reports()) as [StepReport];
      await run.dispose();
      const { main = new Map(), sub = new Map() } = terms;
      expect(loss.total).toBeCloseTo(0.5 * (loss.branches.main ?? 0) + 0.5 * (loss.branches.sub ?? 0), 12);
      expect(relative(grad.branches.main ?? 0, norm(main))).toBeLessThan(1e-5);
      expect(relative(grad.branches.sub ?? 0, norm(sub))).toBeLessThan(1e-5);
      expect(relative(grad.total, norm(total))).toBeLessThan(1e-5);
      const halves = plus(main, 1, sub);
      expect(norm(plus(total, -0.5, halves))).toBeLessThan(1e-6);
      expect(grad.cosine).toBeCloseTo(dot(main, sub) / norm(main) / norm(sub), 5);
    });

    test('comes once for each step, oldest first', async () => {
      const { executor: together, stepInput } = await setUp(tinyConfig(), tinyData, executorName);
      const { executor: apart } = await setUp(tinyConfig(), tinyData, executorName);
      const oneByOne: StepReport[] = [];
      for (const step of [0, 1, 2]) {
        await apart.step(...(await stepInput(step)));
        oneByOne.push(...(await apart.reports()));
      }
      for (const step of [0, 1, 2]) await together.step(...(await stepInput(step)));
      expect(await together.reports()).toEqual(oneByOne);
      expect(await together.reports()).toEqual([]);
      for (const run of [together, apart]) await run.dispose();
    });
  });

  describe('weight decay', () => {
    test('shrinks weights by learning rate · decay and leaves biases, norms, positions alone', async () => {
      const train = { ...plainDescent, optimizer: 'adamw', learningRate: 0.01, weightDecay: 0.5 } as const;
      const [decayed, free] = (await Promise.all(
        [0.5, 0].map(async (weightDecay) => {
          const { executor: run, stepInput } = await setUp(
            tinyConfig({ train: { ...train, weightDecay } }),
            tinyData,
            executorName,
          );
          const before = (await run.snapshot()).parameters;
          await run.step(...(await stepInput(0)));
          const after = (await run.snapshot()).parameters;
          await run.dispose();
          return { before, after };
        }),
      )) as [Record<'before' | 'after', Values>, Record<'before' | 'after', Values>];
      for (const [name, values] of decayed.before) {
        const isDecayed = name.endsWith('.weight') && !/norm/.test(name);
        const difference = decayed.after
          .get(name)
          ?.map((value, i) => value - (free.after.get(name)?.[i] ?? Number.NaN));
        const expected = values.map((value) => (isDecayed ? -0.005 * value : 0));
        const error = Math.max(...expected.map((value, i) => Math.abs(value - (difference?.[i] ?? Number.NaN))));
        expect(error, name).toBeLessThan(1e-6);
      }
    });
  });
});

const relative = (got: number, expected: number) => Math.abs(got - expected) / Math.abs(expected);

const classes = tinyData.classes;

function softmax(logits: Float32Array): Float64Array {
  const exponentials = Float64Array.from(logits, Math.exp);
  const sums = Array.from({ length: logits.length / classes }, (_, row) =>
    exponentials.subarray(row * classes, (row + 1) * classes).reduce((sum, value) => sum + value),
  );
  return exponentials.map((value, i) => value / (sums[Math.floor(i / classes)] as number));
}

/** Mean over the batch of −Σ t·log softmax(logits), in double precision. */
function crossEntropy(logits: Float32Array, target: ArrayLike<number>): number {
  const logs = softmax(logits).map(Math.log);
  return (-classes / logits.length) * logs.reduce((sum, log, i) => sum + log * (target[i] as number), 0);
}
