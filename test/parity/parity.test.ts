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

/** What later builds bring; everything else in the reference must run. Names end in `*` where a whole family waits. */
const later = [
  'vit_masksub_nostop',
  'vit_hardmask_*',
  'vit_dropsub',
  'vit_pathsub',
  'vit_cosub_*',
  'resnet_*',
  'swin_*',
  'bert_*',
  'units/losses/nostop_*',
  'units/ops/batchNorm',
  'units/ops/positionEmbeddingResize',
  'units/ops/swinWindows',
  'units/mix/*',
];
const waits = (name: string) =>
  later.some((entry) => (entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry));

test('this build runs all of the reference but what is left to later ones', () => {
  const unsupported = checks.filter(({ run }) => typeof run !== 'function').map(({ name }) => name);
  expect(unsupported).toEqual(checks.map(({ name }) => name).filter(waits));
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
      if (waits(check.name)) continue;
      test(check.name, async () => {
        const { worst } = await runCheck(check);
        expect(worst?.ratio, `largest error, in units of the tolerance, at ${worst?.tensor}`).toBeLessThanOrEqual(1);
      });
    }
  });
}
