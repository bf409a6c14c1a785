/** `masksub run`: an experiment from its config to its comparison, and everything that it leaves on the disk. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/core/config.ts';
import { decodeEvent, type RunEvent, type RunEventOf } from '../../src/core/events.ts';
import { recipes } from '../../src/engine/recipes/index.ts';
import { listRuns, readRun } from '../../src/store/runReader.ts';
import { decodeSafetensors } from '../../src/store/safetensors.ts';
import { type CliResult, cli, expectPlain, expectRefusal, startCli } from '../support/cli.ts';
import {
  type Experiment,
  eventsOf,
  expectNothingLeft,
  groupMembers,
  makeExperiment,
  runArguments,
  runFolder,
} from './experiment.ts';

const linesOf = ({ stdout }: CliResult) => stdout.trimEnd().split('\n');
const roles = ['baseline', 'masksub'] as const;
const startOf = (events: readonly RunEvent[]) => events[0] as RunEventOf<'start'>;

describe('a pair', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-test-'));
  let experiment: Experiment;
  let result: CliResult;
  beforeAll(async () => {
    experiment = makeExperiment(folder);
    result = await cli(runArguments(experiment, '--json'));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  const events = (role: (typeof roles)[number]) => eventsOf(runFolder(experiment, role));

  test('ends with 0, silent on standard error', () => {
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
  });

  test('leaves a folder for each run, finished, with nothing left over', () => {
    expect(fs.readdirSync(experiment.out).sort()).toEqual(['x-s0-baseline', 'x-s0-masksub']);
    for (const role of roles) {
      const run = readRun(runFolder(experiment, role));
      expect(run.state.state).toBe('finished');
      expect(run.summary).toEqual(run.state.end?.summary);
      expect(run.summary).toMatchObject({ state: 'finished', steps: 16, epochs: 2, final: { samples: 40 } });
      expectNothingLeft(run.folder);
    }
  });

  test('starts from the same weights and batches, on TensorFlow', () => {
    const [baseline, method] = roles.map((role) => startOf(events(role))) as [RunEventOf<'start'>, RunEventOf<'start'>];
    for (const key of ['initHash', 'batchHash', 'dataHash', 'pair', 'seed', 'parameters', 'steps'] as const) {
      expect(method[key], key).toBe(baseline[key]);
    }
    expect(baseline.initHash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(baseline.batchHash).not.toBe(baseline.initHash);
    expect([baseline.role, method.role]).toEqual(['baseline', 'method']);
    for (const { backend, pair } of [baseline, method]) expect([backend, pair]).toEqual(['tensorflow', 'x-s0']);
  });

  test('says its events in order, each a line of the schema', () => {
    for (const role of roles) {
      const text = fs.readFileSync(path.join(runFolder(experiment, role), 'events.jsonl'), 'utf8');
      expect(text.endsWith('\n')).toBe(true);
      const lines = text.trimEnd().split('\n');
      const decoded = lines.map(decodeEvent);
      expect(decoded).not.toContain(undefined);
      const all = decoded as RunEvent[];
      expect(all.map((event) => event.type).filter((type, i, types) => type !== types[i - 1])).toEqual([
        ...['start', 'step', 'layers', 'epoch', 'samples', 'checkpoint'],
        ...['step', 'layers', 'epoch', 'samples', 'checkpoint', 'end'],
      ]);
      const times = all.map((event) => event.t);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      const steps = all.filter((event) => event.type === 'step');
      expect(steps.map((event) => event.step)).toEqual([1, 2, 4, 6, 8, 10, 12, 14, 16]);
      for (const { loss, grad } of steps) {
        expect('sub' in loss && 'sub' in grad && 'cosine' in grad).toBe(role === 'masksub');
        expect(grad.total).toBeGreaterThan(0);
      }
    }
  });

  test('prints with --json exactly the events of both runs, and last the comparison', () => {
    const lines = linesOf(result);
    const comparison = JSON.parse(lines.pop() ?? '');
    const printed = lines.map((line) => JSON.parse(line) as RunEvent);
    for (const role of roles) {
      const id = path.basename(runFolder(experiment, role));
      const text = fs.readFileSync(path.join(runFolder(experiment, role), 'events.jsonl'), 'utf8');
      expect(printed.filter((event) => event.run === id)).toEqual(
        text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      );
    }
    expect(printed).toHaveLength(roles.reduce((sum, role) => sum + events(role).length, 0));
    const [baseline, method] = roles.map((role) => readRun(runFolder(experiment, role)).summary?.final?.top1 ?? -1) as [
      number,
      number,
    ];
    expect(comparison).toMatchObject({
      type: 'comparison',
      pairs: [{ pair: 'x-s0', seed: 0, epoch: 2, baseline, method, sameWeights: true, sameBatches: true }],
    });
    expect(comparison.meanDifference).toBeCloseTo(100 * (method - baseline));
  });

  test('writes the config with every default, and what it was made with', () => {
    for (const role of roles) {
      const written = JSON.parse(fs.readFileSync(path.join(runFolder(experiment, role), 'config.json'), 'utf8'));
      const { pair, dataHash, versions, machine, ...config } = written;
      const { method } = config;
      const again = resolveConfig(role === 'baseline' ? { ...config, method: { name: 'baseline' } } : config, recipes);
      expect('config' in again && { ...again.config, method }).toEqual(config);
      expect(method.name).toBe(role);
      expect(pair).toBe('x-s0');
      expect(dataHash).toBe(startOf(events(role)).dataHash);
      expect(versions).toMatchObject({ libtensorflow: '2.21.0', node: process.versions.node });
      expect(machine).toEqual({ processor: expect.any(String), threads: expect.any(Number) });
    }
  });

  test('writes checkpoints with the names and shapes of timm', () => {
    const run = runFolder(experiment, 'masksub');
    const file = path.join(run, 'checkpoints', 'step-000000016.safetensors');
    const { tensors, metadata } = decodeSafetensors(fs.readFileSync(file), file);
    expect(metadata).toMatchObject({ step: '16', attempt: '0', model: 'vit', method: 'masksub' });
    expect(tensors.get('blocks.1.attn.qkv.weight')?.shape).toEqual([48, 16]);
    expect(tensors.get('patch_embed.proj.weight')?.shape).toEqual([16, 1, 4, 4]);
    expect(tensors.get('optimizer.first.head.bias')?.shape).toEqual([4]);
    const own = [...tensors].filter(([name]) => !/^(optimizer|ema)\./.test(name));
    const count = own.reduce((sum, [, { data }]) => sum + data.length, 0);
    expect(count).toBe(startOf(events('masksub')).parameters);
    expect(fs.existsSync(path.join(run, 'checkpoints', 'best.safetensors'))).toBe(true);
  });

  test('is shown by `masksub show`', async () => {
    const shown = await cli(['show', 'x-s0-masksub', '--out', experiment.out]);
    expect(shown.code).toBe(0);
    const { executor, executorReason, initHash } = startOf(events('masksub'));
    for (const part of ['finished', 'pair x-s0', 'tensorflow', `${executor}. ${executorReason}`, 'float32', initHash]) {
      expect(shown.stdout).toContain(part);
    }
    const json = await cli(['show', runFolder(experiment, 'baseline'), '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ id: 'x-s0-baseline', state: 'finished', summary: { steps: 16 } });
  });

  test('is not shown under a wrong name, but the nearest is', async () => {
    expectRefusal(
      await cli(['show', 'x-s0-maskub', '--out', experiment.out]),
      'x-s0-maskub',
      'Did you mean "x-s0-masksub"?',
    );
  });

  test('cannot be stopped any more', async () => {
    expectRefusal(await cli(['stop', 'x-s0-masksub', '--out', experiment.out]), 'over already: finished');
  });

  test('is not overwritten by another of the same id', async () => {
    const before = fs.readFileSync(path.join(runFolder(experiment, 'masksub'), 'events.jsonl'), 'utf8');
    expectRefusal(await cli(runArguments(experiment)), 'x-s0-', 'already');
    expect(fs.readFileSync(path.join(runFolder(experiment, 'masksub'), 'events.jsonl'), 'utf8')).toBe(before);
  });
});

test('two seeds without --json: progress, a table of four runs, the mean over the seeds', async () => {
  const experiment = makeExperiment();
  const result = await cli(runArguments(experiment, '--set', 'compare.seeds=[0,3]', '--set', 'train.epochs=1'));
  expect(result.code).toBe(0);
  const names = listRuns(experiment.out).map((run) => run.id);
  expect(names.sort()).toEqual(['x-s0-baseline', 'x-s0-masksub', 'x-s3-baseline', 'x-s3-masksub']);
  expect(result.stdout).toMatch(/^epoch 1\/1 /m);
  expect(result.stdout.match(/^(Baseline|MaskSub) +[03] +finished/gm)).toHaveLength(4);
  expect(result.stdout).toMatch(/MaskSub − baseline: .* over 2 seeds/);
  expect(result.stdout).toContain('the hashes agree');
  const hashes = names.map((name) => startOf(eventsOf(path.join(experiment.out, name))).initHash);
  expect(new Set(hashes).size, 'a seed has its own weights').toBe(2);
});

test('the baseline alone is no pair', async () => {
  const experiment = makeExperiment();
  const result = await cli(runArguments(experiment, '--method', 'baseline', '--set', 'train.epochs=1', '--json'));
  expect(result.code).toBe(0);
  expect(fs.readdirSync(experiment.out)).toEqual(['x-s0-baseline']);
  const start = startOf(eventsOf(runFolder(experiment, 'baseline')));
  expect(start.role).toBe('baseline');
  expect(start).not.toHaveProperty('pair');
  expect(JSON.parse(linesOf(result).at(-1) ?? '')).toEqual({ type: 'comparison' });
});

test('the default id is the time and the name, the default folder .masksub/runs', async () => {
  const { folder, config } = makeExperiment();
  const { code } = await cli(['run', config, '--method', 'baseline', '--set', 'train.epochs=1'], { cwd: folder });
  expect(code).toBe(0);
  const [id = ''] = fs.readdirSync(path.join(folder, '.masksub', 'runs'));
  expect(id).toMatch(/^\d{8}-\d{6}-tiny-s0-baseline$/);
});

test('the default experiment trains on the images that come along', async () => {
  const { folder } = makeExperiment();
  expect((await cli(['new'], { cwd: folder })).code).toBe(0);
  const sets = ['train.epochs=1', 'train.warmupEpochs=0', 'data.trainOn=64', 'compare.baseline=false'].flatMap(
    (set) => ['--set', set],
  );
  const result = await cli(['run', 'fashion-vit.masksub.json', '--out', 'runs', '--id', 'x', ...sets], { cwd: folder });
  expect(result.code, result.stderr).toBe(0);
  const run = readRun(path.join(folder, 'runs', 'x-s0-masksub'));
  expect(run.state.start).toMatchObject({ dataset: 'fashion-mnist-mini', parameters: 139_402, backend: 'tensorflow' });
  expect(run.summary?.final?.samples).toBe(10_000);
});

describe('without the native engine', () => {
  const env = { MASKSUB_ENGINE: path.join(os.tmpdir(), 'no-engine-here') };
  test('"auto" trains on WebAssembly and says why', async () => {
    const experiment = makeExperiment();
    const result = await cli(runArguments(experiment, '--set', 'train.epochs=1'), { env });
    expect(result.code, result.stderr).toBe(0);
    const start = startOf(eventsOf(runFolder(experiment, 'masksub')));
    expect(start.backend).toBe('wasm');
    expect(start.backendReason).toContain(env.MASKSUB_ENGINE);
    expect(result.stdout).toContain(start.backendReason);
  });
  test('"tensorflow" is refused with a way out', async () => {
    const experiment = makeExperiment();
    const result = await cli(runArguments(experiment, '--backend', 'tensorflow'), { env });
    expectRefusal(result, env.MASKSUB_ENGINE, 'npm start', 'masksub.enginePath');
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(listRuns(experiment.out)).toEqual([]);
  });
  test.each([
    ['the recorded step', ['--executor', 'recorded'], 'run.executor'],
    ['bfloat16', ['--set', 'run.precision=bfloat16'], 'run.precision'],
    ['bfloat16 by force', ['--set', 'run.precision=bfloat16', '--set', 'run.precisionForced=true'], 'run.precision'],
  ])('%s is refused, before there is a run folder', async (_, args, key) => {
    const experiment = makeExperiment();
    const result = await cli(runArguments(experiment, ...args), { env });
    expectRefusal(result, 'The wasm backend has no recorded step.', env.MASKSUB_ENGINE, `Set ${key} to`);
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(listRuns(experiment.out)).toEqual([]);
  });
});

test('a loss that is not finite: the run failed, in the folder, in words and by the exit code', async () => {
  const experiment = makeExperiment();
  const result = await cli(runArguments(experiment, '--set', 'train.learningRate=1e30'));
  expect(result.code).toBe(1);
  expectPlain(result.stderr);
  for (const role of roles) {
    const { state, summary } = readRun(runFolder(experiment, role));
    expect(state.end).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(/branch at step \d+ is not finite/),
    });
    expect(summary?.state).toBe('failed');
    expectNothingLeft(runFolder(experiment, role));
  }
  expect(result.stdout).toMatch(/^MaskSub +0 +failed/m);
});

test('nothing is left running after a run', async () => {
  const started = startCli(runArguments(makeExperiment(), '--set', 'train.epochs=1'));
  await started.ended;
  expect(groupMembers(started.pid)).toEqual([]);
});
