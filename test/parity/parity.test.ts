/**
 * The engine computes what PyTorch and timm compute: every case, unit and schedule of the reference, on each backend that trains.
 * The reference and how it was made: oracle/FORMAT.md.
 */
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBackend } from '../../src/runner/backend.ts';
import { parityChecks, runCheck } from '../../src/runner/parity/check.ts';
import { executors } from '../engine/examples.ts';

const oracle = path.join(import.meta.dirname, 'oracle');
const checks = parityChecks(oracle, executors.eager);

test('this build runs all of the reference', () => {
  const unsupported = checks.filter(({ run }) => typeof run !== 'function').map(({ name }) => name);
  expect(unsupported).toEqual([]);
  expect(checks.length).toBeGreaterThan(70);
});

/** Units and schedules know no executor. */
const recordedChecks = parityChecks(oracle, executors.recorded).filter(({ name }) => !name.includes('/'));

for (const [where, backend, checksHere] of [
  ['tensorflow', 'tensorflow', checks],
  ['tensorflow, recorded', 'tensorflow', recordedChecks],
  ['wasm', 'wasm', checks],
] as const) {
  describe(`on ${where}`, () => {
    beforeAll(async () => {
      await loadBackend(backend);
    });
    for (const check of checksHere) {
      test(check.name, async () => {
        const { worst } = await runCheck(check);
        expect(worst?.ratio, `largest error, in units of the tolerance, at ${worst?.tensor}`).toBeLessThanOrEqual(1);
      });
    }
  });
}

describe('what a backend lacks is listed with its name', () => {
  beforeAll(async () => {
    await loadBackend('cpu');
  });
  const resultOf = (compute: () => unknown) => runCheck({ name: 'it', run: () => void compute() });
  test('a kernel', async () => {
    const result = await resultOf(() => tf.tidy(() => tf.engine().runKernel('Nonesuch', { x: tf.scalar(1) })));
    expect(result).toEqual({ name: 'it', outcome: 'unsupported', reason: 'the backend cpu has no kernel Nonesuch' });
  });
  test('a gradient', async () => {
    const gather = (x: tf.Tensor) => tf.gatherND(x, tf.tensor2d([[1]], [1, 1], 'int32'));
    const result = await resultOf(() => tf.tidy(() => tf.grad(gather)(tf.tensor1d([1, 2]))));
    expect(result).toMatchObject({ outcome: 'unsupported', reason: 'there is no gradient of GatherNd' });
  });
  test('and what else goes wrong is an error', async () => {
    await expect(resultOf(() => tf.matMul(tf.ones([1, 2]), tf.ones([1, 2])))).rejects.toThrow(/inner shapes/);
  });
});
