/** The same seed gives the same bits, and training goes on from a snapshot as if it had never stopped. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { optimizers } from '../../src/engine/optim/index.ts';
import { initialValues } from '../../src/engine/parameters.ts';
import type { Snapshot } from '../../src/engine/step/executor.ts';
import { buildProblem } from '../../src/engine/train.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { demoConfig, demoData, eventsOf, hashOf, setUp, tinyConfig, tinyData, trainSteps } from './examples.ts';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

function stateAfter(config: Config, steps: number): Snapshot {
  const run = setUp(config, demoData);
  trainSteps(run, 0, steps);
  const snapshot = run.executor.snapshot();
  run.executor.dispose();
  return snapshot;
}

test('20 steps of the demo model, twice: the same bits of parameters and optimizer state', () => {
  const [a, b] = [stateAfter(demoConfig(), 20), stateAfter(demoConfig(), 20)];
  expect(hashOf(a.parameters.values())).toBe(hashOf(b.parameters.values()));
  expect(a).toEqual(b);
  expect([...a.parameters.values()].every((values) => values.every(Number.isFinite))).toBe(true);
});

test('another seed gives other weights', () => {
  const [a, b] = [0, 1].map((seed) => stateAfter(demoConfig({ train: { seed } }), 1));
  expect(hashOf(a?.parameters.values() ?? [])).not.toBe(hashOf(b?.parameters.values() ?? []));
});

test('a run says the same numbers twice', async () => {
  const config = tinyConfig({ model: { dropPath: 0.2 }, train: { ema: 0.9 }, run: { logEvery: 3, layersEvery: 4 } });
  expect(await eventsOf(config, tinyData)).toEqual(await eventsOf(config, tinyData));
});

describe('training goes on from a snapshot with the same bits', () => {
  for (const optimizer of Object.keys(optimizers) as Config['train']['optimizer'][]) {
    test(optimizer, () => {
      const config = tinyConfig({ model: { dropPath: 0.2 }, train: { optimizer, ema: 0.9, clipNorm: 1 } });
      const uninterrupted = setUp(config, tinyData);
      trainSteps(uninterrupted, 0, 3);
      const half = uninterrupted.executor.snapshot();
      trainSteps(uninterrupted, 3, 6);

      const resumed = setUp(config, tinyData);
      trainSteps(resumed, 0, 1); // so that everything differs until it is restored
      resumed.executor.restore(half);
      expect(resumed.executor.snapshot()).toEqual(half);
      trainSteps(resumed, 3, 6);
      expect(resumed.executor.snapshot()).toEqual(uninterrupted.executor.snapshot());
      expect(resumed.executor.snapshot()).not.toEqual(half);
      for (const { executor } of [uninterrupted, resumed]) executor.dispose();
    });
  }
});

describe('initial weights', () => {
  const specs = buildProblem(demoConfig(), demoData).model.parameters;

  test('do not depend on which other parameters there are', () => {
    const alone = specs.find((spec) => spec.name === 'blocks.2.mlp.fc1.weight');
    if (!alone) throw new Error('The demo has no such parameter.');
    expect(initialValues([alone], 3).get(alone.name)).toEqual(initialValues(specs, 3).get(alone.name));
  });
  test('have the standard deviation 1/√fan-in of the demo, 0.02 in the head', () => {
    const values = initialValues(specs, 0);
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
