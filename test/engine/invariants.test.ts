/** What must hold of the methods whatever the weights and the batch: their losses and gradients, computed again on the host from logits. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/configSchema.ts';
import { resolveModel } from '../../src/core/modelConfig.ts';
import { RandomStream } from '../../src/core/random.ts';
import { scheduledValue } from '../../src/core/schedules.ts';
import type { HostBatch, Inspection, StepReport } from '../../src/engine/step/executor.ts';
import { stepScalars } from '../../src/engine/step/step.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { dot, norm, plus, setUp, tinyConfig, tinyData } from './examples.ts';

type Values = ReadonlyMap<string, Float32Array>;
type Changes = NonNullable<Parameters<typeof tinyConfig>[0]>;
type Loss = 'ce' | 'bce';

const losses = ['ce', 'bce'] as const;
const classes = tinyData.classes;
/** A gradient that leaves the weights where they are. */
const still = { optimizer: 'sgd', momentum: 0, weightDecay: 0 } as const;

beforeAll(async () => {
  await loadBackend('tensorflow');
});

const seeds = fc.integer({ min: 0, max: 1000 });
const runs = (numRuns: number) => ({ numRuns, seed: 1 });

/** Models that fit `tinyData`, besides the usual one. */
const vit = { imageSize: 8, patchSize: 4, width: 8, depth: 2, heads: 2, mlpRatio: 2 };
const families = {
  deit3: { name: 'vit', ...vit },
  mae: { name: 'vit', ...vit, form: 'mae' },
  beit: { name: 'vit', ...vit, form: 'beit' },
  clip: { name: 'vit', ...vit, form: 'clip' },
  resnet: { name: 'resnet', imageSize: 8, blocks: [1, 1], channels: [2, 3], stem: 4, maskPatch: 4 },
  swin: { name: 'swin', imageSize: 8, patchSize: 2, width: 4, blocks: [2], heads: [2], window: 2, maskPatch: 4 },
} as const satisfies Record<string, ConfigInput['model']>;

describe('at mask ratio 0, without other randomness', () => {
  const family = fc.constantFrom(...(Object.keys(families) as (keyof typeof families)[]));
  test('the sub-branch learns nothing, and all in all half of the baseline', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, family, fc.constantFrom(...losses), async (seed, family, loss) => {
        const train = { ...still, seed, loss };
        const of = (method: NonNullable<Changes['method']>) => stepOf({ method, train }, families[family]);
        const { report, inspection, logits } = await of({ name: 'masksub', maskRatio: 0 });
        const { main = new Map(), sub = new Map() } = inspection.terms;
        expect(norm(sub) / norm(main), 'gradient of the sub-branch').toBeLessThan(2e-5);
        const entropy = criterion[loss](logits.main, activation[loss](logits.main));
        expect(relative(report.loss.branches.sub, entropy), 'loss of the sub-branch').toBeLessThan(1e-5);
        const baseline = (await of({ name: 'baseline' })).inspection.total;
        const half = scaled(baseline, 0.5);
        expect(norm(plus(inspection.total, -1, half)) / norm(half), 'gradient of the total').toBeLessThan(2e-5);
      }),
      runs(18),
    );
  });
});

describe('the total', () => {
  test('is ½ main + ½ sub to the last bit', async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.constantFrom(0, 0.25, 0.5, 0.75),
        fc.constantFrom(...losses),
        fc.constantFrom(1, 2),
        async (seed, maskRatio, loss, accumulate) => {
          const { report } = await stepOf({
            method: { name: 'masksub', maskRatio },
            train: { ...still, seed, loss, accumulate },
          });
          const { main = Number.NaN, sub = Number.NaN } = report.loss.branches;
          expect(report.loss.total).toBe(0.5 * main + 0.5 * sub);
        },
      ),
      runs(10),
    );
  });

  test('weighs the branches by 1 − subWeight and subWeight, in loss and gradient', async () => {
    const usual = await stepOf({ method: { name: 'masksub' } });
    for (const subWeight of [0, 0.2, 0.9]) {
      const { report, inspection } = await stepOf({ method: { name: 'masksub', subWeight } });
      const { main = Number.NaN, sub = Number.NaN } = report.loss.branches;
      expect(report.loss.branches, 'the losses themselves stay').toEqual(usual.report.loss.branches);
      expect(report.loss.total).toBe((1 - subWeight) * main + subWeight * sub);
      expect(inspection.terms, 'and their gradients').toEqual(usual.inspection.terms);
      expect(report.grad.branches).toEqual(usual.report.grad.branches);
      const [ofMain, ofSub] = [inspection.terms.main ?? new Map(), inspection.terms.sub ?? new Map()];
      expectSame(inspection.total, plus(scaled(ofMain, 1 - subWeight), subWeight, ofSub));
      expect(relative(report.grad.total, norm(inspection.total))).toBeLessThan(1e-5);
    }
  });
});

describe.each(losses)('the target of the sub-branch, %s', (loss) => {
  const target = fc.oneof(
    fc.constantFrom('soft' as const, 'hard' as const),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  test('is soft, hard or a mix of both, of logits divided by the temperature', async () => {
    await fc.assert(
      fc.asyncProperty(target, fc.constantFrom(0.5, 1, 3), seeds, async (target, temperature, seed) => {
        const method = { name: 'masksub', target, temperature } as const;
        const { report, logits } = await stepOf({ method, train: { ...still, loss, seed } });
        const soft = activation[loss](logits.main.map((logit) => logit / temperature));
        const hard = decision[loss](logits.main);
        const share = target === 'soft' ? 0 : target === 'hard' ? 1 : target;
        const mixed = soft.map((value, i) => (1 - share) * value + share * (hard[i] as number));
        expect(relative(report.loss.branches.sub, criterion[loss](logits.sub, mixed))).toBeLessThan(1e-5);
      }),
      runs(16),
    );
  });

  for (const [what, target, temperature] of [
    ['soft', 'soft', 1],
    ['soft, at a temperature', 'soft', 2],
    ['mixed', 0.4, 1],
  ] as const)
    test(`${what}: without a stop-gradient it is moved, too`, async () => {
      const method = { name: 'masksub', target, temperature, stopGradient: false } as const;
      const train = { ...still, loss };
      const moving = await stepOf({ method, train });
      const stopped = await stepOf({ method: { ...method, stopGradient: true }, train });
      expect(relative(moving.report.loss.branches.sub, stopped.report.loss.branches.sub)).toBeLessThan(1e-6);
      expectSame(moving.inspection.terms.main, stopped.inspection.terms.main);
      const share = target === 'soft' ? 0 : target;
      const slope = await moving.slope(async (logitsOf) => {
        const main = await logitsOf('main');
        const soft = activation[loss](main.map((logit) => logit / temperature));
        const hard = decision[loss](main);
        const mixed = soft.map((value, i) => (1 - share) * value + share * (hard[i] as number));
        return criterion[loss](await logitsOf('sub'), mixed);
      });
      expect(relative(dot(moving.inspection.terms.sub ?? new Map(), moving.direction), slope)).toBeLessThan(1e-2);
      // The test would show nothing if the gradient through the target were small.
      expect(relative(dot(stopped.inspection.terms.sub ?? new Map(), moving.direction), slope)).toBeGreaterThan(0.05);
    });

  test('hard: without a stop-gradient nothing changes, as a decision has no gradient', async () => {
    const of = (stopGradient: boolean) =>
      stepOf({ method: { name: 'masksub', target: 'hard', stopGradient }, train: { ...still, loss } });
    expectSame((await of(false)).inspection.total, (await of(true)).inspection.total);
  });
});

describe.each(losses)('direct masking, %s,', (loss) => {
  const train = { ...still, loss };
  test('alone has no main branch: the label is all that the masked view learns', async () => {
    const { report, inspection, logits, batch } = await stepOf({
      method: { name: 'direct-mask', cleanView: false },
      train,
    });
    expect(Object.keys(batch.draws)).toEqual(['sub']);
    expect(Object.keys(report.loss.branches)).toEqual(['sub']);
    expect(Object.keys(inspection.terms)).toEqual(['sub']);
    expect(report.grad.cosine).toBeUndefined();
    expect(report.loss.total).toBe(report.loss.branches.sub);
    expect(relative(report.loss.total, criterion[loss](logits.sub, [...batch.target]))).toBeLessThan(1e-5);
  });

  test('beside the clean view is the mean of both with the label', async () => {
    const { report, logits, batch } = await stepOf({ method: { name: 'direct-mask' }, train });
    const expected = [logits.main, logits.sub].map((logits) => criterion[loss](logits, [...batch.target])) as Pair;
    expect(relative(report.loss.total, 0.5 * (expected[0] + expected[1]))).toBeLessThan(1e-5);
    const baseline = await stepOf({ method: { name: 'baseline' }, train });
    expectSame(
      baseline.inspection.total,
      (await stepOf({ method: { name: 'direct-mask' }, train })).inspection.terms.main,
    );
  });
});

test.each(losses)('CoSub, %s: the mean of four terms, of two branches with draws of their own', async (loss) => {
  const { report, logits, batch } = await stepOf({
    method: { name: 'cosub' },
    model: { dropPath: 0.4 },
    train: { ...still, loss },
  });
  const { main, sub } = logits;
  expect(batch.draws.main?.drop).not.toEqual(batch.draws.sub?.drop);
  expect([batch.draws.main?.keep, batch.draws.sub?.keep]).toEqual([undefined, undefined]);
  const target = [...batch.target];
  const terms = [
    criterion[loss](main, target),
    criterion[loss](sub, target),
    criterion[loss](main, activation[loss](sub)),
    criterion[loss](sub, activation[loss](main)),
  ] as const;
  expect(new Set(terms.map((term) => term.toFixed(4))).size, 'four different numbers').toBe(4);
  expect(relative(report.loss.total, (terms[0] + terms[1] + terms[2] + terms[3]) / 4)).toBeLessThan(1e-5);
  expect(relative(report.loss.branches.main, (terms[0] + terms[2]) / 2)).toBeLessThan(1e-5);
  expect(relative(report.loss.branches.sub, (terms[1] + terms[3]) / 2)).toBeLessThan(1e-5);
});

describe('dropout and drop-path of the sub-branch alone', () => {
  test('DropSub that drops next to nothing is MaskSub that masks nothing', async () => {
    const dropped = await stepOf({ method: { name: 'dropsub', dropRate: 1e-7 } });
    const masked = await stepOf({ method: { name: 'masksub', maskRatio: 0 } });
    for (const branch of ['main', 'sub'] as const) {
      expect(relative(dropped.report.loss.branches[branch], masked.report.loss.branches[branch])).toBeLessThan(1e-5);
    }
  });

  test('DropSub drops elements of the sub-branch at its rate, and none of the main branch', async () => {
    const { batch, report, logits } = await stepOf({ method: { name: 'dropsub', dropRate: 0.3 } });
    expect(batch.draws.main).toEqual({});
    const { drop = {}, keep } = batch.draws.sub ?? {};
    expect(keep).toBeUndefined();
    expect(Object.keys(drop)).toEqual(
      [0, 1].flatMap((i) => ['attn.proj_drop', 'mlp.drop1', 'mlp.drop2'].map((site) => `blocks.${i}.${site}`)),
    );
    const factors = Object.values(drop).flatMap((values) => [...values]);
    expect(new Set(factors)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
    expect(Math.abs(shareOfZeros(factors) - 0.3)).toBeLessThan(0.04);
    expect(relative(report.loss.branches.sub, criterion.ce(logits.sub, activation.ce(logits.main)))).toBeLessThan(1e-5);
  });

  test.each(['deit3', 'mae'] as const)('PathSub’s rate replaces the model’s in the sub-branch, %s', async (form) => {
    const drawsAt = async (dropRate: number) => {
      const config = tinyConfig({
        method: { name: 'pathsub', dropRate },
        model: { form, dropPath: 0.2 },
        train: { batchSize: 64 },
      });
      const { executor, stepInput } = await setUp(config, tinyData);
      await executor.dispose();
      const [[batch]] = (await stepInput(0)) as [[HostBatch], unknown];
      return batch.draws;
    };
    const { main, sub } = await drawsAt(0.5);
    const sites = [0, 1].flatMap((i) => [`blocks.${i}.drop_path1`, `blocks.${i}.drop_path2`]);
    // Over depth the model's rate grows in the MAE form; the method's is the same everywhere.
    expect(Object.keys(main?.drop ?? {})).toEqual(form === 'mae' ? sites.slice(2) : sites);
    expect(Object.keys(sub?.drop ?? {})).toEqual(sites);
    const factorsOf = (draws: typeof main) => Object.values(draws?.drop ?? {}).flatMap((values) => [...values]);
    expect(new Set(factorsOf(main))).toEqual(new Set([0, Math.fround(1 / 0.8)]));
    expect(new Set(factorsOf(sub))).toEqual(new Set([0, 2]));
    expect(Math.abs(shareOfZeros(factorsOf(sub)) - 0.5)).toBeLessThan(0.12);
    expect((await drawsAt(0)).sub?.drop, 'a rate of 0 drops nothing').toBeUndefined();
    expect((await drawsAt(0)).main).toEqual(main);
  });
});

type Pair = [number, number];
type Logits = Readonly<Record<'main' | 'sub', number[]>>;

/** One step at weights at which the branches disagree, its batch, its logits, and slopes of functions of the logits. */
async function stepOf(changes: Changes, model?: ConfigInput['model']) {
  const usual = tinyConfig({ ...changes, train: { ...still, ...changes.train } });
  const config = model ? { ...usual, model: resolveModel(model) } : usual;
  const { executor, stepInput, problem } = await setUp(config, tinyData);
  const start = await executor.snapshot();
  const at = { ...start, parameters: randomized(start.parameters) };
  await executor.restore(at);
  const [batches] = await stepInput(0);
  const [batch] = batches as [HostBatch];
  const inspection: Inspection = await executor.inspect(
    batches,
    stepScalars(problem, 1, 1, scheduledValue(config.method.subWeight, 0, 1)),
  );
  const [report] = (await executor.reports()) as [StepReport];
  const [{ main = [], sub = [] }] = inspection.logits as [Record<string, Float32Array>];
  const logits: Logits = { main: [...main], sub: [...sub] };
  await executor.dispose();
  const direction = directionOf(at.parameters);
  const slope = async (f: (logitsOf: (branch: 'main' | 'sub') => Promise<number[]>) => Promise<number>) => {
    const { executor: again } = await setUp(config, tinyData);
    const value = async (factor: number) => {
      await again.restore({ ...at, parameters: plus(at.parameters, factor, direction) });
      return f(async (branch) => [...(await again.evaluate(batch.input, batch.draws[branch] ?? {}, 'parameters'))]);
    };
    const epsilon = 2e-3;
    const slope = ((await value(epsilon)) - (await value(-epsilon))) / (2 * epsilon);
    await again.dispose();
    return slope;
  };
  return { report, inspection, logits, batch, direction, slope };
}

function randomized(parameters: Values): Map<string, Float32Array> {
  const stream = new RandomStream(5, 'test.weights');
  return new Map([...parameters].map(([name, values]) => [name, values.map((value) => value + 0.4 * stream.normal())]));
}

function directionOf(parameters: Values): Map<string, Float32Array> {
  const stream = new RandomStream(6, 'test.direction');
  return new Map([...parameters].map(([name, values]) => [name, values.map(() => stream.normal())]));
}

const scaled = (values: Values | undefined, factor: number) =>
  new Map([...(values ?? [])].map(([name, of]) => [name, of.map((value) => factor * value)]));

function expectSame(got: Values | undefined, expected: Values | undefined): void {
  if (!got || !expected || expected.size === 0) throw new Error('There is no gradient.');
  expect(norm(plus(new Map(got), -1, new Map(expected))) / norm(expected)).toBeLessThan(1e-5);
}

const relative = (got: number | undefined, expected: number | undefined) =>
  Math.abs((got ?? Number.NaN) - (expected ?? Number.NaN)) / Math.abs(expected ?? Number.NaN);
const shareOfZeros = (values: readonly number[]) => values.filter((value) => value === 0).length / values.length;

const rowsOf = (values: readonly number[]) =>
  Array.from({ length: values.length / classes }, (_, row) => values.slice(row * classes, (row + 1) * classes));
const softmax = (row: readonly number[]) => {
  const exponentials = row.map((logit) => Math.exp(logit - Math.max(...row)));
  const sum = exponentials.reduce((sum, value) => sum + value);
  return exponentials.map((value) => value / sum);
};
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

/** In double precision, from the definitions. */
const activation: Record<Loss, (logits: readonly number[]) => number[]> = {
  ce: (logits) => rowsOf(logits).flatMap(softmax),
  bce: (logits) => logits.map(sigmoid),
};
const decision: Record<Loss, (logits: readonly number[]) => number[]> = {
  ce: (logits) => rowsOf(logits).flatMap((row) => row.map((logit) => (logit === Math.max(...row) ? 1 : 0))),
  bce: (logits) => logits.map((logit) => (logit > 0 ? 1 : 0)),
};
const criterion: Record<Loss, (logits: readonly number[], target: readonly number[]) => number> = {
  ce: (logits, target) => {
    const logs = activation.ce(logits).map(Math.log);
    return (-classes / logits.length) * logs.reduce((sum, log, i) => sum + log * (target[i] as number), 0);
  },
  bce: (logits, target) => {
    const terms = logits.map((logit, i) => {
      const t = target[i] as number;
      return -t * Math.log(sigmoid(logit)) - (1 - t) * Math.log(sigmoid(-logit));
    });
    return terms.reduce((sum, term) => sum + term, 0) / logits.length;
  },
};
