/**
 * The engine computes what PyTorch and timm compute: every case, unit and schedule of the reference, on each backend that trains.
 * The reference and how it was made: oracle/FORMAT.md.
 */
import path from 'node:path';
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
