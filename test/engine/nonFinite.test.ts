/** A loss or gradient that is not finite: the run ends at that step, says where it began, and keeps the weights from before. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { EngineEvent } from '../../src/core/events.ts';
import { explainNonFinite } from '../../src/engine/nonFinite.ts';
import type { Executor, HostBatch, HostImages, Snapshot, StepReport } from '../../src/engine/step/executor.ts';
import type { Surroundings } from '../../src/engine/train.ts';
import type { ImageData } from '../../src/engine/trainingData.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import {
  demoConfig,
  demoData,
  eventsOf,
  executorNames,
  executors,
  setUp,
  tinyConfig,
  tinyData,
  trainSteps,
} from './examples.ts';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

/** What is done at a step, counted from 1, before it is made. */
type Spoil = (batches: readonly HostBatch[], executor: Executor) => Promise<void> | void;

/** An executor whose step `at` is spoiled. */
function spoiled(executorFor: Surroundings['executorFor'], at: number, spoil: Spoil): Surroundings['executorFor'] {
  return async (problem, initial) => {
    const chosen = await executorFor(problem, initial);
    const { executor } = chosen;
    let count = 0;
    const spoilInTurn = async (batches: readonly HostBatch[]) => {
      if (++count === at) await spoil(batches, executor);
    };
    return {
      ...chosen,
      executor: {
        ...executor,
        async step(batches, scalars) {
          await spoilInTurn(batches);
          return executor.step(batches, scalars);
        },
        async inspect(batches, scalars) {
          await spoilInTurn(batches);
          return executor.inspect(batches, scalars);
        },
      },
    };
  };
}

async function failedRun(config: Config, data: ImageData, executorFor: Surroundings['executorFor']) {
  const saved: { name: string; snapshot: Snapshot; step: string | undefined }[] = [];
  const { events, summary } = await eventsOf(config, data, {
    executorFor,
    saveCheckpoint: (name, snapshot, _parameters, metadata) => {
      saved.push({ name, snapshot, step: metadata.step });
      return `checkpoints/${name}`;
    },
  });
  const end = events.at(-1) as Extract<EngineEvent, { type: 'end' }>;
  expect(end.state).toBe('failed');
  expect(summary).toEqual(end.summary);
  return { events, end, saved };
}

/** Changes the values of some parameters. */
const withParameters =
  (change: (name: string, value: number) => number): Spoil =>
  async (_batches, executor) => {
    const snapshot = await executor.snapshot();
    const parameters = new Map(
      [...snapshot.parameters].map(([name, values]) => [name, values.map((value) => change(name, value))]),
    );
    await executor.restore({ ...snapshot, parameters });
  };

const infinitePixel: Spoil = (batches) => {
  for (const { input } of batches) (input as HostImages).values[0] = Number.POSITIVE_INFINITY;
};

const small = { dropPath: 0.1 };
const problems = {
  tiny: [tinyConfig({ model: small, train: { ema: 0.9 }, run: { logEvery: 4 } }), tinyData],
  'tiny, accumulating': [tinyConfig({ train: { accumulate: 2, epochs: 4, optimizer: 'lamb' } }), tinyData],
  demo: [demoConfig({ train: { epochs: 15 } }), demoData],
} as const;

describe.each(executorNames)('%s', (name) => {
  const executorFor = executors[name];

  for (const [which, [config, data]] of Object.entries(problems)) {
    for (const at of [1, 6]) {
      test(`an infinite pixel at step ${at} of ${which}: the state before it is kept, bit for bit`, async () => {
        let before: Snapshot | undefined;
        const spoil: Spoil = async (batches, executor) => {
          before = await executor.snapshot();
          infinitePixel(batches, executor);
        };
        const { events, end, saved } = await failedRun(config, data, spoiled(executorFor, at, spoil));
        expect(end.message).toMatch(
          new RegExp(
            `^The loss of the main branch at step ${at} is not finite: the images are not finite themselves\\.`,
          ),
        );
        const file = `step-00000000${at - 1}`;
        expect(end.message).toContain(` are in checkpoints/${file}.`);
        expect(end.summary?.steps).toBe(at - 1);
        const steps = events.filter((event) => event.type === 'step');
        expect(steps.at(-1)).toMatchObject({ step: at, loss: { main: Number.NaN } });
        expect(events.at(-2)).toMatchObject({ type: 'checkpoint', step: at - 1, file: `checkpoints/${file}` });

        expect(saved.at(-1)).toMatchObject({ name: file, step: String(at - 1) });
        expect(saved.at(-1)?.snapshot).toEqual(before);
      });
    }
  }

  describe('the first layer affected', () => {
    const [config, data] = problems.tiny;
    const messageOf = async (spoil: Spoil, at = 3) =>
      (await failedRun(config, data, spoiled(executorFor, at, spoil))).end.message;

    for (const [layer, parameter] of Object.entries({
      embed: 'pos_embed',
      'blocks.0': 'blocks.0.mlp.fc2.bias',
      'blocks.1': 'blocks.1.attn.qkv.weight',
      head: 'head.weight',
    })) {
      test(`on the way forward: ${layer}`, async () => {
        const message = await messageOf(withParameters((name, value) => (name === parameter ? Number.NaN : value)));
        expect(message).toMatch(
          new RegExp(
            `^The loss of the main branch at step 3 is not finite: layer "${layer}" is the first whose output`,
          ),
        );
        expect(message).toContain('left weights that are not finite; there is no checkpoint from before. Lower');
      });
    }

    test('of the masked branch alone', async () => {
      const message = await messageOf(([batch]) => {
        batch?.draws.sub?.drop?.['blocks.1.drop_path1']?.fill(Number.POSITIVE_INFINITY);
      });
      expect(message).toMatch(/^The loss of the sub branch at step 3 is not finite: layer "/);
      expect(message).toContain('The weights before that step are in checkpoints/step-000000002.');
    });

    test('on the way back: the last one, since all before it follow', async () => {
      const { executor, problem, stepInput } = await setUp(config, data, name);
      const [batches, scalars] = await stepInput(0);
      await executor.step(batches, scalars);
      const [report] = (await executor.reports()) as [StepReport];
      const snapshot = await executor.snapshot();
      const overflowing: Executor = {
        ...executor,
        async inspect(...input) {
          const inspection = await executor.inspect(...input);
          for (const [name, values] of inspection.terms.sub ?? []) {
            if (!/^(blocks\.1\.(norm2|mlp)|head|(fc_)?norm)/.test(name)) values.fill(Number.NaN);
          }
          return inspection;
        },
      };
      const grad = { ...report.grad, branches: { ...report.grad.branches, sub: Number.NaN } };
      const bad = { batches, scalars, report: { ...report, grad }, snapshot };
      expect(await explainNonFinite(overflowing, problem, bad)).toEqual({
        part: 'gradient of the sub branch',
        origin: 'on the way back, layer "blocks.1" is the first whose gradient is not',
      });
      await executor.dispose();
    });

    test('of a gradient whose values are finite, but not their squares', async () => {
      const large = withParameters((name, value) => {
        // The input of the gelu stays as it is: beyond its bend there would be no gradient.
        if (name === 'blocks.1.norm2.weight') return 1e-30;
        if (name === 'blocks.1.norm2.bias') return 0;
        return name === 'blocks.1.mlp.fc1.weight' ? 1e30 * Math.sign(value) : value;
      });
      expect(await messageOf(large)).toMatch(
        /^The gradient of the main branch at step 3 is not finite: its norm is too large for 32 bits\./,
      );
    });
  });

  test('weights that overflowed in the step before are not taken for good ones; the last checkpoint is named', async () => {
    const config = tinyConfig({ run: { checkpointEvery: 1 } });
    const overflow = withParameters((name, value) => (name === 'head.bias' ? Number.POSITIVE_INFINITY : value));
    const { end, saved } = await failedRun(config, tinyData, spoiled(executorFor, 11, overflow));
    expect(end.message).toContain(
      'The step before had left weights that are not finite; the last good ones are in checkpoints/step-000000008.',
    );
    expect(saved.map((checkpoint) => checkpoint.name)).toEqual(['best', 'step-000000008']);
  });

  test('a step that is not finite changes nothing, whatever the optimizer', async () => {
    for (const optimizer of ['adamw', 'lamb', 'sgd'] as const) {
      const run = await setUp(tinyConfig({ train: { optimizer, ema: 0.9, clipNorm: 1 } }), tinyData, name);
      await trainSteps(run, 0, 2);
      const before = await run.executor.snapshot();
      const [batches, scalars] = await run.stepInput(2);
      infinitePixel(batches, run.executor);
      await run.executor.step(batches, scalars);
      const reports = await run.executor.reports();
      expect(reports.map((report) => report.finite)).toEqual([true, true, false]);
      expect(await run.executor.snapshot()).toEqual(before);
      await trainSteps(run, 3, 4);
      expect(await run.executor.snapshot()).not.toEqual(before);
      await run.executor.dispose();
    }
  });
});
