/**
 * The engine computes on WebGPU what PyTorch and timm compute: the whole reference, by the command, on SwiftShader. That is a Vulkan
 * driver for the processor, which comes with Chromium.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { findBrowser } from '../../scripts/setup/browser.mjs';
import { parityChecks } from '../../src/runner/parity/check.ts';
import { executors } from '../engine/examples.ts';
import { makeExperiment } from '../runner/experiment.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectRefusal, startCli } from '../support/cli.ts';

const oracle = path.join(import.meta.dirname, 'oracle');
const driver = 'vk_swiftshader_icd.json';

/** Beside the browser's program; Debian's is a script that starts the one in /usr/lib. */
function findSwiftShader(): string | undefined {
  const browser = findBrowser();
  if (process.platform !== 'linux' || !browser || !fs.existsSync(browser)) return undefined;
  const folders = [path.dirname(fs.realpathSync(browser)), path.join('/usr/lib', path.basename(browser))];
  return folders.find((folder) => fs.existsSync(path.join(folder, driver)));
}

const folder = findSwiftShader();
/** Chromium brings the Vulkan loader, too. */
const swiftShader = {
  VK_ICD_FILENAMES: path.join(folder ?? '', driver),
  LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(path.delimiter),
};

describe.skipIf(!folder)('on WebGPU by SwiftShader (needs Linux and a Chromium that brings it)', () => {
  test('all of the reference passes, and the process ends', { timeout: 900_000 }, async () => {
    const { ended } = startCli(['parity', oracle, '--backend', 'webgpu'], { env: swiftShader });
    const { code, stdout, stderr } = await ended;
    const results = stdout.match(/^(passed|failed|unsupported) .*$/gm) ?? [];
    expect(results.filter((line) => !line.startsWith('passed'))).toEqual([]);
    expect(results, stderr).toHaveLength(parityChecks(oracle, executors.eager).length);
    expect(code).toBe(0);
  });

  test('a run trains', async () => {
    const { config, out } = makeExperiment();
    const args = ['run', config, '--backend', 'webgpu', '--out', out, '--set', 'train.epochs=1'];
    const { code, stdout, stderr } = await cli(args, { env: swiftShader });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('it computes on SwiftShader');
    expect(stdout).toMatch(/^MaskSub +0 +finished/m);
  });

  test('a process that fails once WebGPU is up ends', async () => {
    const args = ['parity', temporaryFolder(), '--backend', 'webgpu'];
    expectRefusal(await cli(args, { env: swiftShader }), 'index.json');
  });

  test('without an adapter the command says so, and what to do', async () => {
    const env = { ...swiftShader, VK_ICD_FILENAMES: path.join(temporaryFolder(), 'none.json') };
    const { code, stderr } = await cli(['parity', oracle, '--backend', 'webgpu'], { env });
    expect(stderr).toMatch(/^Error: WebGPU finds no adapter here\. It needs a GPU .* "wasm" training goes on/m);
    expect(code).toBe(2);
  });
});

test('without the npm package, as in the packaged extension, the command says so', async () => {
  const extension = temporaryFolder();
  const root = path.resolve(import.meta.dirname, '../..');
  for (const part of ['package.json', 'dist/cli.js', 'dist/chunks'])
    fs.cpSync(path.join(root, part), path.join(extension, part), { recursive: true });
  const program = path.join(extension, 'dist', 'cli.js');
  const { status, stderr } = spawnSync(process.execPath, [program, 'parity', oracle, '--backend', 'webgpu'], {
    encoding: 'utf8',
  });
  expect(stderr).toMatch(/^Error: The npm package "webgpu", .* is not installed\. A checkout has it/m);
  expect(status).toBe(2);
});
