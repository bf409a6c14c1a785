/**
 * The attention that a run records agrees with timm's, and of BERT with that of transformers: with stored numbers, and where a Python has
 * these packages with fresh ones. Both come from scripts/reference/attention.py.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { resolveModel } from '../../src/core/modelConfig.ts';
import { bert } from '../../src/engine/models/bert.ts';
import { vitFromConfig } from '../../src/engine/models/vit.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { floatsOf, imagesOf, numbersOf } from '../../src/runner/parity/oracle.ts';
import { decodeSafetensors } from '../../src/store/safetensors.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { pythonWith } from '../support/python.ts';

const stored = path.join(import.meta.dirname, 'forms');
const rows = z.array(z.array(z.number()));
const expectedSchema = z.record(z.string(), z.object({ token: rows, mean: rows }));
type Form = 'beit' | 'clip' | 'deit3' | 'mae';

beforeAll(async () => {
  await loadBackend('tensorflow');
});

describe('stored numbers', () => {
  const expected = expectedSchema.parse(JSON.parse(fs.readFileSync(path.join(stored, 'attention.json'), 'utf8')));
  test.each(['beit', 'clip'] as const)('%s', (form) => expectSame(stored, form, expected));
});

const python = pythonWith('torch', 'timm', 'safetensors');

test.skipIf('missing' in python)(`fresh numbers${'missing' in python ? `: ${python.missing}` : ''}`, () => {
  if ('missing' in python) return;
  const folder = temporaryFolder();
  execFileSync(python.command, ['scripts/reference/forms.py', folder, '--seed', '1', '--all'], { timeout: 100_000 });
  const printed = execFileSync(python.command, ['scripts/reference/attention.py', folder], { encoding: 'utf8' });
  const expected = expectedSchema.parse(JSON.parse(printed));
  expect(Object.keys(expected)).toHaveLength(4);
  for (const form of ['beit', 'clip', 'deit3', 'mae'] as const) expectSame(folder, form, expected);
});

const withTransformers = pythonWith('torch', 'timm', 'safetensors', 'transformers');
const missing = 'missing' in withTransformers ? `: ${withTransformers.missing}` : '';

test.skipIf(missing)(`BERT's is that of transformers${missing}`, () => {
  if ('missing' in withTransformers) return;
  const file = path.join(temporaryFolder(), 'bert.safetensors');
  execFileSync(withTransformers.command, ['scripts/reference/attention.py', '--bert', file], { timeout: 100_000 });
  const { tensors } = decodeSafetensors(fs.readFileSync(file), file);
  const sizes = { width: 16, depth: 2, heads: 2, hidden: 32, vocabulary: 20, positions: 12, length: 12, segments: 2 };
  const model = bert({ ...sizes, classes: 5, dropout: 0, masking: 'remove' });
  const values = tf.tidy(() => {
    const parameters = Object.fromEntries(
      model.parameters.map(({ name, shape }) => [name, tf.tensor(floatsOf(tensors, `param/${name}`), [...shape])]),
    );
    const integers = (name: string) => tf.tensor2d([...numbersOf(tensors, name)], [3, 12], 'int32');
    const present = tf.tensor2d(floatsOf(tensors, 'present'), [3, 12]);
    const shown = model.attention?.(parameters, {
      kind: 'text',
      ids: integers('ids'),
      types: integers('types'),
      present,
    });
    expect(shown?.shape).toEqual([3, 1, 12]);
    return shown?.dataSync() ?? [];
  });
  floatsOf(tensors, 'attention').forEach((value, i) => {
    expect(values[i]).toBeCloseTo(value, 6);
  });
});

/** Of the class token where the head reads it, else of the patches. */
function expectSame(folder: string, form: Form, expected: z.infer<typeof expectedSchema>): void {
  const file = path.join(folder, `${form}.safetensors`);
  const { tensors } = decodeSafetensors(fs.readFileSync(file), file);
  for (const pool of ['token', 'mean'] as const) {
    const config = { name: 'vit', form, pool, patchSize: 4, width: 16, depth: 2, heads: 2, mlpRatio: 2 } as const;
    const resolved = resolveModel(config);
    if (resolved.name !== 'vit') throw new Error('A ViT was asked for.');
    const model = vitFromConfig(resolved, { imageSize: 16, classes: 5, channels: 3 });
    const values = tf.tidy(() => {
      const own = model.parameters.filter(({ name }) => tensors.has(`param/${name}`)); // heads differ
      const parameters = Object.fromEntries(
        own.map(({ name, shape }) => [name, tf.tensor(floatsOf(tensors, `param/${name}`), [...shape])]),
      );
      const { values, shape } = imagesOf(tensors, 'images');
      const shown = model.attention?.(parameters, { kind: 'images', images: tf.tensor4d(values, [...shape]) });
      expect(shown?.shape).toEqual([3, 4, 4]);
      return shown?.dataSync() ?? [];
    });
    const of = (expected[form]?.[pool] ?? []).flat();
    const difference = Math.max(...of.map((value, i) => Math.abs(value - (values[i] ?? Number.NaN))));
    expect(difference, `${form}, ${pool}`).toBeLessThan(1e-6);
  }
}
