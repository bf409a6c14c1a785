/** Swin agrees with timm: window tables, parameters, logits and gradients. */
import fs from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelSizes } from '../../../src/core/modelConfig.ts';
import type { BranchDraws, Parameters } from '../../../src/engine/models/model.ts';
import { type SwinConfig, swin } from '../../../src/engine/models/swin.ts';
import { criteria } from '../../../src/engine/ops/losses.ts';
import { blockedPairs, relativePositionIndex } from '../../../src/engine/ops/windows.ts';
import { sizeOf } from '../../../src/engine/parameters.ts';
import { loadBackend } from '../../../src/runner/backend.ts';
import { Comparison, fingerprint, maxAbs } from '../../../src/runner/parity/comparison.ts';
import { floatsOf, numbersOf, type OracleCase, openOracle, shapeOf } from '../../../src/runner/parity/oracle.ts';
import type { TensorFile } from '../../../src/store/safetensors.ts';

const oracle = openOracle('test/parity/oracle');

beforeAll(async () => {
  await loadBackend('tensorflow');
});

describe('the tables of a window', () => {
  const units = oracle.tensors('units/ops.safetensors');

  test.each([3, 4])('relative positions in a window of %i', (window) => {
    expect([...relativePositionIndex(window)]).toEqual([...numbersOf(units, `swin.rel_index.win${window}`)]);
  });

  test.each([
    { side: 6, window: 3, shift: 1 },
    { side: 8, window: 4, shift: 2 },
  ])('pairs that a shift brings together: %o', (grid) => {
    const name = `swin.blocked.res${grid.side}_win${grid.window}_shift${grid.shift}`;
    expect([...blockedPairs(grid)]).toEqual([...numbersOf(units, name)]);
  });
});

const named = (size: keyof typeof modelSizes.swin) =>
  swin({
    ...modelSizes.swin[size],
    imageSize: 224,
    channels: 3,
    classes: 1000,
    patchSize: 4,
    window: 7,
    mlpRatio: 4,
    maskPatch: 32,
    dropPath: 0.2,
  });

test.each([
  ['t', 28_288_354, 4.5],
  ['s', 49_606_258, 8.7],
  ['b', 87_768_224, 15.4],
] as const)('Swin-%s has the parameters of timm and the cost of the paper', (size, parameters, billions) => {
  const model = named(size);
  const count = model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0);
  expect(count).toBe(parameters + modelSizes.swin[size].width); // timm has no mask token
  // The paper counts a multiply-add as one.
  expect(Math.abs(model.forwardFlops(49) / 2e9 - billions)).toBeLessThan(0.1);
});

test('a grid that does not fall into windows is refused', () => {
  expect(() => swin({ ...configOf({}), window: 3 })).toThrow('windows of 3 × 3');
});

test('what is decayed, dropped and hidden', () => {
  const { model, reference } = oracleModel();
  expect(model.parameters.map(({ name }) => name)).toEqual(reference.param_order);
  const index = JSON.parse(fs.readFileSync('test/parity/oracle/index.json', 'utf8'));
  const undecayed = new Set<string>(index.models.swin_a.no_decay);
  for (const { name, decay } of model.parameters) expect(`${name} ${decay}`).toBe(`${name} ${!undecayed.has(name)}`);
  const { keep_prob } = oracle.index.cases.swin_masksub_clip as OracleCase;
  const dropped = Object.fromEntries(
    model.dropSites.filter(({ rate }) => rate > 0).map(({ site, rate }) => [site, expect.closeTo(1 - rate, 12)]),
  );
  expect(keep_prob?.main).toEqual(dropped);
  expect(model.masking).toEqual({ kind: 'hide', rows: 4, columns: 4 });
  expect(model.depth).toBe(6);
});

describe.each(['swin_baseline', 'swin_masksub_clip', 'swin_pathsub'])('%s', (name) => {
  const testCase = oracle.index.cases[name] as OracleCase;
  const tensors = oracle.tensors(testCase.file);
  const branches = testCase.method === 'baseline' ? (['main'] as const) : (['main', 'sub'] as const);

  test('logits', () => {
    const comparison = new Comparison();
    for (const branch of branches) {
      const expected = floatsOf(tensors, `s0.m0.${branch}.logits`);
      const got = tf.tidy(() => forward(testCase, tensors, branch, parametersOf()).dataSync());
      comparison.array(branch, got, expected, 1e-4 * Math.max(1, maxAbs(expected)));
    }
    expect(comparison.worst.ratio, comparison.worst.tensor).toBeLessThan(0.5);
  });

  test('gradients', () => {
    const main = gradientsOf(testCase, tensors, 'main');
    const sub = branches.length > 1 ? gradientsOf(testCase, tensors, 'sub') : undefined;
    const total = new Map([...main].map(([p, g]) => [p, g.map((v, i) => v + (sub?.get(p)?.[i] ?? 0))]));
    const comparison = new Comparison();
    compareFingerprints('grads.fp', total, tensors, comparison);
    if (sub) compareFingerprints('grads_main.fp', main, tensors, comparison);
    const largest = Math.max(...[...total.values()].map((values) => fingerprint(values)[0]));
    const full = [...tensors.keys()].filter((key) => key.startsWith('grads.full/'));
    for (const key of full) {
      const expected = floatsOf(tensors, key);
      const allowed = 1e-4 * Math.max(fingerprint(expected)[0], 0.01 * largest);
      comparison.array(key, total.get(key.slice('grads.full/'.length)) ?? [], expected, allowed);
    }
    expect(full.length).toBeGreaterThan(0);
    expect(comparison.worst.ratio, comparison.worst.tensor).toBeLessThan(0.5);
  });
});

test('a forward and backward pass leaves no tensor behind', () => {
  const testCase = oracle.index.cases.swin_masksub_clip as OracleCase;
  const tensors = oracle.tensors(testCase.file);
  gradientsOf(testCase, tensors, 'sub');
  const before = tf.memory().numTensors;
  gradientsOf(testCase, tensors, 'main');
  gradientsOf(testCase, tensors, 'sub');
  expect(tf.memory().numTensors).toBe(before);
});

function configOf(config: Readonly<Record<string, unknown>>): SwinConfig {
  return {
    imageSize: Number(config.img_size ?? 32),
    channels: 3,
    classes: Number(config.num_classes ?? 10),
    patchSize: Number(config.patch_size ?? 2),
    width: Number(config.embed_dim ?? 8),
    blocks: (config.depths as number[] | undefined) ?? [2, 2, 2],
    heads: (config.num_heads as number[] | undefined) ?? [1, 2, 4],
    window: Number(config.window_size ?? 4),
    mlpRatio: Number(config.mlp_ratio ?? 2),
    maskPatch: Number(config.mask_patch ?? 8),
    dropPath: 0.3,
  };
}

function oracleModel() {
  const reference = oracle.index.models.swin_a as (typeof oracle.index.models)[string];
  return { reference, model: swin(configOf(reference.config)) };
}

function parametersOf(): Parameters {
  const values = oracle.tensors('models/swin_a.safetensors');
  return Object.fromEntries(
    oracleModel().model.parameters.map(({ name, shape }) => {
      expect(shapeOf(values, name)).toEqual(shape);
      return [name, tf.tensor(floatsOf(values, name), [...shape])];
    }),
  );
}

function forward(testCase: OracleCase, tensors: TensorFile, branch: 'main' | 'sub', parameters: Parameters) {
  const pixels = tf.tensor4d(floatsOf(tensors, 'm0.x'), shapeOf(tensors, 'm0.x') as [number, number, number, number]);
  const images = tf.transpose(tf.div<tf.Tensor4D>(tf.sub(pixels, 128), 64), [0, 2, 3, 1]);
  const mode = { training: true, buffers: {}, update: () => {} };
  const draws = drawsOf(testCase, tensors, branch);
  return oracleModel().model.forward(parameters, { kind: 'images', images }, draws, mode);
}

function drawsOf(testCase: OracleCase, tensors: TensorFile, branch: 'main' | 'sub'): BranchDraws {
  const prefix = `s0.m0.${branch}.drop.`;
  const sites = [...tensors.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  const drop = sites.map((site) => {
    const keep = testCase.keep_prob?.[branch]?.[site] as number;
    return [site, tf.div(tf.tensor1d(floatsOf(tensors, prefix + site)), keep)] as const;
  });
  const hidden =
    branch === 'sub' && tensors.has('s0.m0.patch_mask') ? floatsOf(tensors, 's0.m0.patch_mask') : undefined;
  return {
    drop: Object.fromEntries(drop),
    ...(hidden ? { hidden: tf.tensor2d(hidden, [testCase.batch, hidden.length / testCase.batch]) } : {}),
  };
}

/** Gradient of one term with its weight; that of the sub term takes the main logits of the reference as its target. */
function gradientsOf(testCase: OracleCase, tensors: TensorFile, branch: 'main' | 'sub'): Map<string, Float32Array> {
  const names = oracleModel().model.parameters.map(({ name }) => name);
  const gradients = tf.tidy(() => {
    const criterion = criteria[testCase.loss];
    const parameters = parametersOf();
    const shape = shapeOf(tensors, 's0.m0.target') as [number, number];
    const target =
      branch === 'main'
        ? tf.tensor2d(floatsOf(tensors, 's0.m0.target'), shape)
        : criterion.activation(tf.tensor2d(floatsOf(tensors, 's0.m0.main.logits'), shape));
    const { grads } = tf.valueAndGrads((...all: tf.Tensor[]) => {
      const given = Object.fromEntries(names.map((name, i) => [name, all[i] as tf.Tensor]));
      const loss = criterion.loss(forward(testCase, tensors, branch, given), target);
      return tf.mul<tf.Scalar>(loss, testCase.method === 'baseline' ? 1 : 0.5);
    })(Object.values(parameters));
    return grads.map((gradient) => gradient.dataSync<'float32'>());
  });
  return new Map(names.map((name, i) => [name, gradients[i] as Float32Array]));
}

function compareFingerprints(
  name: string,
  gradients: ReadonlyMap<string, Float32Array>,
  tensors: TensorFile,
  comparison: Comparison,
) {
  const values = floatsOf(tensors, name);
  const rows = oracleModel().reference.param_order.map((_, i) => values.subarray(3 * i, 3 * i + 3));
  const largest = Math.max(...rows.map((row) => row[0] as number));
  oracleModel().reference.param_order.forEach((parameter, i) => {
    const row = rows[i] as Float32Array;
    const allowed = 1e-4 * Math.max(row[0] as number, 0.01 * largest);
    comparison.array(`${name} of ${parameter}`, fingerprint(gradients.get(parameter) ?? []), row, allowed);
  });
}
