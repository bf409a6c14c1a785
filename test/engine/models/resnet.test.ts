/** ResNet agrees with timm: batch normalization, parameters, logits and gradients; its convolutions with tfjs's own gradients. */
import fs from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { modelSizes } from '../../../src/core/modelConfig.ts';
import type { BranchDraws, ForwardMode, Model, Parameters } from '../../../src/engine/models/model.ts';
import { type ResnetConfig, resnet } from '../../../src/engine/models/resnet.ts';
import { batchNorm, batchNormBy } from '../../../src/engine/ops/batchNorm.ts';
import { convolution, convolutionOfConstant, maxPool, relu } from '../../../src/engine/ops/convolution.ts';
import { sizeOf } from '../../../src/engine/parameters.ts';
import { loadBackend } from '../../../src/runner/backend.ts';
import { Comparison, maxAbs } from '../../../src/runner/parity/comparison.ts';
import { floatsOf, numbersOf, type OracleCase, openOracle, shapeOf } from '../../../src/runner/parity/oracle.ts';
import type { TensorFile } from '../../../src/store/safetensors.ts';

const oracle = openOracle('test/parity/oracle');
const caseOf = (name: string) => oracle.index.cases[name] as OracleCase;

beforeAll(async () => {
  await loadBackend('tensorflow');
});

const tiny: ResnetConfig = {
  imageSize: 32,
  channels: 3,
  classes: 9,
  blocks: [1, 2, 1, 1],
  widths: [6, 8, 12, 16],
  stem: 64,
  maskPatch: 8,
  dropPath: 0.2,
};

test.each([
  ['50', 25_557_032, 4.089],
  ['101', 44_549_160, 7.801],
  ['152', 60_192_808, 11.514],
] as const)('ResNet-%s has the published parameters and cost', (size, parameters, billions) => {
  const model = resnet({
    ...tiny,
    ...modelSizes.resnet[size],
    widths: [64, 128, 256, 512],
    stem: 64,
    imageSize: 224,
    classes: 1000,
    maskPatch: 32,
  });
  expect(model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0)).toBe(parameters);
  // torchvision counts a multiply-add as one.
  expect(model.forwardFlops(49) / 2e9).toBeCloseTo(billions, 2);
  expect(model.masking).toEqual({ kind: 'hide', rows: 7, columns: 7 });
});

test('names, buffers, decay and drop rates are those of timm', () => {
  const model = resnet(tiny);
  const index = JSON.parse(fs.readFileSync('test/parity/oracle/index.json', 'utf8'));
  const reference = index.models.resnet_a;
  expect(model.parameters.map(({ name }) => name)).toEqual(reference.param_order);
  expect(model.buffers.map(({ name }) => name)).toEqual(reference.buffers);
  expect(model.parameters.filter(({ decay }) => !decay).map(({ name }) => name)).toEqual(reference.no_decay);
  const dropped = Object.fromEntries(
    model.dropSites.filter(({ rate }) => rate > 0).map(({ site, rate }) => [site, expect.closeTo(1 - rate, 12)]),
  );
  expect(caseOf('resnet_masksub_bce_lamb').keep_prob?.main).toEqual(dropped);
  expect(model.depth).toBe(5);
  expect([...new Set(model.parameters.map(({ layer }) => layer))]).toEqual(
    'stem layer1.0 layer2.0 layer2.1 layer3.0 layer4.0 head'.split(' '),
  );
});

describe('batch normalization', () => {
  const units = oracle.tensors('units/ops.safetensors');
  const vector = (name: string) => tf.tensor1d(floatsOf(units, `bn.${name}`));
  const image = (name: string) => toChannelsLast(units, `bn.${name}`);
  const check = (comparison: Comparison, name: string, got: tf.Tensor) => {
    const expected =
      units.get(`bn.${name}`)?.shape.length === 4 ? image(name).dataSync() : floatsOf(units, `bn.${name}`);
    expected.forEach((value, i) => {
      comparison.number(name, got.dataSync()[i] as number, value, 1e-5 * Math.max(1, Math.abs(value)));
    });
  };
  const running = () => ({ mean: vector('running_mean'), variance: vector('running_var') });

  test('training', () => {
    const comparison = new Comparison();
    const next: tf.Tensor1D[] = [];
    tf.tidy(() => {
      const norm = (x: tf.Tensor4D) =>
        batchNorm(x, vector('weight'), vector('bias'), running(), ({ mean, variance }) => {
          next.splice(0, 2, tf.keep(mean), tf.keep(variance));
        });
      check(comparison, 'y', norm(image('x')));
      check(comparison, 'dx', tf.grad((x) => norm(x as tf.Tensor4D))(image('x'), image('dy')));
    });
    check(comparison, 'running_mean_after', next[0] as tf.Tensor);
    check(comparison, 'running_var_after', next[1] as tf.Tensor);
    expect(comparison.worst.ratio, comparison.worst.tensor).toBeLessThan(0.5);
  });

  test('evaluation', () => {
    const comparison = new Comparison();
    check(comparison, 'y_eval', batchNormBy(image('x'), vector('weight'), vector('bias'), running()));
    expect(comparison.worst.ratio, comparison.worst.tensor).toBeLessThan(0.5);
  });

  test('of one row leaves finite statistics', () => {
    const row = tf.ones<tf.Rank.R4>([1, 1, 1, 3]);
    const [mean, variance] = tf.tidy(() => {
      const next: tf.Tensor1D[] = [];
      batchNorm(row, vector('weight'), vector('bias'), running(), (of) =>
        next.push(tf.keep(of.mean), tf.keep(of.variance)),
      );
      return next;
    }) as [tf.Tensor1D, tf.Tensor1D];
    for (const value of [...mean.dataSync(), ...variance.dataSync()]) expect(value).toSatisfy(Number.isFinite);
  });
});

/** tfjs differentiates `tf.conv2d` and `tf.maxPool` itself on its own backend, where paddings of any kind are allowed. */
describe.each(['tensorflow', 'wasm'] as const)('on %s', (backend) => {
  beforeAll(async () => {
    await loadBackend(backend);
    return async () => {
      await loadBackend('tensorflow');
    };
  });

  test.each([
    { kernel: 1, stride: 1, side: 5 },
    { kernel: 1, stride: 2, side: 6 },
    { kernel: 1, stride: 2, side: 5 },
    { kernel: 3, stride: 1, side: 5 },
    { kernel: 3, stride: 2, side: 6 },
    { kernel: 3, stride: 2, side: 5 },
    { kernel: 7, stride: 2, side: 8 },
  ])('a convolution and its gradients: %o', async ({ kernel, stride, side }) => {
    const x = noise([2, side, side + 1, 3], 1);
    const weight = noise([4, 3, kernel, kernel], 2);
    const padding = (kernel - 1) / 2;
    const direct = (x: tf.Tensor4D, weight: tf.Tensor4D) =>
      tf.conv2d(x, tf.transpose(weight, [2, 3, 1, 0]), stride, padding, 'NHWC', 1, 'floor');
    const ours = valuesAndGradients((x, w) => convolution(x, w, stride), [x, weight]);
    const constant = valuesAndGradients(
      (w) => convolutionOfConstant(tf.tensor4d(x.values, x.shape), w, stride),
      [weight],
    );
    await loadBackend('cpu');
    const expected = valuesAndGradients(direct, [x, weight]);
    await loadBackend(backend);
    expectNear(ours, expected);
    expectNear(constant, [expected[0] ?? [], expected[2] ?? []]);
  });

  test.each([7, 8])('max pooling of %i pixels, and its gradient', async (side) => {
    const x = noise([2, side, side, 3], 3);
    // Padding with 0 would show where all of a window is negative; there WebAssembly's kernel has a wrong gradient.
    const rectified = backend === 'wasm' ? relu : (x: tf.Tensor4D) => x;
    const ours = valuesAndGradients((x) => maxPool(rectified(x), 3, 2), [x]);
    await loadBackend('cpu');
    const expected = valuesAndGradients((x) => tf.maxPool(rectified(x), 3, 2, 1, 'floor'), [x]);
    await loadBackend(backend);
    expectNear(ours, expected);
  });
});

test('training moves every running statistic, evaluation none, and evaluation reads them', () => {
  const testCase = caseOf('resnet_baseline');
  const tensors = oracle.tensors(testCase.file);
  const updated: string[] = [];
  const logits = (mode: Partial<ForwardMode>) =>
    tf.tidy(() => forward(testCase, tensors, 'main', parametersOf(), mode).dataSync());
  const update = (name: string) => updated.push(name);
  logits({ update });
  const model = resnet(tiny);
  expect(updated.sort()).toEqual(model.buffers.map(({ name }) => name).sort());
  const evaluated = logits({ training: false, update });
  expect(updated.length).toBe(model.buffers.length);
  const others = Object.fromEntries(model.buffers.map(({ name, shape }) => [name, tf.fill([...shape], 2)]));
  expect([...logits({ training: false, buffers: others })]).not.toEqual([...evaluated]);
  tf.dispose(others);
});

function tensorsOf(specs: Model['parameters'] | Model['buffers']): Parameters {
  const values = oracle.tensors('models/resnet_a.safetensors');
  return Object.fromEntries(
    specs.map(({ name, shape }) => {
      expect(shapeOf(values, name)).toEqual(shape);
      return [name, tf.tensor(floatsOf(values, name), [...shape])];
    }),
  );
}

const parametersOf = () => tensorsOf(resnet(tiny).parameters);

/** Logits of step 0 with the stored draws. */
function forward(
  testCase: OracleCase,
  tensors: TensorFile,
  branch: 'main' | 'sub',
  parameters: Parameters,
  mode: Partial<ForwardMode> = {},
): tf.Tensor2D {
  const model = resnet(tiny);
  const pixels = tf.div<tf.Tensor4D>(tf.sub(toChannelsLast(tensors, 'm0.x'), 128), 64);
  const prefix = `s0.m0.${branch}.drop.`;
  const sites = [...tensors.keys()].filter((name) => name.startsWith(prefix));
  const drop = sites.map((name) => {
    const site = name.slice(prefix.length);
    const keep = testCase.keep_prob?.[branch]?.[site] as number;
    return [site, tf.tensor1d(floatsOf(tensors, name).map((kept) => kept / keep))] as const;
  });
  const draws: BranchDraws = {
    drop: Object.fromEntries(drop),
    ...(branch === 'sub'
      ? { hidden: tf.tensor2d(floatsOf(tensors, 's0.m0.patch_mask'), [testCase.batch, 16], 'float32') }
      : {}),
  };
  const all = { training: true, buffers: tensorsOf(model.buffers), update: () => {}, ...mode };
  return model.forward(parameters, { kind: 'images', images: pixels }, draws, all);
}

/** (B, C, H, W) as (B, H, W, C). */
function toChannelsLast(tensors: TensorFile, name: string): tf.Tensor4D {
  const shape = shapeOf(tensors, name) as [number, number, number, number];
  return tf.transpose(tf.tensor4d(Float32Array.from(numbersOf(tensors, name)), shape), [0, 2, 3, 1]);
}

interface Noise {
  readonly values: Float32Array;
  readonly shape: [number, number, number, number];
}

function noise(shape: Noise['shape'], seed: number): Noise {
  const size = shape.reduce((product, n) => product * n, 1);
  return { values: Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 7.1 * (i + 1) ** 1.3)), shape };
}

/** The value of `f`, and the gradients of a sum of its elements with weights. */
function valuesAndGradients(f: (...x: tf.Tensor4D[]) => tf.Tensor4D, inputs: readonly Noise[]): Float32Array[] {
  return tf.tidy(() => {
    const tensors = inputs.map(({ values, shape }) => tf.tensor4d(values, shape));
    const value = f(...tensors);
    const dy = noise(value.shape, 5);
    const gradients = tf.grads((...x) => f(...(x as tf.Tensor4D[])))(tensors, tf.tensor4d(dy.values, dy.shape));
    return [value, ...gradients].map((tensor) => Float32Array.from(tensor.dataSync()));
  });
}

function expectNear(got: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[]): void {
  const comparison = new Comparison();
  expected.forEach((values, i) => {
    comparison.array(`output ${i}`, got[i] ?? [], values, 1e-5 * Math.max(1, maxAbs(values)));
  });
  expect(comparison.worst.ratio, comparison.worst.tensor).toBeLessThan(1);
}
