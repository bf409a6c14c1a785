/** `masksub parity` says what differs and names it, and tells wrong numbers from unreadable files by its exit code. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBackend } from '../../src/runner/backend.ts';
import { executorFactory } from '../../src/runner/executor.ts';
import { checkParity } from '../../src/runner/parity/check.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/store/safetensors.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectRefusal } from '../support/cli.ts';

const oracle = path.join(import.meta.dirname, 'oracle');
const masksub = 'vit_masksub_ce_adamw';
const caseFile = `cases/${masksub}.safetensors`;

function copyOfOracle(): string {
  const folder = path.join(temporaryFolder(), 'oracle');
  fs.cpSync(oracle, folder, { recursive: true });
  return folder;
}

/** A copy of the reference in which every value of one tensor of a case is 1 % larger. */
function withChanged(name: string): string {
  const folder = copyOfOracle();
  const file = path.join(folder, caseFile);
  const { tensors, metadata } = decodeSafetensors(fs.readFileSync(file), file);
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`The reference has no ${name}.`);
  tensors.set(name, { ...tensor, data: Float32Array.from(tensor.data, (value) => 1.01 * value) });
  fs.writeFileSync(file, encodeSafetensors(tensors, metadata));
  return folder;
}

describe('a tensor that is 1 % off is found and named', () => {
  let executorFor: ReturnType<typeof executorFactory>;
  beforeAll(async () => {
    executorFor = executorFactory({ executor: 'eager', precision: 'float32' }, await loadBackend('tensorflow'));
  });
  const check = async (folder: string) => {
    for await (const result of checkParity(folder, executorFor, masksub)) return result;
  };
  for (const name of [
    's0.m0.main.logits',
    's2.m0.sub.logits',
    'eval.logits',
    'ema_eval.logits',
    'grads.fp',
    'grads_main.fp',
    'grads.full/head.bias',
    'delta.fp',
    'ema_delta.fp',
    'final.full/blocks.1.norm1.weight',
  ]) {
    test(name, async () => {
      const result = await check(withChanged(name));
      expect(result?.outcome).toBe('failed');
      expect(result?.worst?.tensor).toContain(name);
    });
  }

  test('and so is a loss that is 1 % off', async () => {
    const folder = copyOfOracle();
    const file = path.join(folder, 'index.json');
    const index = JSON.parse(fs.readFileSync(file, 'utf8'));
    index.cases[masksub].losses[1][0][1] *= 1.01;
    fs.writeFileSync(file, JSON.stringify(index));
    const result = await check(folder);
    expect(result).toMatchObject({ outcome: 'failed', worst: { tensor: 'losses[1] sub' } });
  });
});

test('the command fails with 1 and names the tensor', async () => {
  const { code, stdout } = await cli(['parity', withChanged('s1.m0.sub.logits'), '--only', masksub]);
  expect(stdout).toMatch(new RegExp(`^failed +${masksub} .*s1\\.m0\\.sub\\.logits$`, 'm'));
  expect(stdout).toMatch(/^0 passed, 1 failed$/m);
  expect(code).toBe(1);
});

test('--only picks by glob, on the backend that is named', async () => {
  const { code, stdout } = await cli(['parity', oracle, '--only', 'units/ops/layerNorm*', '--backend', 'wasm']);
  expect(stdout).toMatch(/^backend wasm/m);
  expect(stdout.match(/^(passed|failed|unsupported) .*$/gm)).toHaveLength(3);
  expect(stdout).toMatch(/^3 passed, 0 failed$/m);
  expect(code).toBe(0);
});

describe('what this build cannot run', () => {
  /** A copy of the reference in which one model is of a kind that nobody knows. */
  function withUnknownModel(): string {
    const folder = copyOfOracle();
    const file = path.join(folder, 'index.json');
    const index = JSON.parse(fs.readFileSync(file, 'utf8'));
    index.models.resnet_a.config.kind = 'pyramid';
    fs.writeFileSync(file, JSON.stringify(index));
    return folder;
  }

  test('is printed with its reason and counts as failed', async () => {
    const { code, stdout } = await cli(['parity', withUnknownModel(), '--only', '*_baseline']);
    expect(stdout).toMatch(/^passed +vit_baseline /m);
    expect(stdout).toMatch(/^unsupported +resnet_baseline +this build has no pyramid model$/m);
    expect(stdout).toMatch(/^3 passed, 1 failed \(1 unsupported by this build\)$/m);
    expect(code).toBe(1);
  });
  test('is forgiven with --allow-unsupported', async () => {
    const { code, stdout } = await cli(['parity', withUnknownModel(), '--only', '*_baseline', '--allow-unsupported']);
    expect(stdout).toMatch(/^3 passed, 0 failed \(1 unsupported by this build\)$/m);
    expect(code).toBe(0);
  });
});

test('a pattern that matches nothing is no success', async () => {
  const { code } = await cli(['parity', oracle, '--only', 'vit_masksub_none']);
  expect(code).toBe(1);
});

describe('what cannot be read is refused with its file', () => {
  const damages: Record<string, { file: string; damage: (file: string) => void }> = {
    'a case file that is missing': { file: caseFile, damage: (file) => fs.rmSync(file) },
    'a model file that is cut off': {
      file: 'models/vit_a.safetensors',
      damage: (file) => fs.truncateSync(file, fs.statSync(file).size - 100),
    },
    'a case file whose header is damaged': {
      file: caseFile,
      damage: (file) => {
        const bytes = fs.readFileSync(file);
        bytes.fill(0, 8, 40);
        fs.writeFileSync(file, bytes);
      },
    },
    'an index that is missing': { file: 'index.json', damage: (file) => fs.rmSync(file) },
    'an index that is not JSON': { file: 'index.json', damage: (file) => fs.truncateSync(file, 1000) },
    'an index of another version': {
      file: 'index.json',
      damage: (file) => {
        const index = JSON.parse(fs.readFileSync(file, 'utf8'));
        fs.writeFileSync(file, JSON.stringify({ ...index, format_version: 99 }));
      },
    },
  };
  for (const [what, { file, damage }] of Object.entries(damages)) {
    test(what, async () => {
      const folder = copyOfOracle();
      damage(path.join(folder, file));
      expectRefusal(await cli(['parity', folder, '--only', masksub]), path.join(folder, file));
    });
  }
  test('a backend that does not exist', async () => {
    expectRefusal(await cli(['parity', oracle, '--backend', 'cuda']), '"cuda"', 'tensorflow');
  });
});
