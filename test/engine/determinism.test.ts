/** The same seed gives the same bits, and training goes on from a snapshot as if it had never stopped. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { optimizers } from '../../src/engine/optim/index.ts';
import { initialValues } from '../../src/engine/parameters.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import type { Snapshot } from '../../src/engine/step/executor.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import {
  demoConfig,
  demoData,
  eventsOf,
  executorNames,
  executors,
  hashOf,
  setUp,
  tinyConfig,
  tinyData,
  trainSteps,
} from './examples.ts';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

async function stateAfter(config: Config, steps: number, executorName?: keyof typeof executors): Promise<Snapshot> {
  const run = await setUp(config, demoData, executorName);
  await trainSteps(run, 0, steps);
  const snapshot = await run.executor.snapshot();
  await run.executor.dispose();
  return snapshot;
}

test.each(executorNames)(
  '%s: 20 steps of the demo model, twice: the same bits of parameters and optimizer state',
  async (name) => {
    const [a, b] = [await stateAfter(demoConfig(), 20, name), await stateAfter(demoConfig(), 20, name)];
    expect(hashOf(a.parameters.values())).toBe(hashOf(b.parameters.values()));
    expect(a).toEqual(b);
    expect([...a.parameters.values()].every((values) => values.every(Number.isFinite))).toBe(true);
  },
);

test('another seed gives other weights', async () => {
  const [a, b] = [await stateAfter(demoConfig(), 1), await stateAfter(demoConfig({ train: { seed: 1 } }), 1)];
  expect(hashOf(a.parameters.values())).not.toBe(hashOf(b.parameters.values()));
});

test.each(executorNames)('%s: a run says the same numbers twice', async (name) => {
  const config = tinyConfig({ model: { dropPath: 0.2 }, train: { ema: 0.9 }, run: { logEvery: 3, layersEvery: 4 } });
  const executorFor = executors[name];
  expect(await eventsOf(config, tinyData, { executorFor })).toEqual(await eventsOf(config, tinyData, { executorFor }));
});

describe.each(executorNames)('%s: training goes on from a snapshot with the same bits', (name) => {
  for (const optimizer of Object.keys(optimizers) as Config['train']['optimizer'][]) {
    test(optimizer, async () => {
      const config = tinyConfig({ model: { dropPath: 0.2 }, train: { optimizer, ema: 0.9, clipNorm: 1 } });
      const uninterrupted = await setUp(config, tinyData, name);
      await trainSteps(uninterrupted, 0, 3);
      const half = await uninterrupted.executor.snapshot();
      await trainSteps(uninterrupted, 3, 6);

      const resumed = await setUp(config, tinyData, name);
      await trainSteps(resumed, 0, 1); // so that everything differs until it is restored
      await resumed.executor.restore(half);
      expect(await resumed.executor.snapshot()).toEqual(half);
      await trainSteps(resumed, 3, 6);
      const end = await resumed.executor.snapshot();
      expect(end).toEqual(await uninterrupted.executor.snapshot());
      expect(end).not.toEqual(half);
      for (const { executor } of [uninterrupted, resumed]) await executor.dispose();
    });
  }
});

describe('initial weights', () => {
  const specs = buildProblem(demoConfig(), demoData).model.parameters;

  test('do not depend on which other parameters there are', () => {
    const alone = specs.find((spec) => spec.name === 'blocks.2.mlp.fc1.weight');
    if (!alone) throw new Error('The demo has no such parameter.');
    expect(initialValues({ parameters: [alone], buffers: [] }, 3).get(alone.name)).toEqual(
      initialValues({ parameters: specs, buffers: [] }, 3).get(alone.name),
    );
  });
  test('have the standard deviation 1/√fan-in of the demo, 0.02 in the head', () => {
    const values = initialValues({ parameters: specs, buffers: [] }, 0);
    for (const [name, expected] of [
      ['blocks.0.attn.qkv.weight', 1 / Math.sqrt(64)],
      ['blocks.0.mlp.fc2.weight', 1 / Math.sqrt(128)],
      ['head.weight', 0.02],
    ] as const) {
      const weights = values.get(name) ?? new Float32Array();
      const deviation = Math.sqrt(weights.reduce((sum, value) => sum + value * value, 0) / weights.length);
      expect(deviation / expected, name).toBeCloseTo(1, 1);
    }
  });
});
