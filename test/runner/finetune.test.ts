/**
 * Weights to fine-tune: those of a published BERT make of real e-mails what they make of them in PyTorch (needs what
 * `npm run data:fetch -- minilm emails` fetches, and a Python with transformers), and our own ViT is what its PROVENANCE.md says.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { resolveConfig } from '../../src/core/config.ts';
import type { ConfigInput } from '../../src/core/configSchema.ts';
import type { ModelConfigOf } from '../../src/core/modelConfig.ts';
import { fashionClassNames } from '../../src/data/fashionMnist.ts';
import { readIdxFolder } from '../../src/data/idxFolder.ts';
import { readTexts, type Texts } from '../../src/data/texts.ts';
import { bertFromConfig } from '../../src/engine/models/bert.ts';
import type { ImageInput, Model, Parameters, TextInput } from '../../src/engine/models/model.ts';
import { vitFromConfig } from '../../src/engine/models/vit.ts';
import { recipes } from '../../src/engine/recipes/index.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { readWeights } from '../../src/runner/startingWeights.ts';
import { pythonWith } from '../support/python.ts';

const root = path.resolve(import.meta.dirname, '../..');
const data = path.join(root, '.data');
const [count, length, width] = [20, 64, 384];
const python = pythonWith('torch', 'transformers');
const absent = ['minilm/model.safetensors', 'emails/validation.csv'].some(
  (file) => !fs.existsSync(path.join(data, file)),
);
const reason = absent ? 'npm run data:fetch -- minilm emails has not been run' : 'missing' in python && python.missing;

beforeAll(async () => {
  await loadBackend('auto');
});

test('MiniLM embeds e-mails as in PyTorch', async ({ skip }) => {
  if (absent || 'missing' in python) return skip(reason || undefined);
  const table = path.join(data, 'emails/validation.csv');
  const script = path.join(root, 'scripts/reference/embeddings.py');
  const args = [script, path.join(data, 'minilm'), table, String(count), String(length)];
  const { status, stdout, stderr } = spawnSync(python.command, args, { encoding: 'utf8', maxBuffer: 1e8 });
  expect(status, stderr).toBe(0);
  const expected: { ids: number[][]; pooled: number[][] } = JSON.parse(stdout);

  const texts = await readTexts(
    { path: 'emails', tokenizer: 'minilm/vocab.txt', length },
    { mediaFolder: data, configFolder: data },
  );
  const { ids, present, types } = firstOf(texts);
  expect(ids).toEqual(expected.ids);
  const found = await embed(ids, types, present);
  const difference = Math.max(...found.map((value, i) => Math.abs(value - (expected.pooled.flat()[i] as number))));
  expect(found.length).toBe(count * width);
  expect(difference).toBeLessThan(1e-5);
});

/** Ids, segments and presence of the first texts for validation. */
function firstOf({ validation }: Texts) {
  const rows = (values: ArrayLike<number>) =>
    Array.from({ length: count }, (_, i) => Array.from({ length }, (_, t) => values[i * length + t] as number));
  const present = Array.from({ length: count }, (_, i) =>
    Array.from({ length }, (_, t) => (t < (validation.tokens[i] as number) ? 1 : 0)),
  );
  return { ids: rows(validation.ids), types: rows(validation.types), present };
}

/** The pooled [CLS] of each text: the logits of a classifier that changes nothing. */
async function embed(ids: number[][], types: number[][], present: number[][]): Promise<Float32Array> {
  const config = configOf({
    data: { dataset: 'text', path: 'emails', tokenizer: 'minilm' },
    model: { name: 'bert', width, depth: 6, heads: 12 },
  });
  if (config.model.name !== 'bert') throw new Error('It is a BERT.');
  const model = bertFromConfig(config.model, { classes: width, length });
  const { weights } = await readWeights(path.join(data, 'minilm/model.safetensors'), config, model);
  const input = () =>
    ({
      kind: 'text',
      ids: tf.tensor2d(ids, undefined, 'int32'),
      types: tf.tensor2d(types, undefined, 'int32'),
      present: tf.tensor2d(present),
    }) as const;
  const classifier = () => ({ 'classifier.weight': tf.eye(width), 'classifier.bias': tf.zeros([width]) });
  return logitsOf(model, weights, input, classifier);
}

test('the pretrained ViT is the one that was measured', async () => {
  const folder = path.join(root, 'media/fashion-vit-pretrained');
  const file = path.join(folder, 'model.safetensors');
  const sha256 = createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  const provenance = fs.readFileSync(path.join(folder, 'PROVENANCE.md'), 'utf8');
  expect(provenance).toContain(sha256);
  const [, accuracy] = /test images: ([\d.]+) %/.exec(provenance) ?? [];

  const config = configOf({ data: { dataset: 'fashion-mnist' }, model: { name: 'vit' }, recipe: 'demo' });
  if (config.model.name !== 'vit') throw new Error('It is a ViT.');
  const model = vitFromConfig(config.model, { imageSize: 28, channels: 1, classes: 10 });
  const { weights, warnings } = await readWeights(file, config, model);
  expect(warnings).toEqual([]);
  const { validation } = await readIdxFolder(path.join(root, 'media/fashion-mnist-mini'), fashionClassNames);
  const pixels = Float32Array.from(validation.pixels, (value) => (value / 255 - 0.286) / 0.353);
  const images = () => ({ kind: 'images', images: tf.tensor4d(pixels, [validation.count, 28, 28, 1]) }) as const;
  const logits = logitsOf(model, weights, images);
  const right = validation.labels.filter((label, i) => {
    const row = logits.subarray(i * 10, (i + 1) * 10);
    return row.indexOf(Math.max(...row)) === label;
  });
  expect((100 * right.length) / validation.count).toBeCloseTo(Number(accuracy), 1);
});

test('and sees in colours that are equal what it saw in grey', async () => {
  const file = path.join(root, 'media/fashion-vit-pretrained/model.safetensors');
  const config = configOf({ data: { dataset: 'fashion-mnist' }, model: { name: 'vit' }, recipe: 'demo' });
  if (config.model.name !== 'vit') throw new Error('It is a ViT.');
  const grey = tf.randomNormal<tf.Rank.R4>([3, 28, 28, 1], 0, 1, 'float32', 7);
  const [before = [], after = []] = await Promise.all(
    [1, 3].map(async (channels) => {
      const model = vitFromConfig(config.model as ModelConfigOf<'vit'>, { imageSize: 28, channels, classes: 10 });
      const { weights } = await readWeights(file, config, model);
      return logitsOf(model, weights, () => ({ kind: 'images', images: tf.tile(grey, [1, 1, 1, channels]) }));
    }),
  );
  expect(before.length).toBe(30);
  for (const [i, value] of before.entries()) expect(after[i]).toBeCloseTo(value, 4);
});

function configOf(input: ConfigInput) {
  const resolved = resolveConfig(input, recipes);
  if ('problems' in resolved) throw new Error(JSON.stringify(resolved.problems));
  return resolved.config;
}

/** In evaluation mode. */
function logitsOf(
  model: Model,
  weights: ReadonlyMap<string, Float32Array>,
  input: () => ImageInput | TextInput,
  others: () => Parameters = () => ({}),
): Float32Array {
  return tf.tidy(() => {
    const parameters = Object.fromEntries(
      model.parameters.map(({ name, shape }) => [name, tf.tensor(weights.get(name) as Float32Array, [...shape])]),
    );
    const mode = { training: false, buffers: {}, update: () => undefined };
    return model.forward({ ...parameters, ...others() }, input(), {}, mode).dataSync() as Float32Array;
  });
}
