/** Every gradient that is written by hand: against tfjs's own gradient of the same formula in plain ops, and against differences. */
import fs from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/core/random.ts';
import { attention, scoresOfPadding, selfAttention } from '../../src/engine/ops/attention.ts';
import { batchNorm } from '../../src/engine/ops/batchNorm.ts';
import { convolution, convolutionOfConstant, maxPool, relu } from '../../src/engine/ops/convolution.ts';
import { dropElements } from '../../src/engine/ops/dropElements.ts';
import { lookUp } from '../../src/engine/ops/embedding.ts';
import { gelu, quickGelu } from '../../src/engine/ops/gelu.ts';
import { hideNothing, hideTokens } from '../../src/engine/ops/hideTokens.ts';
import { layerNorm } from '../../src/engine/ops/layerNorm.ts';
import { linear, linearOfConstant } from '../../src/engine/ops/linear.ts';
import { binaryCrossEntropy, softmaxCrossEntropy } from '../../src/engine/ops/losses.ts';
import { overBatch } from '../../src/engine/ops/overBatch.ts';
import { biasOfKept, gridPositionBias, relativePositionBias } from '../../src/engine/ops/relativePosition.ts';
import { residual } from '../../src/engine/ops/residual.ts';
import { fromWindows, toWindows, type WindowGrid } from '../../src/engine/ops/windows.ts';
import { loadBackend } from '../../src/runner/backend.ts';

type Formula = (...inputs: tf.Tensor[]) => tf.Tensor;

interface Case {
  /** Names of exports of `src/engine/ops`. */
  readonly op: string;
  readonly variant?: string;
  /** Shapes of the inputs that have a gradient. */
  readonly shapes: readonly number[][];
  /** Values of an input; standard normal where it does not say. */
  readonly values?: (size: number, stream: RandomStream) => number[];
  readonly ours: Formula;
  /** The same in ops whose gradients are tfjs's. */
  readonly plain: Formula;
}

const ops = 'src/engine/ops';
/** Exports of files with gradients of their own that have none: tables on the host, constants, plain ops. */
const withoutOwnGradient = [
  'attentionWeights',
  'batchNormBy',
  'blockedPairs',
  'gridConstants',
  'relativePositionIndex',
  'scoresOfPadding',
];

beforeAll(async () => {
  await loadBackend('tensorflow');
});

const t2 = (tensor: tf.Tensor | undefined) => tensor as tf.Tensor2D;
const t1 = (tensor: tf.Tensor | undefined) => tensor as tf.Tensor1D;
const t3 = (tensor: tf.Tensor | undefined) => tensor as tf.Tensor3D;
const t4 = (tensor: tf.Tensor | undefined) => tensor as tf.Tensor4D;
/** A constant of normal draws. */
const noise = (shape: number[], name = 'constant') => {
  const stream = new RandomStream(2, name);
  return tf.tensor(normals(sizeOf(shape), stream), shape);
};
const bits = (count: number) => {
  const stream = new RandomStream(3, 'bits');
  return Array.from({ length: count }, () => stream.below(2));
};
/** Rows of `source` in the order `rows`, as a product with a matrix of zeros and ones. */
const picked = (source: tf.Tensor, rows: readonly number[]) =>
  tf.matMul(tf.oneHot(tf.tensor1d([...rows], 'int32'), source.shape[0] as number) as tf.Tensor2D, t2(source));
const range = (length: number) => Array.from({ length }, (_, i) => i);
const away = (from: number) => (size: number, stream: RandomStream) =>
  normals(size, stream).map((x) => x + Math.sign(x) * from);
/** All different by more than a difference moves them, in random order. */
const apart = (size: number, stream: RandomStream) =>
  [...stream.permutation(size)].map((place) => place / 4 - size / 8);

const softmaxAttention = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, added: tf.Tensor | undefined) => {
  const scores = tf.div(tf.matMul(q, k, false, true), Math.sqrt(q.shape[3] as number));
  const exponentials = tf.exp(added ? tf.add(scores, added) : scores);
  return tf.matMul(tf.div(exponentials, tf.sum(exponentials, -1, true)), v);
};
const toHeads = (x: tf.Tensor, batch: number, heads: number) =>
  tf.transpose(tf.reshape(x, [batch, -1, heads, (x.shape[1] as number) / heads]), [0, 2, 1, 3]);
const fromHeads = (x: tf.Tensor, rows: number) => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [rows, -1]);

/** 4 sequences of 5 tokens of width 6 in 2 heads; the bias is of `groups` of them. */
const attentionCase = (variant: string, groups: number): Case => ({
  op: 'selfAttention',
  variant,
  shapes:
    groups > 0
      ? [
          [20, 18],
          [2 * groups, 5, 5],
        ]
      : [[20, 18]],
  ours: (qkv, bias) => selfAttention(t2(qkv), 4, 2, { bias: bias && t3(bias) }),
  plain: (qkv, bias) => {
    const [q, k, v] = tf.split(t2(qkv), 3, 1).map((x) => toHeads(x, 4, 2)) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const added = bias && tf.tile(tf.reshape(bias, [groups, 2, 5, 5]), [4 / groups, 1, 1, 1]);
    return fromHeads(softmaxAttention(q, k, v, added), 20);
  },
});

const plainConvolution = (x: tf.Tensor, weight: tf.Tensor, stride: number) => {
  const by = ((weight.shape[2] as number) - 1) / 2;
  const wide = tf.pad(x, [
    [0, 0],
    [by, by],
    [by, by],
    [0, 0],
  ]);
  return tf.conv2d(t4(wide), t4(tf.transpose(weight, [2, 3, 1, 0])), stride, 'valid');
};

const convolutionCase = (size: number, stride: number, side: number): Case => ({
  op: 'convolution',
  variant: `${size}×${size}, stride ${stride}, side ${side}`,
  shapes: [
    [2, side, side, 3],
    [4, 3, size, size],
  ],
  ours: (x, weight) => convolution(t4(x), t4(weight), stride),
  plain: (x, weight) => plainConvolution(t4(x), t4(weight), stride),
});

/** Where each row of `toWindows` comes from. */
function windowRows({ side, window, shift }: WindowGrid, batch: number): number[] {
  const starts = range(side / window).map((i) => i * window);
  return range(batch).flatMap((b) =>
    starts.flatMap((top) =>
      starts.flatMap((left) =>
        range(window * window).map((t) => {
          const row = (top + Math.floor(t / window) + shift) % side;
          const column = (left + (t % window) + shift) % side;
          return (b * side + row) * side + column;
        }),
      ),
    ),
  );
}
const inverse = (order: readonly number[]) => range(order.length).map((row) => order.indexOf(row));

/** Rows of the table of a grid of `side` × `side` and a class token for each (query, key), as in BEiT. */
function gridRows(side: number): number[] {
  const [tokens, offsets] = [side * side + 1, 2 * side - 1];
  return range(tokens * tokens).map((pair) => {
    const [query, key] = [Math.floor(pair / tokens) - 1, (pair % tokens) - 1];
    if (query < 0) return offsets * offsets + (key < 0 ? 2 : 0);
    if (key < 0) return offsets * offsets + 1;
    const down = Math.floor(query / side) - Math.floor(key / side) + side - 1;
    return down * offsets + (query % side) - (key % side) + side - 1;
  });
}

/** (P, H) of pairs → (H, T, T). */
const ofHeads = (pairs: tf.Tensor, tokens: number) => tf.reshape(tf.transpose(pairs), [-1, tokens, tokens]);

const windowCase = (op: 'toWindows' | 'fromWindows', grid: WindowGrid): Case => {
  const rows = windowRows(grid, 2);
  return {
    op,
    variant: `shift ${grid.shift}`,
    shapes: [[2 * grid.side ** 2, 3]],
    ours: (x) => (op === 'toWindows' ? toWindows : fromWindows)(t2(x), grid),
    plain: (x) => picked(t2(x), op === 'toWindows' ? rows : inverse(rows)),
  };
};

/** Of each of two samples 3 of 5 tokens. */
const kept = [
  [4, 0, 2],
  [1, 2, 3],
];
const logitsAndTarget = [
  [4, 5],
  [4, 5],
];

const cases: readonly Case[] = [
  attentionCase('without bias', 0),
  attentionCase('with the bias of every sequence', 1),
  attentionCase('with biases of two sequences in turn', 2),
  {
    op: 'selfAttention',
    variant: 'with padding and the biases of each sequence',
    shapes: [
      [10, 18],
      [4, 5, 5],
    ],
    ours: (qkv, bias) => selfAttention(t2(qkv), 2, 2, { bias: t3(bias), padding: scoresOfPadding(presence()) }),
    plain: (qkv, bias) => {
      const [q, k, v] = tf.split(t2(qkv), 3, 1).map((x) => toHeads(x, 2, 2)) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const absent = tf.reshape(tf.mul(tf.sub(presence(), 1), 1e4), [2, 1, 1, 5]);
      return fromHeads(softmaxAttention(q, k, v, tf.add(tf.reshape(t3(bias), [2, 2, 5, 5]), absent)), 10);
    },
  },
  {
    op: 'attention',
    shapes: [
      [10, 6],
      [10, 6],
      [10, 6],
    ],
    ours: (q, k, v) => attention(t2(q), t2(k), t2(v), 2, 2, { padding: scoresOfPadding(presence()) }),
    plain: (q, k, v) => {
      const split = (x: tf.Tensor | undefined) => toHeads(t2(x), 2, 2);
      const absent = tf.reshape(tf.mul(tf.sub(presence(), 1), 1e4), [2, 1, 1, 5]);
      return fromHeads(softmaxAttention(split(q), split(k), split(v), absent), 10);
    },
  },
  {
    op: 'batchNorm',
    shapes: [[2, 3, 3, 4], [4], [4]],
    ours: (x, weight, bias) =>
      batchNorm(t4(x), t1(weight), t1(bias), { mean: tf.zeros([4]), variance: tf.ones([4]) }, () => {}),
    plain: (x, weight, bias) => {
      const { mean, variance } = tf.moments(t4(x), [0, 1, 2]);
      return tf.add(tf.mul(tf.div(tf.sub(t4(x), mean), tf.sqrt(tf.add(variance, 1e-5))), t1(weight)), t1(bias));
    },
  },
  convolutionCase(3, 1, 5),
  convolutionCase(3, 2, 6),
  convolutionCase(3, 2, 5),
  convolutionCase(7, 2, 8),
  convolutionCase(1, 1, 4),
  convolutionCase(1, 2, 4),
  convolutionCase(1, 2, 5),
  {
    op: 'convolutionOfConstant',
    shapes: [[4, 3, 7, 7]],
    ours: (weight) => convolutionOfConstant(t4(noise([2, 8, 8, 3])), t4(weight), 2),
    plain: (weight) => plainConvolution(t4(noise([2, 8, 8, 3])), t4(weight), 2),
  },
  ...[6, 7].map(
    (side): Case => ({
      op: 'maxPool',
      variant: `side ${side}`,
      shapes: [[2, side, side, 2]],
      values: apart,
      ours: (x) => maxPool(t4(x), 3, 2),
      // -1e3 is below every value, as the padding must be.
      plain: (x) =>
        tf.maxPool(
          t4(
            tf.pad(
              t4(x),
              [
                [0, 0],
                [1, 1],
                [1, 1],
                [0, 0],
              ],
              -1e3,
            ),
          ),
          3,
          2,
          'valid',
        ),
    }),
  ),
  { op: 'relu', shapes: [[4, 5]], values: away(0.1), ours: (x) => relu(t2(x)), plain: (x) => tf.relu(t2(x)) },
  {
    op: 'dropElements',
    shapes: [[6, 4]],
    ours: (x) => dropElements(t2(x), tf.mul(tf.tensor2d(bits(24), [2, 12]), 2)),
    plain: (x) => tf.mul(t2(x), tf.mul(tf.tensor2d(bits(24), [6, 4]), 2)),
  },
  {
    op: 'lookUp',
    variant: 'with repeated and unused ids',
    shapes: [[6, 4]],
    ours: (table) => lookUp(t2(table), tf.tensor1d([3, 0, 3, 5, 3, 1], 'int32')),
    plain: (table) => picked(t2(table), [3, 0, 3, 5, 3, 1]),
  },
  {
    op: 'gelu',
    shapes: [[8, 8]],
    ours: (x) => gelu(t2(x)),
    plain: (x) => tf.mul(tf.mul(t2(x), 0.5), tf.add(tf.erf(tf.div(t2(x), Math.SQRT2)), 1)),
  },
  {
    op: 'quickGelu',
    shapes: [[8, 8]],
    ours: (x) => quickGelu(t2(x)),
    plain: (x) => tf.div(t2(x), tf.add(tf.exp(tf.mul(t2(x), -1.702)), 1)),
  },
  {
    op: 'hideTokens',
    shapes: [[32, 3], [3]],
    ours: (x, token) => hideTokens(t2(x), t1(token), tf.tensor2d(bits(8), [2, 4]), { side: 4, perPatch: 2 }),
    plain: (x, token) => {
      const patch = (row: number) =>
        4 * Math.floor(row / 16) + 2 * Math.floor((row % 16) / 8) + Math.floor((row % 4) / 2);
      const hidden = tf.tensor2d(
        range(32).map((row) => bits(8)[patch(row)] as number),
        [32, 1],
      );
      return tf.add(tf.mul(t2(x), tf.sub(1, hidden)), tf.mul(hidden, t1(token)));
    },
  },
  {
    op: 'hideNothing',
    shapes: [[8, 3], [3]],
    ours: (x, token) => hideNothing(t2(x), t1(token)),
    plain: (x, token) => tf.add(t2(x), tf.mul(t1(token), 0)),
  },
  {
    op: 'layerNorm',
    shapes: [[5, 8], [8], [8]],
    ours: (x, weight, bias) => layerNorm(t2(x), t1(weight), t1(bias), 1e-6),
    plain: (x, weight, bias) => {
      const { mean, variance } = tf.moments(t2(x), 1, true);
      return tf.add(tf.mul(tf.div(tf.sub(t2(x), mean), tf.sqrt(tf.add(variance, 1e-6))), t1(weight)), t1(bias));
    },
  },
  {
    op: 'linear',
    shapes: [[5, 4], [3, 4], [3]],
    ours: (x, weight, bias) => linear(t2(x), t2(weight), t1(bias)),
    plain: (x, weight, bias) => tf.add(tf.matMul(t2(x), tf.transpose(t2(weight))), t1(bias)),
  },
  {
    op: 'linearOfConstant',
    shapes: [[3, 4], [3]],
    ours: (weight, bias) => linearOfConstant(t2(noise([5, 4])), t2(weight), t1(bias)),
    plain: (weight, bias) => tf.add(tf.matMul(t2(noise([5, 4])), tf.transpose(t2(weight))), t1(bias)),
  },
  {
    op: 'softmaxCrossEntropy',
    variant: 'with targets that do not add up to 1',
    shapes: logitsAndTarget,
    ours: (logits, target) => softmaxCrossEntropy(t2(logits), t2(target)),
    plain: (logits, target) => {
      const sums = tf.log(tf.sum(tf.exp(t2(logits)), -1, true));
      return tf.div(tf.sum(tf.mul(tf.sub(sums, t2(logits)), t2(target))), 4);
    },
  },
  {
    op: 'binaryCrossEntropy',
    shapes: logitsAndTarget,
    ours: (logits, target) => binaryCrossEntropy(t2(logits), t2(target)),
    plain: (logits, target) => {
      const [yes, no] = [tf.log(tf.sigmoid(t2(logits))), tf.log(tf.sigmoid(tf.neg(t2(logits))))];
      return tf.neg(tf.mean(tf.add(tf.mul(yes, t2(target)), tf.mul(no, tf.sub(1, t2(target))))));
    },
  },
  {
    op: 'overBatch',
    shapes: [[5]],
    ours: (x) => overBatch(t1(x), 3),
    plain: (x) => tf.add(tf.zeros([3, 1, 5]), t1(x)),
  },
  {
    op: 'relativePositionBias',
    shapes: [[9, 2]],
    ours: (table) => relativePositionBias(t2(table), pairsOf([0, 4, 4, 8, 1, 0, 7, 4, 2])),
    plain: (table) => ofHeads(picked(t2(table), [0, 4, 4, 8, 1, 0, 7, 4, 2]), 3),
  },
  {
    op: 'gridPositionBias',
    shapes: [[28, 2]],
    ours: (table) => gridPositionBias(t2(table), 3),
    plain: (table) => ofHeads(picked(t2(table), gridRows(3)), 10),
  },
  {
    op: 'biasOfKept',
    shapes: [[2, 5, 5]],
    ours: (bias) =>
      biasOfKept(t3(bias), tf.cast(tf.oneHot(tf.tensor1d(kept.flat(), 'int32'), 5), 'float32') as tf.Tensor2D, 2),
    plain: (bias) => {
      const rows = kept.flatMap((tokens) =>
        [0, 25].flatMap((head) => tokens.flatMap((i) => tokens.map((j) => head + 5 * i + j))),
      );
      return tf.reshape(picked(tf.reshape(t3(bias), [50, 1]), rows), [4, 3, 3]);
    },
  },
  ...[
    { scaled: true, dropped: false },
    { scaled: false, dropped: true },
    { scaled: true, dropped: true },
  ].map(({ scaled, dropped }): Case => {
    const factors = [0, 1.25, 1.25];
    return {
      op: 'residual',
      variant: [scaled ? 'layer scale' : '', dropped ? 'drop-path' : ''].filter(Boolean).join(', '),
      shapes: scaled
        ? [[6, 4], [6, 4], [4]]
        : [
            [6, 4],
            [6, 4],
          ],
      ours: (x, y, scale) => residual(t2(x), t2(y), scale && t1(scale), dropped ? tf.tensor1d(factors) : undefined),
      plain: (x, y, scale) => {
        const rows = tf.tensor2d(
          range(6).map((row) => factors[Math.floor(row / 2)] as number),
          [6, 1],
        );
        const kept = dropped ? tf.mul(t2(y), rows) : t2(y);
        return tf.add(t2(x), scale ? tf.mul(kept, scale) : kept);
      },
    };
  }),
  ...[0, 1].flatMap((shift) => [
    windowCase('toWindows', { side: 4, window: 2, shift }),
    windowCase('fromWindows', { side: 6, window: 3, shift }),
  ]),
];

function presence(): tf.Tensor2D {
  return tf.tensor2d([
    [1, 1, 1, 0, 0],
    [1, 1, 1, 1, 1],
  ]);
}

function pairsOf(rows: readonly number[]): tf.Tensor2D {
  return tf.cast(tf.oneHot(tf.tensor1d([...rows], 'int32'), 9), 'float32') as tf.Tensor2D;
}

describe('the gradient of', () => {
  for (const testCase of cases) test(titleOf(testCase), () => check(testCase));
});

test('of a convolution, where the backend has no kernel for it', () => {
  const backend = tf.getBackend();
  const kernel = tf.getKernel(tf.Conv2DBackpropFilter, backend);
  const ofConvolution = cases.filter(({ op, variant }) => op === 'convolution' && !variant?.startsWith('1×1'));
  const expected = ofConvolution.map(({ plain, ...rest }) => gradientsOf(plain, rest));
  tf.unregisterKernel(tf.Conv2DBackpropFilter, backend);
  try {
    ofConvolution.forEach(({ ours, ...rest }, i) => {
      expectNear(gradientsOf(ours, rest), expected[i] ?? [], 1e-5);
    });
  } finally {
    tf.registerKernel(kernel);
  }
});

test('no op with a gradient of its own is missing here', async () => {
  const files = fs
    .readdirSync(ops)
    .filter((file) => /from '\.\/differentiable\.ts'/.test(fs.readFileSync(`${ops}/${file}`, 'utf8')));
  expect(files.length).toBeGreaterThan(10);
  const exports = await Promise.all(
    files.map(async (file) => {
      const module: Record<string, unknown> = await import(/* @vite-ignore */ path.resolve(ops, file));
      return Object.keys(module).filter((name) => typeof module[name] === 'function');
    }),
  );
  const known = [...new Set(cases.map(({ op }) => op)), ...withoutOwnGradient];
  expect(exports.flat().sort()).toEqual(known.sort());
});

/** Value and gradients agree with the plain formula to 1e-5 of their norms, and the gradient with differences of the op to 1 %. */
function check({ ours, plain, ...rest }: Case): void {
  const before = tf.memory().numTensors;
  const inputs = inputsOf(rest);
  const value = outputOf(ours, rest, inputs);
  expectNear([value], [outputOf(plain, rest, inputs)], 1e-5);
  const gradients = gradientsOf(ours, rest);
  expectNear(gradients, gradientsOf(plain, rest), 1e-5);

  // Along the gradient and a random direction at once: neither is then small, and an error across the gradient shows.
  const stream = new RandomStream(1, 'direction');
  const random = gradients.map((values) => normals(values.length, stream));
  const [ofGradient, ofRandom] = [norm(gradients.flat()), norm(random.flat())];
  const direction = gradients.map((values, i) =>
    values.map((value, j) => value / ofGradient + (random[i]?.[j] ?? 0) / ofRandom),
  );
  const epsilon = 4e-3 * Math.sqrt(random.flat().length);
  const loss = (factor: number) => {
    const moved = inputs.map((values, i) => values.map((value, j) => value + factor * (direction[i]?.[j] ?? 0)));
    return dot(outputOf(ours, rest, moved), outputWeights(value.length));
  };
  const slope = (loss(epsilon) - loss(-epsilon)) / (2 * epsilon);
  const expected = dot(gradients.flat(), direction.flat());
  expect(Math.abs(slope - expected) / Math.abs(expected), 'differences').toBeLessThan(1e-2);
  expect(tf.memory().numTensors, 'tensors').toBe(before);
}

type Inputs = Pick<Case, 'shapes' | 'values'>;

function inputsOf({ shapes, values = normals }: Inputs): number[][] {
  const stream = new RandomStream(0, 'inputs');
  return shapes.map((shape) => values(sizeOf(shape), stream).map(Math.fround));
}

function outputOf(formula: Formula, { shapes }: Inputs, inputs: readonly number[][]): number[] {
  return tf.tidy(() => [...formula(...inputs.map((values, i) => tf.tensor(values, shapes[i]))).dataSync()]);
}

/** Of the output weighted by `outputWeights` with respect to each input. */
function gradientsOf(formula: Formula, input: Inputs): number[][] {
  return tf.tidy(() => {
    const tensors = inputsOf(input).map((values, i) => tf.tensor(values, input.shapes[i]));
    const { shape, size } = formula(...tensors);
    return tf
      .grads(formula)(tensors, tf.tensor(outputWeights(size), shape))
      .map((tensor) => [...tensor.dataSync()]);
  });
}

const outputWeights = (count: number) => normals(count, new RandomStream(4, 'weights'));

function expectNear(got: readonly number[][], expected: readonly number[][], tolerance: number): void {
  expect(got.length).toBe(expected.length);
  const scale = norm(expected.flat());
  got.forEach((values, i) => {
    const wanted = expected[i] ?? [];
    expect(values.length).toBe(wanted.length);
    // Of its own norm; an input whose gradient is 0 is measured by the others.
    const allowed = tolerance * (norm(wanted) || scale);
    expect(norm(values.map((value, j) => value - (wanted[j] ?? Number.NaN))), `input ${i}`).toBeLessThanOrEqual(
      allowed,
    );
  });
}

const titleOf = ({ op, variant }: Case) => (variant ? `${op}, ${variant}` : op);
const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? Number.NaN), 0);
const norm = (values: readonly number[]) => Math.sqrt(dot(values, values));

function normals(size: number, stream: RandomStream): number[] {
  return Array.from({ length: size }, () => stream.normal());
}
