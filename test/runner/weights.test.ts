/**
 * Weights out and in: what `masksub export --pytorch` writes is the state dict of timm or transformers, bit for bit and
 * in their models themselves where a Python has them (scripts/reference/load.py); every model comes back from a file as
 * it was; and `model.weights` starts a pair from a file, or refuses it by file and tensor.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { configSchema } from '../../src/core/configSchema.ts';
import { encodeProgress, noProgress } from '../../src/core/progress.ts';
import { RandomStream } from '../../src/core/random.ts';
import { openDataset } from '../../src/data/index.ts';
import { models as registered } from '../../src/engine/models/index.ts';
import type { Model } from '../../src/engine/models/model.ts';
import { optimizers } from '../../src/engine/optim/index.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import { eagerExecutor } from '../../src/engine/step/eager.ts';
import type { HostModelInput, Snapshot } from '../../src/engine/step/executor.ts';
import type { Problem } from '../../src/engine/step/step.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { checkpointTensors, readCheckpoint } from '../../src/runner/checkpoint.ts';
import { readRunConfig } from '../../src/runner/commands/runConfig.ts';
import { type Exported, encodePytorch } from '../../src/runner/exports/pytorch.ts';
import { readWeights } from '../../src/runner/startingWeights.ts';
import { readRun } from '../../src/store/runReader.ts';
import { decodeSafetensors, encodeSafetensors, type Tensor, type TensorFile } from '../../src/store/safetensors.ts';
import { hashOf, setUp, tinyConfig, tinyDataOf, tinyTexts, trainSteps, valuesOf } from '../engine/examples.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectRefusal } from '../support/cli.ts';
import { livelyValues } from '../support/livelyValues.ts';
import { pythonWith } from '../support/python.ts';
import { type Experiment, makeExperiment, runArguments, runFolder } from './experiment.ts';

/** Models that timm has, small: keys of the config's model group. */
const models: Readonly<Record<string, object>> = {
  deit3: { name: 'vit', patchSize: 4, width: 16, depth: 2, heads: 2, mlpRatio: 2 },
  mae: { name: 'vit', form: 'mae', patchSize: 4, width: 16, depth: 2, heads: 2, mlpRatio: 2 },
  beit: { name: 'vit', form: 'beit', patchSize: 4, width: 16, depth: 2, heads: 2, mlpRatio: 2 },
  clip: { name: 'vit', form: 'clip', patchSize: 4, width: 16, depth: 2, heads: 2, mlpRatio: 2 },
  resnet: { name: 'resnet', blocks: [1, 2, 1, 1], channels: [4, 4, 8, 8], maskPatch: 4 },
  swin: { name: 'swin', patchSize: 1, width: 8, blocks: [2, 2], heads: [1, 2], window: 2, mlpRatio: 2, maskPatch: 4 },
};

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-weights-'));
const trained = new Map<string, Experiment>();

beforeAll(async () => {
  for (const [name, model] of Object.entries(models)) {
    const experiment = makeExperiment(fs.mkdtempSync(path.join(root, `${name}-`)));
    trained.set(name, withModel(experiment, model));
    const { code, stderr } = await cli(runArguments(experiment, '--set', 'train.ema=0.5', '--set', 'train.epochs=1'));
    expect(code, stderr).toBe(0);
  }
  return () => fs.rmSync(root, { recursive: true });
});

function experimentOf(name: string): Experiment {
  const found = trained.get(name);
  if (!found) throw new Error(`There is no experiment with ${name}.`);
  return found;
}

/** The config again, of another model. */
function withModel(experiment: Experiment, model: object): Experiment {
  const text = fs.readFileSync(experiment.config, 'utf8');
  fs.writeFileSync(experiment.config, text.replace(/"model": \{.*\}/, `"model": ${JSON.stringify(model)}`));
  return experiment;
}

const runOf = (name: string) => runFolder(experimentOf(name), 'masksub');
const checkpointOf = (name: string) => path.join(runOf(name), 'checkpoints/step-000000008.safetensors');

/** Exports the newest checkpoint. */
async function exported(name: string, ...rest: string[]) {
  const to = path.join(fs.mkdtempSync(path.join(root, 'export-')), 'models', `${name}.safetensors`);
  const args = ['export', runOf(name), '--pytorch', '--to', to, '--checkpoint', 'step-000000008', ...rest];
  const { code, stderr, stdout } = await cli(args);
  expect(code, stderr).toBe(0);
  expect(fs.readdirSync(path.dirname(to))).toEqual([path.basename(to)]);
  return { to, stdout, ...read(to) };
}

const read = (file: string) => decodeSafetensors(fs.readFileSync(file), file);

const bits = ({ dtype, shape, data }: Tensor) => ({ dtype, shape, hex: Buffer.from(data.buffer).toString('hex') });

/** Tensors of a checkpoint whose names begin so, without that. */
function partOf(tensors: TensorFile, prefix: string): TensorFile {
  const own = [...tensors].filter(([name]) => name.startsWith(prefix) && (prefix || !/^(optimizer|ema)\./.test(name)));
  return new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

describe('masksub export --pytorch', () => {
  test.each(Object.keys(models))(
    'writes the tensors of the checkpoint and no others, bit for bit: %s',
    async (name) => {
      const { tensors, metadata, stdout, to } = await exported(name);
      const expected = partOf(read(checkpointOf(name)).tensors, '');
      expect(expected.delete('mask_token')).toBe(name === 'swin');
      const counts = [...tensors.keys()].filter((name) => name.endsWith('num_batches_tracked'));
      for (const name of counts) {
        expect(tensors.get(name)).toEqual({ dtype: 'I64', shape: [], data: Int32Array.of(8) });
        expect(expected.has(name.replace('num_batches_tracked', 'running_mean'))).toBe(true);
        tensors.delete(name);
      }
      expect(counts.length).toBe([...expected.keys()].filter((name) => name.endsWith('running_mean')).length);
      expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [name, tensor] of expected) expect(bits(tensors.get(name) as Tensor), name).toEqual(bits(tensor));
      expect(metadata).toMatchObject({ format: 'pt', 'masksub.run': 'x-s0-masksub', 'masksub.step': '8' });
      expect(metadata['masksub.left_out']).toBe(name === 'swin' ? 'mask_token' : undefined);
      expect(stdout).toContain(`Wrote ${to}: x-s0-masksub at step 8`);
      expect(stdout.includes('mask_token')).toBe(name === 'swin');
    },
  );

  test('writes the moving average', async () => {
    const { tensors, metadata } = await exported('deit3', '--ema');
    const expected = partOf(read(checkpointOf('deit3')).tensors, 'ema.');
    expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, tensor] of expected) expect(bits(tensors.get(name) as Tensor), name).toEqual(bits(tensor));
    expect(metadata['masksub.weights']).toBe('ema');
  });

  test('names the file after the run, and leaves one that exists as it is', async () => {
    const cwd = temporaryFolder();
    const args = ['export', 'x-s0-baseline', '--pytorch', '--out', experimentOf('deit3').out];
    const first = await cli(args, { cwd });
    expect(first.code, first.stderr).toBe(0);
    expect(fs.readdirSync(cwd)).toEqual(['x-s0-baseline.safetensors']);
    fs.writeFileSync(path.join(cwd, 'x-s0-baseline.safetensors'), 'mine');
    expectRefusal(await cli(args, { cwd }), 'in the way', '--to');
    expect(fs.readdirSync(cwd)).toEqual(['x-s0-baseline.safetensors']);
    expect(fs.readFileSync(path.join(cwd, 'x-s0-baseline.safetensors'), 'utf8')).toBe('mine');
  });

  test.each([
    ['a batch size', ['--pytorch', '--batch', '3'], '--batch'],
    ['two formats', ['--pytorch', '--saved-model'], 'one of them'],
  ])('refuses %s', async (_what, args, message) => {
    const cwd = temporaryFolder();
    expectRefusal(await cli(['export', runOf('deit3'), ...args], { cwd }), message);
    expect(fs.readdirSync(cwd)).toEqual([]);
  });

  test('leaves nothing where the disk is full', async () => {
    const cwd = temporaryFolder();
    const env = { MASKSUB_FAULT: 'enospc:1' };
    expectRefusal(await cli(['export', runOf('deit3'), '--pytorch'], { cwd, env }), 'disk is full');
    expect(fs.readdirSync(cwd)).toEqual([]);
  });
});

const python = pythonWith('torch', 'timm', 'safetensors', 'transformers');

describe.skipIf('missing' in python)(`in PyTorch${'missing' in python ? `: ${python.missing}` : ''}`, () => {
  /** A file of weights, and one of what the engine computes with them. */
  interface Pair {
    readonly weights: string;
    readonly expected: string;
  }
  const cases = [...Object.keys(models), 'resnet, moving average', 'bert'];
  const pairs = new Map<string, Pair>();

  beforeAll(async () => {
    await loadBackend('tensorflow');
    for (const name of cases) {
      const { content, expected } = name === 'bert' ? await livelyBert() : await livelyExport(name);
      const file = path.join(root, `torch-${name}.safetensors`);
      fs.writeFileSync(file, content);
      fs.writeFileSync(`${file}.expected`, encodeSafetensors(expected));
      pairs.set(name, { weights: file, expected: `${file}.expected` });
    }
  });

  function pairOf(name: string): Pair {
    const pair = pairs.get(name);
    if (!pair) throw new Error(`There is no file of ${name}.`);
    return pair;
  }

  /** What the script says of each pair. */
  function compared(pairs: readonly Pair[]) {
    const files = pairs.flatMap(({ weights, expected }) => [weights, expected]);
    const args = ['scripts/reference/load.py', ...files];
    const { status, stdout, stderr } = spawnSync('command' in python ? python.command : '', args, { encoding: 'utf8' });
    const lines = stdout.trim().split('\n');
    expect(lines, stderr).toHaveLength(pairs.length);
    return { status, results: lines.map((line) => JSON.parse(line) as { difference: number; allowed: number }) };
  }

  test('every model loads strictly and gives the same logits', () => {
    for (const name of cases) {
      const logits = (read(pairOf(name).expected).tensors.get('logits') as Tensor).data;
      expect(spread(logits), `${name}: logits of order 1`).toBeGreaterThan(0.1);
    }
    const { status, results } = compared(cases.map(pairOf));
    results.forEach(({ difference, allowed }, i) => {
      expect(difference, cases[i]).toBeLessThanOrEqual(allowed);
    });
    expect(status).toBe(0);
  });

  test('a fault in one tensor does not pass', () => {
    const faulty = cases.flatMap((name) =>
      Object.entries(faults).map(([what, apply]) => {
        const { weights, expected } = pairOf(name);
        const { tensors, metadata } = read(weights);
        apply(tensors);
        const file = path.join(root, `torch-${name}, ${what}.safetensors`);
        fs.writeFileSync(file, encodeSafetensors(tensors, metadata));
        return { weights: file, expected };
      }),
    );
    const { status, results } = compared(faulty);
    results.forEach(({ difference, allowed }, i) => {
      expect(difference / allowed, faulty[i]?.weights).toBeGreaterThan(100);
    });
    expect(status).toBe(1);
  });
});

/** What may be wrong with a file that loads all the same. */
const faults: Readonly<Record<string, (tensors: TensorFile) => void>> = {
  'two exchanged': (tensors) => {
    const seen = new Map<string, [string, Tensor]>();
    for (const [name, tensor] of tensors) {
      const [first, other] = seen.get(`${tensor.shape}`) ?? [];
      if (first !== undefined && other) {
        tensors.set(name, other).set(first, tensor);
        return;
      }
      if (tensor.shape.length > 1) seen.set(`${tensor.shape}`, [name, tensor]);
    }
    throw new Error('No two tensors have one shape.');
  },
  'one transposed': (tensors) => {
    const [found] = [...tensors].filter(([, { shape }]) => shape.length > 1 && shape[0] === shape[1] && shape[0] !== 1);
    if (!found) throw new Error('No tensor is square.');
    const [name, { dtype, shape, data }] = found;
    const side = shape[0] as number;
    const inner = data.length / side ** 2;
    const transposed = data.map((_, at) => {
      const [row, column] = [Math.floor(at / inner / side), Math.floor(at / inner) % side];
      return data[(column * side + row) * inner + (at % inner)] as number;
    });
    tensors.set(name, { dtype, shape, data: transposed });
  },
  'a scale as it starts': (tensors) => {
    const [found] = [...tensors].filter(
      ([name, { shape }]) => shape.length === 1 && /gamma(_\d)?$|\.weight$/.test(name),
    );
    found?.[1].data.fill(1);
  },
};

/** The logits' mean distance from their class's mean: 0 where the input does not matter. */
function spread(logits: ArrayLike<number>): number {
  const values = Array.from(logits);
  const classes = values.length / SAMPLES;
  const mean = values.slice(0, classes).map((_, c) => average(values.filter((_, at) => at % classes === c)));
  return average(values.map((value, at) => Math.abs(value - (mean[at % classes] as number))));
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Samples that a comparison of logits is of. */
const SAMPLES = 5;

/** A run's export with every tensor drawn anew, and what an evaluation finds for images of noise. */
async function livelyExport(name: string): Promise<{ content: Uint8Array; expected: TensorFile }> {
  const [model = '', average] = name.split(', ');
  const checkpoint = checkpointOf(model);
  const { tensors, metadata } = read(checkpoint);
  for (const [name, { shape, data }] of tensors) {
    if (!name.startsWith('optimizer.')) data.set(livelyValues(name, shape));
  }
  fs.writeFileSync(path.join(path.dirname(checkpoint), 'lively.safetensors'), encodeSafetensors(tensors, metadata));
  const { to } = await exported(model, '--checkpoint', 'lively', ...(average ? ['--ema'] : []));

  const folder = runOf(model);
  const { config } = readRunConfig(folder);
  const data = await openDataset(config.data, { mediaFolder: '', configFolder: folder });
  const problem = buildProblem(config, data);
  const { snapshot } = readCheckpoint(folder, 'checkpoints/lively.safetensors', problem);
  if (data.kind !== 'images' || !data.size) throw new Error('The data of the experiment are images of one size.');
  const shape = [SAMPLES, data.size.height, data.size.width, data.channels] as const;
  const stream = new RandomStream(0, 'images');
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => stream.truncatedNormal(1));
  const logits = await evaluated(problem, snapshot, { kind: 'images', values, shape }, average ? 'ema' : 'parameters');
  return {
    content: fs.readFileSync(to),
    expected: new Map([['images', { dtype: 'F32', shape, data: values }], ...logits]),
  };
}

/** The same of a BERT without a run. */
async function livelyBert(): Promise<{ content: Uint8Array; expected: TensorFile }> {
  const config = tinyConfig({ model: { name: 'bert' } });
  const problem = buildProblem(config, tinyTexts);
  const parameters = new Map(
    problem.model.parameters.map(({ name, shape }) => [name, livelyValues(name, shape)] as const),
  );
  const shape = [SAMPLES, tinyTexts.length] as const;
  const { ids, types, tokens } = tinyTexts.validation;
  const size = shape[0] * shape[1];
  const input = {
    kind: 'text',
    shape,
    ids: ids.slice(0, size),
    types: types.slice(0, size),
    present: Float32Array.from({ length: size }, (_, at) =>
      at % shape[1] < (tokens[Math.floor(at / shape[1])] as number) ? 1 : 0,
    ),
  } as const;
  const snapshot = { parameters, buffers: new Map(), slots: new Map(), ema: undefined };
  const logits = await evaluated(problem, snapshot, input, 'parameters');
  const { content } = encodePytorch({ ...exportedOf(problem.model, parameters), config, data: texts });
  return {
    content,
    expected: new Map([
      ['ids', { dtype: 'I32', shape, data: input.ids }],
      ['types', { dtype: 'I32', shape, data: input.types }],
      ['present', { dtype: 'F32', shape, data: input.present }],
      ...logits,
    ]),
  };
}

/** Logits in evaluation mode. */
async function evaluated(
  problem: Problem,
  snapshot: Snapshot,
  input: HostModelInput,
  weights: 'parameters' | 'ema',
): Promise<TensorFile> {
  const executor = eagerExecutor(problem, new Map([...snapshot.parameters, ...snapshot.buffers]));
  try {
    if (weights === 'ema') await executor.restore(snapshot);
    const logits = await executor.evaluate(input, {}, weights);
    return new Map([['logits', { dtype: 'F32', shape: [SAMPLES, logits.length / SAMPLES], data: logits }]]);
  } finally {
    await executor.dispose();
  }
}

const texts = { ...tinyTexts, classNames: Array.from({ length: tinyTexts.classes }, (_, i) => `class ${i}`) };

/** What an export says of a model that no run trained. */
function exportedOf(model: Model, weights: ReadonlyMap<string, Float32Array>): Omit<Exported, 'config' | 'data'> {
  return { run: 'x', checkpoint: 'checkpoints/x.safetensors', step: 3, kind: 'parameters', model, weights };
}

describe('every registered model comes back to the last bit', () => {
  const forms = configSchema.shape.model.shape.form.unwrap().options;
  const names = Object.keys(registered) as (keyof typeof registered)[];
  type Model = { readonly name: (typeof names)[number]; readonly form?: (typeof forms)[number] };
  const inputs = names.flatMap((name): Model[] =>
    name === 'vit' ? forms.map((form) => ({ name, form })) : [{ name }],
  );
  const cases = [
    ...inputs.map((model) => ({ model, optimizer: 'adamw' as const })),
    ...(['lamb', 'sgd'] as const).map((optimizer) => ({ model: { name: 'resnet' } as Model, optimizer })),
  ];
  beforeAll(async () => {
    await loadBackend('tensorflow');
  });

  test('with every optimizer', () => {
    expect(new Set(cases.map(({ optimizer }) => optimizer))).toEqual(new Set(Object.keys(optimizers)));
  });

  test.each(cases)('$model, $optimizer', async ({ model, optimizer }) => {
    const config = tinyConfig({ model, train: { optimizer, ema: 0.5 } });
    const data = tinyDataOf(config);
    const training = await setUp(config, data);
    const { problem, executor } = training;
    const folder = temporaryFolder();
    const file = path.join(folder, 'a.safetensors');
    try {
      await trainSteps(training, 0, 2);
      const snapshot = await executor.snapshot();
      const awkward = [-0, 1e-45, -3e38];
      for (const values of valuesOf(snapshot)) values.set(awkward.slice(0, values.length));
      const metadata = { progress: encodeProgress(noProgress()) };
      fs.writeFileSync(file, encodeSafetensors(checkpointTensors(snapshot, problem.model), metadata));

      const { snapshot: found } = readCheckpoint(folder, 'a.safetensors', problem);
      expect(fingerprints(found)).toEqual(fingerprints(snapshot));
      await executor.restore(found);
      expect(fingerprints(await executor.snapshot()), 'through the executor').toEqual(fingerprints(snapshot));

      const own = new Map([...snapshot.parameters, ...snapshot.buffers]);
      expect(hashes('', (await readWeights(file, config, problem.model)).weights)).toEqual(hashes('', own));

      const classNames = Array.from({ length: data.classes }, String);
      const exported = { ...exportedOf(problem.model, own), config, data: { ...data, classNames } };
      const { content, leftOut } = encodePytorch(exported);
      fs.writeFileSync(file, content);
      const { weights } = await readWeights(file, config, problem.model);
      const shared = new Map([...weights].filter(([name]) => !leftOut.includes(name)));
      for (const name of leftOut) own.delete(name);
      expect(hashes('', shared), 'through an export').toEqual(hashes('', own));
      expect(leftOut).toEqual(model.name === 'swin' ? ['mask_token'] : []);
    } finally {
      await executor.dispose();
    }
  });

  /** The bits of everything in a snapshot. */
  const fingerprints = ({ parameters, buffers, slots, ema }: Snapshot) => ({
    ...hashes('', parameters),
    ...hashes('', buffers),
    ...Object.assign({}, ...[...slots].map(([slot, values]) => hashes(slot, values))),
    ...hashes('ema', ema ?? new Map()),
  });
  const hashes = (prefix: string, values: ReadonlyMap<string, Float32Array>) =>
    Object.fromEntries([...values].map(([name, data]) => [`${prefix} ${name}`, hashOf([data])]));
});

describe('model.weights', () => {
  const zeros = (...shape: number[]): Tensor => ({
    dtype: 'F32',
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });

  /** Starts a pair of the experiment from a file, which lies beside the config. */
  async function started(name: string, bytes: Uint8Array, ...rest: string[]) {
    const experiment = experimentOf(name);
    const out = temporaryFolder();
    fs.writeFileSync(path.join(experiment.folder, 'start.safetensors'), bytes);
    const set = ['--set', 'model.weights=start.safetensors', '--set', 'train.epochs=1', ...rest];
    const result = await cli(runArguments({ ...experiment, out }, ...set));
    return { result, out };
  }

  const sources = [
    ['deit3', 'checkpoint'],
    ['deit3', 'export'],
    ['resnet', 'export'],
    ['swin', 'checkpoint'],
    ['swin', 'export'],
  ] as const;
  test.each(sources)('both runs of a pair start from the weights of %s: %s', async (name, source) => {
    const file = source === 'export' ? (await exported(name)).to : checkpointOf(name);
    const { result, out } = await started(name, fs.readFileSync(file));
    expect(result.code, result.stderr).toBe(0);
    const { config } = readRunConfig(runOf(name));
    const { model } = buildProblem(
      config,
      await openDataset(config.data, { mediaFolder: '', configFolder: runOf(name) }),
    );
    const { tensors } = read(checkpointOf(name));
    const hash = createHash('sha256');
    for (const spec of [...model.parameters, ...model.buffers]) {
      const { data } = tensors.get(spec.name) as Tensor;
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    const expected = `sha256:${hash.digest('hex')}`;
    const [first, second] = ['baseline', 'masksub'].map((method) => readRun(path.join(out, `x-s0-${method}`)));
    expect(second?.state.start?.initHash).toBe(first?.state.start?.initHash);
    if (name === 'swin' && source === 'export') {
      expect(first?.state.warnings.join()).toContain('Start as drawn (1): mask_token.'); // since timm's model lacks it
    } else expect(first?.state.start?.initHash).toBe(expected);
    const written = JSON.parse(fs.readFileSync(path.join(out, 'x-s0-masksub', 'config.json'), 'utf8'));
    expect(written.model.weights).toBe(path.join(experimentOf(name).folder, 'start.safetensors'));
  });

  test.each([
    ['checkpoint', 'MaskSub'],
    ['export', 'Vision Transformer (timm)'],
  ])('those for other images and classes are fitted, which both runs tell and keep: %s', async (source, layout) => {
    const { tensors, metadata } = source === 'export' ? await exported('deit3') : read(checkpointOf('deit3'));
    tensors
      .set('pos_embed', zeros(1, 9, 16))
      .set('head.weight', zeros(10, 16))
      .set('head.bias', zeros(10));
    const { result, out } = await started('deit3', encodeSafetensors(tensors, metadata));
    expect(result.code, result.stderr).toBe(0);
    const runs = ['baseline', 'masksub'].map((method) => path.join(out, `x-s0-${method}`));
    for (const folder of runs) {
      expect(readRun(folder).state.warnings.join()).toContain('pos_embed: 3 × 3 → 2 × 2');
      expect(JSON.parse(fs.readFileSync(path.join(folder, 'weights.json'), 'utf8'))).toMatchObject({
        layout,
        interpolated: ['pos_embed: 3 × 3 → 2 × 2'],
        initialised: ['head.weight', 'head.bias'],
      });
    }
    const [first, second] = runs.map((folder) => readRun(folder).state.start?.initHash);
    expect(first).toBe(second);
  });

  describe('refused before there is a run folder, by file and tensor:', () => {
    async function refused(name: string, bytes: Uint8Array, ...parts: string[]) {
      const { result, out } = await started(name, bytes);
      expectRefusal(result, 'start.safetensors', ...parts);
      expect(fs.readdirSync(out)).toEqual([]);
    }

    /** The exported file with some tensors changed. */
    async function changed(change: (tensors: TensorFile) => void): Promise<Uint8Array> {
      const { tensors } = await exported('deit3');
      change(tensors);
      return encodeSafetensors(tensors);
    }
    test('missing, extra and misshapen tensors, all of them', async () => {
      const bytes = await changed((tensors) => {
        tensors.delete('norm.bias');
        tensors.delete('blocks.1.attn.proj.weight');
        tensors.set('blocks.2.norm1.bias', zeros(16));
        tensors.set('pos_embed', zeros(1, 8, 16));
      });
      await refused(
        'deit3',
        bytes,
        'Missing (2): expected "blocks.1.attn.proj.weight" [16,16]; "norm.bias" [16].',
        'Not of this model (1): found "blocks.2.norm1.bias" [16].',
        'Of another shape (1): expected "pos_embed" [1,4,16], found [1,8,16].',
      );
    });

    test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d in a tensor', async (value) => {
      const bytes = await changed((tensors) => {
        (tensors.get('blocks.1.mlp.fc1.weight') as Tensor).data[7] = value;
      });
      await refused('deit3', bytes, `tensor "blocks.1.mlp.fc1.weight" holds ${value} at position 7`);
    });

    test('a type that is none of weights', async () => {
      const bytes = await changed((tensors) =>
        tensors.set('norm.bias', { dtype: 'I32', shape: [16], data: new Int32Array(16) }),
      );
      await refused('deit3', bytes, '"norm.bias" [16], found [16] of I32');
    });

    test('a file cut off', async () => {
      const bytes = fs.readFileSync(checkpointOf('deit3'));
      await refused('deit3', bytes.subarray(0, bytes.length - 5), 'the file ends before tensor "');
      await refused('deit3', bytes.subarray(0, 100), 'damaged at byte 0');
    });

    test('a header that lies about lengths', async () => {
      const bytes = await changed(() => {});
      const text = Buffer.from(bytes).toString('latin1');
      const lie = text.replace('"norm.bias":{"dtype":"F32","shape":[16]', '"norm.bias":{"dtype":"F32","shape":[99]');
      expect(lie).not.toBe(text);
      await refused('deit3', Buffer.from(lie, 'latin1'), 'tensor "norm.bias" of shape [99] has 64 bytes');
    });

    test('a checkpoint of another model', () =>
      refused(
        'resnet',
        fs.readFileSync(checkpointOf('deit3')),
        'does not fit the model "resnet"',
        'of the model "vit"',
      ));

    test('a file that is not there', async () => {
      const out = temporaryFolder();
      const args = runArguments({ ...experimentOf('deit3'), out }, '--set', 'model.weights=gone.safetensors');
      expectRefusal(await cli(args), 'Not found', 'gone.safetensors');
      expect(fs.readdirSync(out)).toEqual([]);
    });
  });
});
