/**
 * The engine computes what PyTorch and timm compute: every case, unit and schedule of the reference, on each backend that trains.
 * The reference and how it was made: oracle/FORMAT.md.
 */
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBackend } from '../../src/runner/backend.ts';
import { parityChecks, runCheck } from '../../src/runner/parity/check.ts';

const checks = parityChecks(path.join(import.meta.dirname, 'oracle'));

/** What this build must be able to run; no skip may ever hide one of these. */
const promised = [
  'vit_baseline',
  'vit_masksub_bce_lamb',
  'vit_masksub_ce_adamw',
  'vit_masksub_r75',
  'mae_baseline_layerdecay',
  'mae_masksub_layerdecay_accum',
  ...['ce_hard', 'ce_smooth0.1', 'ce_soft', 'bce_hard', 'bce_soft', 'masksub_ce_sub_term', 'masksub_bce_sub_term'].map(
    (name) => `units/losses/${name}`,
  ),
  ...['adamw', 'adamw_b95', 'lamb', 'lamb_eps1e-8', 'lamb_noclip', 'sgd', 'sgd_nesterov'].map(
    (name) => `units/optim/${name}`,
  ),
  ...['gelu', 'softmax', 'layerNorm@1e-06', 'keptTokens'].map((name) => `units/ops/${name}`),
  ...['timm_cosine/deit3_base_400', 'mae_cosine/mae_base_100', 'layer_lr_scale/depth12_decay0.65'].map(
    (name) => `schedules/${name}`,
  ),
];

test('nothing promised is unsupported', () => {
  const supported = checks.filter(({ run }) => typeof run === 'function').map(({ name }) => name);
  expect(supported).toEqual(expect.arrayContaining(promised));
});

for (const backend of ['tensorflow', 'wasm'] as const) {
  describe(`on ${backend}`, () => {
    beforeAll(async () => {
      await loadBackend(backend);
    });
    for (const check of checks) {
      const { name, run } = check;
      if (typeof run !== 'function') {
        test(`${name} (${run.unsupported})`, ({ skip }) => skip(run.unsupported));
        continue;
      }
      test(name, () => {
        const { worst } = runCheck(check);
        expect(worst?.ratio, `largest error, in units of the tolerance, at ${worst?.tensor}`).toBeLessThanOrEqual(1);
      });
    }
  });
}
