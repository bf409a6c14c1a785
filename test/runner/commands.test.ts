/** The commands around training: check a config, write one, look at the machine. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/core/config.ts';
import { recipes } from '../../src/engine/recipes/index.ts';
import { bfloat16Problem } from '../../src/runner/hardware.ts';
import { templates } from '../../src/runner/templates.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectRefusal } from '../support/cli.ts';

const minimal = '{ "data": { "dataset": "fashion-mnist-mini" }, "model": { "name": "vit" } }';

describe('masksub config', () => {
  test('prints the config with every default', async () => {
    const { code, stdout, stderr } = await cli(['config', '-'], { input: minimal });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const expected = resolveConfig(JSON.parse(minimal), recipes);
    expect({ config: JSON.parse(stdout) }).toEqual(expected);
    const json = await cli(['config', '-', '--json'], { input: minimal });
    expect(JSON.parse(json.stdout)).toEqual(expected);
  });

  test('applies --set and --method before the check', async () => {
    const args = ['--set', 'train.epochs=3', '--set', 'train.warmupEpochs=1', '--set', 'name=mine'];
    const { stdout } = await cli(['config', '-', '--method', 'baseline', ...args], { input: minimal });
    expect(JSON.parse(stdout)).toMatchObject({ name: 'mine', method: { name: 'baseline' }, train: { epochs: 3 } });
  });

  test('tells problems with --json by file, place, way out', async () => {
    const input = '{\n  "data": { "dataset": "fashion-mnist-mini" },\n  "modle": { "name": "vit" }\n}\n';
    const { code, stdout } = await cli(['config', '-', '--as', 'my/c.masksub.json', '--json'], { input });
    expect(code).toBe(2);
    expect(JSON.parse(stdout).problems).toContainEqual({
      file: 'my/c.masksub.json',
      line: 3,
      column: 3,
      endLine: 3,
      endColumn: 10,
      message: 'Unknown key "modle". Did you mean "model"?',
      suggestion: 'model',
      inSchema: false,
    });
  });

  test('tells problems without --json as lines that terminals link', async () => {
    const input = minimal.replace('"vit"', '"vot"');
    const result = await cli(['config', '-', '--as', 'c.masksub.json'], { input });
    expectRefusal(result, 'c.masksub.json:1:67: "name" must be', '"vot"', 'Did you mean "vit"?');
    expect(result.stdout).toBe('');
  });
});

describe('masksub new', () => {
  for (const [name, text] of Object.entries(templates)) {
    test(`writes ${name}, which is a valid config`, async () => {
      const cwd = temporaryFolder();
      expect((await cli(['new', '--template', name], { cwd })).code).toBe(0);
      const file = `${name}.masksub.json`;
      expect(fs.readFileSync(path.join(cwd, file), 'utf8')).toBe(text);
      const checked = await cli(['config', file], { cwd });
      expect(checked.stderr).toBe('');
      expect(checked.code).toBe(0);
    });
  }
  test('prints with --stdout and writes nothing', async () => {
    const cwd = temporaryFolder();
    const { stdout } = await cli(['new', '--stdout'], { cwd });
    expect(stdout).toBe(templates['fashion-vit']);
    expect(fs.readdirSync(cwd)).toEqual([]);
  });
  test('overwrites nothing', async () => {
    const cwd = temporaryFolder();
    const file = path.join(cwd, 'fashion-vit.masksub.json');
    fs.writeFileSync(file, 'mine');
    expectRefusal(await cli(['new'], { cwd }), 'fashion-vit.masksub.json exists already');
    expect(fs.readFileSync(file, 'utf8')).toBe('mine');
  });
  test('refuses a template that is not there, with the nearest', async () => {
    expectRefusal(await cli(['new', '--template', 'fashion-vti']), 'Did you mean "fashion-vit"?');
  });
});

describe('masksub doctor', () => {
  const checksOf = (stdout: string) =>
    new Map(
      (JSON.parse(stdout).checks as { name: string; ok: boolean; detail: string }[]).map((check) => [
        check.name,
        check,
      ]),
    );
  test('computes with both engines', async () => {
    const { code, stdout } = await cli(['doctor', '--json']);
    expect(code).toBe(0);
    const checks = checksOf(stdout);
    expect(checks.get('TensorFlow')).toMatchObject({ ok: true, detail: expect.stringContaining('2.21.0') });
    expect(checks.get('WebAssembly')).toMatchObject({ ok: true });
  });
  test('says whether steps can be recorded and multiplied in bfloat16, and why not', async () => {
    const checks = checksOf((await cli(['doctor', '--json'])).stdout);
    expect(checks.get('Recorded')).toMatchObject({ ok: true });
    const problem = bfloat16Problem();
    expect(checks.get('bfloat16')).toMatchObject({ ok: !problem, optional: true });
    if (problem) expect(checks.get('bfloat16')?.detail).toBe(problem);
  });
  test('says what is missing without the native engine; WebAssembly is enough', async () => {
    const env = { MASKSUB_ENGINE: path.join(temporaryFolder(), 'nowhere') };
    const { code, stdout } = await cli(['doctor', '--json'], { env });
    expect(code).toBe(0);
    const tensorflow = checksOf(stdout).get('TensorFlow');
    expect(tensorflow?.ok).toBe(false);
    expect(tensorflow?.detail).toContain(env.MASKSUB_ENGINE);
    const text = await cli(['doctor'], { env });
    expect(text.stdout).toMatch(/^✗ TensorFlow +There is no native engine at .*npm start/m);
    expect(text.stdout).toMatch(/^– Recorded +It needs TensorFlow\./m);
    expect(text.stdout).toMatch(/^– bfloat16 +It needs the recorded step\./m);
    expect(text.stdout).toMatch(/^✓ WebAssembly/m);
  });
  test('an engine that does not load is said in words', async () => {
    const engine = temporaryFolder();
    fs.mkdirSync(path.join(engine, 'lib', 'napi-v8'), { recursive: true });
    fs.writeFileSync(path.join(engine, 'lib', 'napi-v8', 'tfjs_binding.node'), 'no library');
    const { stdout } = await cli(['doctor'], { env: { MASKSUB_ENGINE: engine } });
    expect(stdout).toMatch(/^✗ TensorFlow +The native engine at .* does not load: /m);
    expect(stdout).not.toMatch(/^\s+at /m);
  });
});

test('--help names every command, --version-like misuse ends with 2', async () => {
  const help = await cli(['--help']);
  expect(help.code).toBe(0);
  for (const command of ['run', 'resume', 'config', 'new', 'show', 'stop', 'parity', 'doctor']) {
    expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  }
  expect(help.stdout).not.toMatch(/^ {2}train /m);
  expect((await cli([])).code).toBe(2);
});
