/**
 * Weights that others publish, in their own layouts, make our models compute what theirs do: with two small files that are stored, and
 * where a Python has torch, timm and transformers with fresh ones of every layout. Both come from scripts/reference/layouts.py, which
 * says what they are.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { resolveModel } from '../../src/core/modelConfig.ts';
import { models } from '../../src/engine/models/index.ts';
import type { ImageShape, Model, ModelInput, Parameters, TextShape } from '../../src/engine/models/model.ts';
import { initialValues } from '../../src/engine/parameters.ts';
import { resizeOffsets, resizePositions } from '../../src/engine/resizePositions.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { layouts } from '../../src/runner/layouts/index.ts';
import { type ImportReport, readWeights, type StartingWeights } from '../../src/runner/startingWeights.ts';
import { decodeSafetensors, encodeSafetensors, type Tensor, type TensorFile } from '../../src/store/safetensors.ts';
import { openSafetensors } from '../../src/store/safetensorsFile.ts';
import { failure } from '../data/failure.ts';
import { tinyConfig } from '../engine/examples.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { pythonWith } from '../support/python.ts';

const script = 'scripts/reference/layouts.py';
const stored = path.join(import.meta.dirname, 'layouts');

beforeAll(async () => {
  await loadBackend('tensorflow');
});

describe('stored files', () => {
  test.each(['deit3', 'beit2-pretrained'])('%s', async (name) => {
    await expectSameLogits(stored, name);
  });
});

/** What the reports say: layout, sizes changed at another one, and what is left out and drawn at the file's own. */
const expected: Readonly<Record<string, Partial<Record<'layout' | 'dropped' | 'initialised', string | string[]>>>> = {
  'timm-deit3': { layout: 'Vision Transformer (timm)' },
  'timm-mae': { layout: 'Vision Transformer (timm)' },
  'timm-clip': { layout: 'Vision Transformer (timm)' },
  'timm-beit': { layout: 'BEiT (microsoft/unilm, timm)' },
  deit3: { layout: 'DeiT-III (facebookresearch/deit)' },
  'mae-finetuned': { layout: 'Vision Transformer (timm)' },
  'mae-pretrained': {
    layout: 'MAE, pre-trained (facebookresearch/mae)',
    dropped: ['the norm of pre-training (2)', 'the mask token (1)', 'the decoder (8)'],
  },
  'mae-encoder': {
    layout: 'MAE, pre-trained (facebookresearch/mae)',
    dropped: ['the norm of pre-training (2)'],
  },
  'beit2-pretrained': {
    layout: 'BEiT (microsoft/unilm, timm)',
    dropped: ['indices of relative positions (1)', 'the mask token (1)', 'the norm of pre-training (2)', '(4)'],
  },
  'beit2-finetuned': { layout: 'BEiT (microsoft/unilm, timm)', dropped: ['indices of relative positions (2)'] },
  'beit-transformers': { layout: 'BEiT (transformers)' },
  'beit-transformers-older': { layout: 'BEiT (transformers)', dropped: ['the mask token (1)'] },
  'clip-openai': {
    layout: 'CLIP (openai/CLIP)',
    dropped: ['the projection (1)', 'the text tower (7)', 'sizes (3)'],
  },
  'clip-transformers': { layout: 'CLIP (transformers)' },
  'clip-transformers-whole': {
    layout: 'CLIP (transformers)',
    dropped: ['the text tower (22)', 'the projection (1)'],
  },
  'swin-timm': { layout: 'Swin Transformer (timm)' },
  'swin-microsoft': {
    layout: 'Swin Transformer (microsoft/Swin-Transformer)',
    dropped: ['indices of relative positions (4)', 'masks of shifted windows (1)'],
  },
  'resnet-timm': { layout: 'ResNet (torchvision, timm)', dropped: ['counts of steps'] },
  'resnet-torchvision': { layout: 'ResNet (torchvision, timm)', dropped: ['counts of steps'] },
  'other-data': { layout: 'Vision Transformer (timm)', dropped: ['the classifier (2)'] },
  'bert-classifier': { layout: 'BERT (transformers)' },
  'bert-pretraining': {
    layout: 'BERT (transformers)',
    dropped: ['position ids (1)', 'the heads of pre-training (9)'],
  },
  'bert-plain': { layout: 'BERT (transformers)' },
  'bert-without-pooler': { layout: 'BERT (transformers)' },
};

const python = pythonWith('torch', 'timm', 'safetensors', 'transformers');

describe.skipIf('missing' in python)(`fresh files${'missing' in python ? `: ${python.missing}` : ''}`, () => {
  let folder = '';
  beforeAll(async () => {
    if ('missing' in python) return;
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-layouts-'));
    await promisify(execFile)(python.command, [script, folder, '--seed', '1'], { timeout: 100_000 });
  }, 110_000);
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  test.each(Object.keys(expected))('%s', async (name) => {
    const [first] = await expectSameLogits(folder, name);
    const { layout, dropped = [] } = expected[name] ?? {};
    expect(first?.layout).toBe(layout);
    const left = first?.sentences.find((sentence) => sentence.startsWith('Left out')) ?? '';
    for (const what of dropped) expect(left).toContain(what);
    if (dropped.length === 0) expect(first?.dropped).toEqual([]);
  });

  test('tables for another grid', () => {
    const { tensors, metadata } = read(path.join(folder, 'resizing.expected'));
    const sides = z.array(z.tuple([z.number(), z.number()])).parse(JSON.parse(metadata.tables ?? ''));
    for (const [at, [from, to]] of sides.entries()) {
      const table = floats(tensors, `${at}.from`);
      expect(furthest(resizePositions(table, from, to), floats(tensors, `${at}.to`)), `${from}, ${to}`).toBeLessThan(
        1e-5,
      );
      const offsets = tensors.get(`${at}.offsets`)?.data as Float32Array | undefined;
      if (offsets) expect(furthest(resizeOffsets(table, from, to), offsets), `${from}, ${to}`).toBeLessThan(1e-5);
    }
    expect([...tensors.keys()].filter((name) => name.endsWith('offsets')).length).toBeGreaterThan(4);
  });

  test('every layout', () => {
    expect(new Set(Object.values(expected).map(({ layout }) => layout))).toEqual(
      new Set(layouts.map(({ title }) => title)),
    );
  });
});

describe('what a file says becomes of it', () => {
  test('in the report, whole, and in sentences', async () => {
    const { started } = await startFrom(path.join(stored, 'deit3.pth'), { ...deit3, imageSize: 24, classes: 7 });
    expect(started.report).toMatchObject({
      layout: 'DeiT-III (facebookresearch/deit)',
      matched: 34,
      interpolated: ['pos_embed: 4 × 4 → 6 × 6'],
      dropped: ['head.weight', 'head.bias'],
      initialised: ['head.weight', 'head.bias'],
    });
    expect(started.report.sentences).toEqual([
      'The weights are those under "model"; not read: "epoch", "args".',
      'Weights from deit3.pth, laid out as DeiT-III (facebookresearch/deit): 34 of 36 tensors taken, 4 under another name.',
      'Fitted to another size (1): pos_embed: 4 × 4 → 6 × 6.',
      'Left out: the classifier (2).',
      'Start as drawn (2): head.weight, head.bias; the file tells 5 classes apart.',
    ]);
    expect(started.warnings).toEqual(started.report.sentences);
  });

  test('the classifier starts as the model starts it, from the seed', async () => {
    const { model, started } = await startFrom(path.join(stored, 'deit3.pth'), { ...deit3, classes: 7 });
    const drawn = initialValues(model, tinyConfig().train.seed);
    for (const name of ['head.weight', 'head.bias']) expect(started.weights.get(name)).toEqual(drawn.get(name));
  });

  test('its content tells the container, not its name', async () => {
    const file = path.join(temporaryFolder(), 'weights.safetensors');
    fs.copyFileSync(path.join(stored, 'deit3.pth'), file);
    expect((await startFrom(file, deit3)).started.report.matched).toBe(36);
  });

  test('names that every tensor has in front are left out', async () => {
    const file = written(new Map([...(await timmTensors())].map(([name, tensor]) => [`_orig_mod.${name}`, tensor])));
    expect((await startFrom(file, deit3)).started.report.matched).toBe(36);
  });

  test('nothing is said of a file that is simply the model’s', async () => {
    const { started } = await startFrom(written(await timmTensors()), deit3);
    expect(started.warnings).toEqual([]);
    expect(started.report.matched).toBe(36);
  });
});

describe('floats of other widths', () => {
  const values = [0, -0, 1, -1.5, 65504, 2 ** -14, 2 ** -24, 3 * 2 ** -20];
  const halves = [0, 0x8000, 0x3c00, 0xbe00, 0x7bff, 0x0400, 0x0001, 0x0030];
  test.each([
    ['F16', Uint16Array.from(halves), values],
    ['BF16', Uint16Array.of(0x3f80, 0xc000, 0x4049, 0x0000), [1, -2, 3.140625, 0]],
    ['F64', Float64Array.of(0.1, -3e38), [Math.fround(0.1), Math.fround(-3e38)]],
    ['F16', Uint16Array.of(0x7c00, 0xfc00, 0x7e00), [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]],
  ] as const)('%s', async (dtype, data, expected) => {
    const header = { a: { dtype, shape: [data.length], data_offsets: [0, data.byteLength] } };
    const opened = await openSafetensors(writtenBytes(header, data));
    onTestFinished(() => opened.close());
    expect(Array.from((await opened.tensors.get('a')?.read()) ?? [])).toEqual([...expected]);
  });
});

describe('refused, each with one message', () => {
  /** The message and hint of what is wrong with a file. */
  async function refusal(file: string, check: Check): Promise<string> {
    const { message, hint } = await failure(startFrom(file, check));
    expect(message).toContain(path.basename(file));
    return `${message} ${hint}`;
  }
  const changed = async (change: (tensors: TensorFile) => void) => {
    const tensors = await timmTensors();
    change(tensors);
    return written(tensors);
  };
  const zeros = (...shape: number[]): Tensor => ({
    dtype: 'F32',
    shape,
    data: new Float32Array(shape.reduce((product, length) => product * length, 1)),
  });

  test('a tensor of no rule, and one that is missing', async () => {
    const file = await changed((tensors) => {
      tensors.set('dist_token', zeros(1, 1, 16));
      tensors.delete('blocks.1.norm2.bias');
    });
    const said = await refusal(file, deit3);
    expect(said).toContain('It is laid out as Vision Transformer (timm).');
    expect(said).toContain('Missing (1): expected "blocks.1.norm2.bias" [16].');
    expect(said).toContain('Not of this model (1): found "dist_token" [1,1,16].');
  });

  test('another model', async () => {
    const said = await refusal(path.join(stored, 'deit3.pth'), { ...deit3, model: { name: 'resnet', maskPatch: 16 } });
    expect(said).toContain('laid out as DeiT-III (facebookresearch/deit). Set model.name to "vit"');
  });

  test('another form', async () => {
    const said = await refusal(path.join(stored, 'deit3.pth'), { ...deit3, model: { ...deit3.model, form: 'mae' } });
    expect(said).toContain('"blocks.0.gamma_1"');
    expect(said).toContain('"pos_embed" [1,17,16], found [1,16,16]');
  });

  test('a plain ViT, with the form that it has', async () => {
    const file = await changed((tensors) => {
      for (const name of [...tensors.keys()].filter((name) => /\.ls[12]\.gamma$/.test(name))) tensors.delete(name);
      tensors.set('pos_embed', zeros(1, 17, 16));
    });
    expect(await refusal(file, deit3)).toContain('set model.form to "mae" and model.pool to "token"');
    const plain = { ...deit3.model, form: 'mae' as const, pool: 'token' as const };
    await startFrom(file, { ...deit3, model: plain });
  });

  test.each([
    ['width', { width: 8 }, 'Set model.width to 16'],
    ['patch size', { patchSize: 8 }, 'Set model.patchSize to 4'],
    ['depth', { depth: 1 }, 'Not of this model (14): found "blocks.1.'],
    ['hidden width', { mlpRatio: 4 }, '"blocks.0.mlp.fc1.weight" [64,16], found [32,16]'],
  ])('another %s', async (_what, keys, message) => {
    const check = { ...deit3, model: { ...deit3.model, ...keys } };
    expect(await refusal(path.join(stored, 'deit3.pth'), check)).toContain(message);
  });

  test('positions that are no square, and channels that are no colours', async () => {
    const file = await changed((tensors) => {
      tensors.set('pos_embed', zeros(1, 15, 16)).set('patch_embed.proj.weight', zeros(16, 2, 4, 4));
    });
    const said = await refusal(file, deit3);
    expect(said).toContain('Of another shape (2)');
    expect(said).toContain('"pos_embed" [1,16,16], found [1,15,16]');
    expect(said).toContain('"patch_embed.proj.weight" [16,3,4,4], found [16,2,4,4]');
  });

  test.each([Number.NaN, Number.NEGATIVE_INFINITY])('%d in a tensor', async (value) => {
    const file = await changed((tensors) => {
      (tensors.get('pos_embed') as Tensor).data[3] = value;
    });
    expect(await refusal(file, { ...deit3, imageSize: 24 })).toContain(`"pos_embed" holds ${value} at position 3`);
  });

  const files: readonly (readonly [string, (whole: Buffer) => Uint8Array, string])[] = [
    ['nothing', () => Buffer.alloc(0), 'the file is empty'],
    ['a page', () => Buffer.from('<!DOCTYPE html><html></html>'), 'begins with "<!DOCTYPE html><"'],
    ['the beginning of a file of PyTorch', (whole) => whole.subarray(0, whole.length >> 1), 'start.pth'],
    [
      'a length of a header that is not there',
      () => Buffer.from('\x00\x00\x00\x00\x00\x00\x00\x7f{'),
      'damaged at byte 0',
    ],
  ];
  test.each(files)('%s', async (_what, bytesOf, message) => {
    const file = path.join(temporaryFolder(), 'start.pth');
    fs.writeFileSync(file, bytesOf(fs.readFileSync(path.join(stored, 'deit3.pth'))));
    expect(await refusal(file, deit3)).toContain(message);
  });

  test('a sequence longer than the positions, other words', async () => {
    const sizes = { name: 'bert', width: 4, depth: 1, heads: 1, mlpRatio: 1, vocabulary: 9 } as const;
    const text = { model: { ...sizes, positions: 6 }, classes: 2, length: 6 };
    const tensors: TensorFile = new Map();
    for (const { name, shape } of modelOf(text).parameters) tensors.set(name, zeros(...shape));
    const said = await refusal(written(tensors), {
      ...text,
      model: { ...sizes, vocabulary: 10, positions: 8 },
      length: 8,
    });
    expect(said).toContain('Set model.vocabulary to 9 and model.positions to 6');
  });
});

const deit3: Check = {
  model: { name: 'vit', form: 'deit3', patchSize: 4, width: 16, depth: 2, heads: 2, mlpRatio: 2 },
  classes: 5,
  imageSize: 16,
  channels: 3,
};

/** The stored DeiT-III under timm's names. */
async function timmTensors(): Promise<TensorFile> {
  const { model, started } = await startFrom(path.join(stored, 'deit3.pth'), deit3);
  return new Map(
    model.parameters.map(({ name, shape }) => {
      const data = started.weights.get(name) as Float32Array;
      return [name, { dtype: 'F32', shape, data }] as const;
    }),
  );
}

function written(tensors: TensorFile): string {
  const file = path.join(temporaryFolder(), 'start.safetensors');
  fs.writeFileSync(file, encodeSafetensors(tensors));
  return file;
}

/** A file with a type that nothing here writes. */
function writtenBytes(header: object, data: ArrayBufferView): string {
  const file = path.join(temporaryFolder(), 'a.safetensors');
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  fs.writeFileSync(file, Buffer.concat([length, text, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
  return file;
}

const checksSchema = z.array(
  z.object({
    model: z.looseObject({ name: z.enum(['vit', 'swin', 'resnet', 'bert']) }),
    classes: z.number(),
    imageSize: z.number().optional(),
    channels: z.number().optional(),
    length: z.number().optional(),
  }),
);
type Check = z.infer<typeof checksSchema>[number];

/** Starts each model of a case from its file and compares the logits; the reports. */
async function expectSameLogits(folder: string, name: string): Promise<ImportReport[]> {
  const [file] = fs.readdirSync(folder).filter((file) => file.startsWith(`${name}.`) && !file.endsWith('.expected'));
  const { tensors, metadata } = read(path.join(folder, `${name}.expected`));
  const checks = checksSchema.parse(JSON.parse(metadata.checks ?? ''));
  const reports: ImportReport[] = [];
  for (const [at, check] of checks.entries()) {
    const { model, started } = await startFrom(path.join(folder, file ?? ''), check);
    const start = [...tensors.keys()].filter((key) => key.startsWith(`${at}.start/`));
    const standIns = new Map(start.map((key) => [key.slice(`${at}.start/`.length), floats(tensors, key)] as const));
    expect([...started.report.initialised].sort()).toEqual([...standIns.keys()].sort());
    const logits = logitsOf(model, new Map([...started.weights, ...standIns]), tensors, at);
    const wanted = floats(tensors, `${at}.logits`);
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(0.1);
    expect(furthest(logits, wanted) / largest, `${name}, ${JSON.stringify(check)}`).toBeLessThanOrEqual(1e-5);
    reports.push(started.report);
  }
  return reports;
}

async function startFrom(file: string, check: Check): Promise<{ model: Model; started: StartingWeights }> {
  const model = modelOf(check);
  const config = tinyConfig({ model: { name: check.model.name } });
  return { model, started: await readWeights(file, config, model) };
}

function modelOf({ model, classes, imageSize = 0, channels = 0, length = 0 }: Check): Model {
  const build = models[model.name] as (config: object, input: ImageShape | TextShape) => Model;
  return build(resolveModel(model), model.name === 'bert' ? { classes, length } : { classes, imageSize, channels });
}

function logitsOf(
  { parameters, buffers, forward }: Model,
  weights: ReadonlyMap<string, Float32Array>,
  tensors: TensorFile,
  at: number,
): ArrayLike<number> {
  return tf.tidy(() => {
    const named = (specs: readonly { name: string; shape: readonly number[] }[]): Parameters =>
      Object.fromEntries(specs.map(({ name, shape }) => [name, tf.tensor(weights.get(name) ?? [], [...shape])]));
    const mode = { training: false, buffers: named(buffers), update: () => {} };
    return forward(named(parameters), inputOf(tensors, at), {}, mode).dataSync();
  });
}

function inputOf(tensors: TensorFile, at: number): ModelInput {
  const of = (name: string, dtype: 'float32' | 'int32') => {
    const { data, shape } = tensors.get(`${at}.${name}`) as Tensor;
    return tf.tensor(data, [...shape], dtype);
  };
  if (tensors.has(`${at}.images`)) return { kind: 'images', images: of('images', 'float32') as tf.Tensor4D };
  return {
    kind: 'text',
    ids: of('ids', 'int32') as tf.Tensor2D,
    types: of('types', 'int32') as tf.Tensor2D,
    present: of('present', 'float32') as tf.Tensor2D,
  };
}

const read = (file: string) => decodeSafetensors(fs.readFileSync(file), file);

/** The largest difference of two values at one place. */
function furthest(got: ArrayLike<number>, wanted: Float32Array): number {
  expect(got).toHaveLength(wanted.length);
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - (got[i] ?? Number.NaN))), 0);
}

const floats = (tensors: TensorFile, name: string): Float32Array => tensors.get(name)?.data as Float32Array;
