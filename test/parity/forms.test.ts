/**
 * The forms of the Vision Transformer agree with timm: with stored numbers, and where a Python has torch and timm with fresh ones. Both
 * come from scripts/reference/forms.py, which says what they are. Of CLIP and BEiT, transformers' models give the stored numbers, too
 * (scripts/reference/transformers_forms.py).
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { modelSizes, resolveModel } from '../../src/core/modelConfig.ts';
import { methods } from '../../src/engine/methods/index.ts';
import type { Model } from '../../src/engine/models/model.ts';
import { vitFromConfig } from '../../src/engine/models/vit.ts';
import { quickGelu } from '../../src/engine/ops/gelu.ts';
import { criteria } from '../../src/engine/ops/losses.ts';
import { biasOfKept, gridPositionBias } from '../../src/engine/ops/relativePosition.ts';
import { selection } from '../../src/engine/ops/selectTokens.ts';
import { groupParameters, sizeOf } from '../../src/engine/parameters.ts';
import { stepScalars } from '../../src/engine/step/step.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { Comparison, fingerprint, maxAbs } from '../../src/runner/parity/comparison.ts';
import { optimizerOf } from '../../src/runner/parity/optimizer.ts';
import { floatsOf, imagesOf, numbersOf, shapeOf } from '../../src/runner/parity/oracle.ts';
import { decodeSafetensors, type TensorFile } from '../../src/store/safetensors.ts';
import { executorNames, executors } from '../engine/examples.ts';
import { pythonWith } from '../support/python.ts';

const script = 'scripts/reference/forms.py';
const stored = path.join(import.meta.dirname, 'forms');
const metadataSchema = z.object({
  form: z.enum(['deit3', 'mae', 'beit', 'clip']),
  config: z.record(z.string(), z.number()),
  order: z.array(z.string()),
  no_decay: z.array(z.string()),
  losses: z.tuple([z.number(), z.number()]),
  drop_path: z.array(z.number()),
  parameters: z.record(z.string(), z.number()),
});

interface Reference {
  readonly tensors: TensorFile;
  readonly about: z.infer<typeof metadataSchema>;
}

describe('stored numbers of', () => {
  for (const form of ['beit', 'clip']) {
    describe(form, () => {
      const reference = read(stored, form);
      test('parameters, decay and drop-path', () => expectSameParameters(reference));
      for (const backend of ['tensorflow', 'wasm'] as const) {
        for (const executor of backend === 'tensorflow' ? executorNames : (['eager'] as const)) {
          test(`logits, losses and gradients on ${backend}, ${executor}`, async () => {
            await loadBackend(backend);
            await expectSameStep(reference, executor);
          });
        }
      }
    });
  }
});

const python = pythonWith('torch', 'timm', 'safetensors');

describe.skipIf('missing' in python)(`fresh numbers${'missing' in python ? `: ${python.missing}` : ''}`, () => {
  let folder = '';
  beforeAll(async () => {
    await loadBackend('tensorflow');
    if ('missing' in python) return;
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-forms-'));
    await promisify(execFile)(python.command, [script, folder, '--seed', '1', '--all'], { timeout: 100_000 });
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  test.each(['beit', 'clip', 'deit3', 'mae'])('%s', async (form) => {
    const reference = read(folder, form);
    // DeiT-III has the same drop-path rate in every block, where timm lets it grow.
    if (form !== 'deit3') expectSameParameters(reference);
    await expectSameStep(reference, 'eager');
  });
});

const pythonWithBoth = pythonWith('torch', 'timm', 'safetensors', 'transformers');

describe.skipIf('missing' in pythonWithBoth)(
  `timm's numbers are those of transformers${'missing' in pythonWithBoth ? `: ${pythonWithBoth.missing}` : ''}`,
  () => {
    const compare = (...files: string[]) => {
      const command = 'command' in pythonWithBoth ? pythonWithBoth.command : '';
      return promisify(execFile)(command, ['scripts/reference/transformers_forms.py', ...files], { timeout: 100_000 });
    };

    test('both branches of beit and clip', async () => {
      const { stdout } = await compare(...['beit', 'clip'].map((form) => path.join(stored, `${form}.safetensors`)));
      expect(stdout.trim().split('\n')).toHaveLength(2);
      expect(stdout).toMatch(/BeitModel.*"main".*"sub".*\n.*CLIPVisionModel.*"main".*"sub"/);
    });
  },
);

describe('gradients written by hand are those of tfjs', () => {
  beforeAll(async () => {
    await loadBackend('tensorflow');
  });

  test('quick GELU', () => {
    const x = tf.linspace(-4, 4, 33);
    expectSameGradient(x, quickGelu, (x) => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702))));
  });

  test('the bias of all pairs, and of kept ones', () => {
    const [side, heads] = [3, 2];
    const table = tf.randomNormal([(2 * side - 1) ** 2 + 3, heads], 0, 1, 'float32', 5) as tf.Tensor2D;
    const rows = tf.tensor1d(rowOfPair(side), 'int32');
    const looked = (table: tf.Tensor2D) => tf.transpose(tf.reshape(tf.gather(table, rows), [10, 10, heads]), [2, 0, 1]);
    expectSameGradient(table, (table) => gridPositionBias(table, side), looked);

    const keep = [
      [0, 4, 9],
      [0, 8, 1],
    ];
    const kept = (table: tf.Tensor2D) => {
      const bias = looked(table);
      const each = keep.map((at) => tf.gather(tf.gather(bias, at, 1), at, 2));
      return tf.concat(each, 0);
    };
    const selected = selection(tf.tensor2d(keep, [2, 3], 'int32'), 10);
    expectSameGradient(table, (table) => biasOfKept(gridPositionBias(table, side), selected, 2), kept);
  });
});

function read(folder: string, form: string): Reference {
  const file = path.join(folder, `${form}.safetensors`);
  const { tensors, metadata } = decodeSafetensors(fs.readFileSync(file), file);
  const parsed = Object.entries(metadata).filter(([key]) => key !== 'made_with');
  return { tensors, about: metadataSchema.parse(Object.fromEntries(parsed.map(([k, v]) => [k, JSON.parse(v)]))) };
}

/** The model as a config with nothing but the form and the size gives it. */
function modelOf({ form, config }: Reference['about'], changes: { depth?: number; dropPath?: number } = {}): Model {
  const { img_size: imageSize = 0, patch_size: patchSize = 0, embed_dim: width = 0, num_heads: heads = 0 } = config;
  const { depth = 0, mlp_ratio: mlpRatio = 0, num_classes: classes = 0, in_chans: channels = 0 } = config;
  const input = { name: 'vit', form, patchSize, width, heads, depth, mlpRatio, ...changes } as const;
  const resolved = resolveModel(input);
  if (resolved.name !== 'vit') throw new Error('A ViT was asked for.');
  return vitFromConfig(resolved, { imageSize, classes, channels });
}

function expectSameParameters({ tensors, about }: Reference): void {
  const { parameters } = modelOf(about);
  expect(parameters.map(({ name }) => name)).toEqual(about.order);
  for (const { name, shape } of parameters) expect(shape, name).toEqual(shapeOf(tensors, `param/${name}`));
  expect(parameters.filter(({ decay }) => !decay).map(({ name }) => name)).toEqual(about.no_decay);

  const { dropSites } = modelOf(about, { depth: 4, dropPath: 0.3 });
  const rates = dropSites.filter(({ site }) => site.endsWith('drop_path1')).map(({ rate }) => rate);
  about.drop_path.forEach((rate, block) => {
    expect(rates[block]).toBeCloseTo(rate, 6);
  });

  for (const size of Object.keys(modelSizes.vit)) {
    const resolved = resolveModel({ name: 'vit', form: about.form, size });
    if (resolved.name !== 'vit') throw new Error('A ViT was asked for.');
    const model = vitFromConfig(resolved, { imageSize: 224, channels: 3, classes: 1000 });
    expect(
      model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0),
      size,
    ).toBe(about.parameters[size]);
  }
}

/** One MaskSub step at the reference's weights: tolerances of oracle/FORMAT.md. */
async function expectSameStep({ tensors, about }: Reference, executorName: keyof typeof executors): Promise<void> {
  const model = modelOf(about);
  const optimizer = optimizerOf({ opt: 'adamw', betas: [0.9, 0.999], eps: 1e-3, weight_decay: 0.05 });
  const problem = {
    model,
    method: methods.masksub({
      dropRate: 0,
      target: 'soft',
      temperature: 1,
      stopGradient: true,
      cleanView: true,
    }),
    criterion: criteria.ce,
    optimizer,
    groups: groupParameters(model.parameters, { depth: model.depth, layerDecay: 1, separate: optimizer.separate }),
    bufferGroups: [],
  };
  const initial = new Map(model.parameters.map(({ name }) => [name, floatsOf(tensors, `param/${name}`)]));
  const { executor } = await executors[executorName](problem, initial);
  try {
    const kept = shapeOf(tensors, 'keep')[1] as number;
    const batch = {
      input: imagesOf(tensors, 'images'),
      target: floatsOf(tensors, 'target'),
      draws: { sub: { keep: { indices: Int32Array.from(numbersOf(tensors, 'keep')), kept } } },
    };
    const { logits, total } = await executor.inspect([batch], stepScalars(problem, 1, 1e-3, 0.5));
    const [report] = await executor.reports();
    const comparison = new Comparison();
    (['main', 'sub'] as const).forEach((branch, i) => {
      const expected = floatsOf(tensors, `${branch}.logits`);
      const allowed = 1e-4 * Math.max(1, maxAbs(expected));
      comparison.array(`${branch}.logits`, logits[0]?.[branch] ?? [], expected, allowed);
      const loss = about.losses[i] as number;
      comparison.number(
        `loss of ${branch}`,
        report?.loss.branches[branch] ?? Number.NaN,
        loss,
        1e-5 * Math.max(1, loss),
      );
    });
    const expected = about.order.map((name) => [name, floatsOf(tensors, `grad/${name}`)] as const);
    const largest = Math.max(...expected.map(([, gradient]) => fingerprint(gradient)[0]));
    for (const [name, gradient] of expected) {
      const allowed = 1e-4 * Math.max(fingerprint(gradient)[0], 0.01 * largest);
      comparison.array(`gradient of ${name}`, total.get(name) ?? [], gradient, allowed);
    }
    expect(comparison.worst.ratio, `in units of the tolerance, at ${comparison.worst.tensor}`).toBeLessThanOrEqual(1);
  } finally {
    await executor.dispose();
  }
}

function expectSameGradient<T extends tf.Tensor>(x: T, own: (x: T) => tf.Tensor, plain: (x: T) => tf.Tensor): void {
  const [value, expected] = [own(x), plain(x)];
  expect(value.shape).toEqual(expected.shape);
  const upstream = tf.randomNormal(value.shape, 0, 1, 'float32', 3);
  const gradientOf = (f: (x: T) => tf.Tensor) =>
    tf
      .grad((x) => tf.sum(tf.mul(f(x as T), upstream)))(x)
      .dataSync();
  const comparison = new Comparison();
  comparison.array('value', value.dataSync(), expected.dataSync(), 1e-6);
  comparison.array('gradient', gradientOf(own), gradientOf(plain), 1e-5);
  expect(comparison.worst.ratio, comparison.worst.tensor).toBeLessThanOrEqual(1);
}

/** The table's row of each pair, as BEiT numbers them: offsets from the upper left, then pairs with the class token. */
function rowOfPair(side: number): number[] {
  const [tokens, offsets] = [side * side + 1, 2 * side - 1];
  return Array.from({ length: tokens * tokens }, (_, pair) => {
    const [i, j] = [Math.floor(pair / tokens), pair % tokens];
    if (i === 0 || j === 0) return offsets * offsets + (i > 0 ? 1 : j > 0 ? 0 : 2);
    const [from, to] = [i - 1, j - 1];
    const down = Math.floor(from / side) - Math.floor(to / side) + side - 1;
    return down * offsets + (from % side) - (to % side) + side - 1;
  });
}
