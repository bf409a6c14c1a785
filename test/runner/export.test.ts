/** `masksub export`: a trained run as a SavedModel, which TensorFlow's own Python loads; and what is said where it cannot be. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Config, resolveConfig } from '../../src/core/config.ts';
import { openDataset } from '../../src/data/index.ts';
import { Batches } from '../../src/engine/batches.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import { recipes } from '../../src/engine/recipes/index.ts';
import { eagerExecutor } from '../../src/engine/step/eager.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { readCheckpoint } from '../../src/runner/checkpoint.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { type CliResult, cli, expectRefusal } from '../support/cli.ts';
import { readSavedModel } from '../support/savedModel.ts';
import { makeExperiment, runArguments, runFolder } from './experiment.ts';

/** A Python that can `import tensorflow`. */
const python = process.env.MASKSUB_TENSORFLOW_PYTHON;

const experiment = makeExperiment(fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-test-')));
const run = runFolder(experiment, 'masksub');
const baseline = runFolder(experiment, 'baseline');
let config: Config;

beforeAll(async () => {
  const trained = await cli(runArguments(experiment, '--set', 'train.ema=0.5'));
  expect(trained.code, trained.stderr).toBe(0);
  const {
    versions: _v,
    dataHash: _d,
    pair: _p,
    machine: _m,
    ...written
  } = JSON.parse(fs.readFileSync(`${run}/config.json`, 'utf8'));
  const resolved = resolveConfig(written, recipes);
  if ('problems' in resolved) throw new Error(resolved.problems.map((problem) => problem.message).join());
  config = resolved.config;
  return () => fs.rmSync(experiment.folder, { recursive: true });
});

const exported = (to: string, ...rest: string[]) => cli(['export', run, '--saved-model', '--to', to, ...rest]);

function expectWritten({ code, stderr, stdout }: CliResult, to: string) {
  expect(code, stderr).toBe(0);
  expect(stdout).toContain(`Wrote ${to}`);
  expect(fs.readdirSync(to, { recursive: true }).sort()).toEqual(
    ['assets.extra', path.join('assets.extra', 'masksub.json'), 'saved_model.pb'].sort(),
  );
  return JSON.parse(fs.readFileSync(path.join(to, 'assets.extra', 'masksub.json'), 'utf8'));
}

describe('masksub export --saved-model', () => {
  test('writes the best weights, and beside them what they are', async () => {
    const to = path.join(temporaryFolder(), 'fashion', '1');
    const about = expectWritten(await exported(to), to);
    expect(about).toMatchObject({
      run: 'x-s0-masksub',
      checkpoint: 'checkpoints/best.safetensors',
      weights: 'parameters',
      classNames: ['0', '1', '2', '3'],
      images: { height: 8, width: 8, channels: 1, range: [0, 1] },
      batch: 'any',
      config: { model: { name: 'vit', width: 16 } },
    });
    const { inputs, outputs } = readSavedModel(fs.readFileSync(path.join(to, 'saved_model.pb')));
    expect([Object.keys(inputs), Object.keys(outputs)]).toEqual([['images'], ['logits', 'probabilities']]);
  });

  test('writes another checkpoint, its moving average, a fixed batch', async () => {
    const to = path.join(temporaryFolder(), 'saved');
    const result = await exported(to, '--checkpoint', 'step-000000016', '--ema', '--batch', '3');
    const about = expectWritten(result, to);
    expect(about).toMatchObject({
      checkpoint: 'checkpoints/step-000000016.safetensors',
      step: 16,
      weights: 'ema',
      batch: 3,
    });
  });

  test('names the folder after the run', async () => {
    const cwd = temporaryFolder();
    const result = await cli(['export', 'x-s0-baseline', '--saved-model', '--out', experiment.out], { cwd });
    expect(result.code, result.stderr).toBe(0);
    expect(fs.readdirSync(cwd)).toEqual(['x-s0-baseline-saved-model']);
  });
});

/** What an evaluation of the best checkpoint finds for the first five validation images, and their pixels from 0 to 1. */
async function evaluated(weights: 'parameters' | 'ema') {
  const data = await openDataset(config.data, { mediaFolder: '', configFolder: run });
  if (data.kind !== 'images') throw new Error('The experiment has images.');
  const problem = buildProblem(config, data);
  const { snapshot } = readCheckpoint(run, 'checkpoints/best.safetensors', problem);
  await loadBackend('tensorflow');
  const executor = eagerExecutor(problem, snapshot.parameters);
  await executor.restore(snapshot);
  const images = await new Batches(config, data, problem.model, problem.method).validation(0, 5);
  const logits = await executor.evaluate(images, {}, weights);
  await executor.dispose();
  const pixels = await data.validation.read(Int32Array.of(0, 1, 2, 3, 4), { side: 8, testCrop: 1 });
  return { logits, pixels: Float32Array.from(pixels, (pixel) => pixel / 255) };
}

function expectNear(found: ArrayLike<number>, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  const errors = expected.map((value, i) => Math.abs(value - (found[i] as number)));
  expect(Math.max(...errors)).toBeLessThanOrEqual(1e-5);
}

/** The part of tfjs's TensorFlow backend that is TensorFlow's own loader, in C++: the one of its server. */
interface Loader {
  loadSavedModelMetaGraph(folder: string, tag: string): number;
  runSavedModel(id: number, inputs: tf.Tensor[], infos: { name: string }[], outputs: string[]): tf.Tensor[];
  deleteSavedModel(id: number): void;
}

test.each([
  ['parameters', []],
  ['ema', ['--ema']],
] as const)(
  "TensorFlow's own loader, that of its server, computes the logits of the evaluation: %s",
  async (weights, rest) => {
    const to = path.join(temporaryFolder(), 'saved');
    expectWritten(await exported(to, ...rest), to);
    const { logits, pixels } = await evaluated(weights);
    const loader = tf.backend() as unknown as Loader;
    const id = loader.loadSavedModelMetaGraph(to, 'serve');
    const images = tf.tensor4d(pixels, [5, 8, 8, 1]);
    const [found] = loader.runSavedModel(id, [images], [{ name: 'images:0' }], ['logits:0']);
    expectNear((await found?.data()) ?? [], logits);
    tf.dispose([images, found ?? []]);
    loader.deleteSavedModel(id);
  },
);

describe.skipIf(!python)('Python TensorFlow (needs MASKSUB_TENSORFLOW_PYTHON: a Python that has it)', () => {
  test.each([
    ['any batch', [], null, 'parameters'],
    ['a batch of 5', ['--batch', '5'], 5, 'parameters'],
    ['the moving average', ['--ema'], null, 'ema'],
  ] as const)('computes the logits of the evaluation: %s', async (_, rest, rows, weights) => {
    const to = path.join(temporaryFolder(), 'saved');
    expectWritten(await exported(to, ...rest), to);
    const { logits, pixels } = await evaluated(weights);
    const script = path.join(import.meta.dirname, 'savedModel.py');
    const answer = JSON.parse(
      execFileSync(python ?? '', [script, to, '5'], {
        input: Buffer.from(pixels.buffer),
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'ignore'],
      }),
    ) as { shape: unknown; logits: number[][]; probabilities: number[][] };
    expect(answer.shape).toEqual([rows, 8, 8, 1]);
    expectNear(answer.logits.flat(), logits);
    for (const row of answer.probabilities) expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
  });
});

describe('refused, with a way out:', () => {
  const refused = async (args: readonly string[], ...parts: string[]) => {
    const to = path.join(temporaryFolder(), 'saved');
    expectRefusal(await cli(['export', ...args, '--to', to, '--out', experiment.out]), ...parts);
    expect(fs.existsSync(to)).toBe(false);
  };
  const saved = '--saved-model';

  test('no format', () => refused([run], '--saved-model or --pytorch'));
  test('no such run', () => refused(['x-s0-maksub', saved], 'no run "x-s0-maksub"', 'x-s0-masksub'));
  test('no such checkpoint', () =>
    refused([run, saved, '--checkpoint', 'bets'], 'no checkpoint "bets"', 'Did you mean "best"?'));
  test('a batch that is none', () => refused([run, saved, '--batch', '0'], 'whole number'));
  test('no native engine', async () => {
    const to = path.join(temporaryFolder(), 'saved');
    const env = { MASKSUB_ENGINE: temporaryFolder() };
    expectRefusal(await cli(['export', run, saved, '--to', to], { env }), 'native engine');
    expect(fs.existsSync(to)).toBe(false);
  });

  test('a folder that exists, which stays as it is', async () => {
    const to = temporaryFolder();
    fs.writeFileSync(path.join(to, 'mine'), '');
    expectRefusal(await exported(to), 'in the way');
    expect(fs.readdirSync(to)).toEqual(['mine']);
  });

  describe('a run folder that was changed:', () => {
    const changed = (change: (folder: string) => void) => {
      const folder = path.join(temporaryFolder(), 'x-s0-baseline');
      fs.cpSync(baseline, folder, { recursive: true });
      change(folder);
      return folder;
    };
    const withConfig = (change: (config: Record<string, Record<string, unknown>>) => void) =>
      changed((folder) => {
        const file = path.join(folder, 'config.json');
        const written = JSON.parse(fs.readFileSync(file, 'utf8'));
        change(written);
        fs.writeFileSync(file, JSON.stringify(written));
      });

    test('no checkpoints', () =>
      refused(
        [changed((folder) => fs.rmSync(path.join(folder, 'checkpoints'), { recursive: true })), saved],
        'no checkpoint',
      ));
    test('a damaged checkpoint', () =>
      refused(
        [changed((folder) => fs.truncateSync(path.join(folder, 'checkpoints/best.safetensors'), 3000)), saved],
        'best.safetensors: damaged',
      ));
    test('an unknown model', () =>
      refused([withConfig(({ model }) => Object.assign(model ?? {}, { name: 'vot' })), saved], '"vot"'));
    test('weights of another model', () =>
      refused([withConfig(({ model }) => Object.assign(model ?? {}, { width: 32 })), saved], 'has no tensor'));
    test('no moving average', () =>
      refused([withConfig(({ train }) => delete train?.ema), saved, '--ema'], 'no moving average'));
    test('other data', () =>
      refused([withConfig((written) => Object.assign(written, { dataHash: 'sha256:0' })), saved], 'trained on'));
  });
});
