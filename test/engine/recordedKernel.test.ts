/** The fused kernel computes what tfjs computes: random graphs of elementwise ops and reductions, and the engine's own ops. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { selfAttention } from '../../src/engine/ops/attention.ts';
import { gelu } from '../../src/engine/ops/gelu.ts';
import { layerNorm } from '../../src/engine/ops/layerNorm.ts';
import { linear } from '../../src/engine/ops/linear.ts';
import { criteria } from '../../src/engine/ops/losses.ts';
import { residual } from '../../src/engine/ops/residual.ts';
import type { GraphRuntime } from '../../src/engine/step/graphRuntime.ts';
import { compileGraph } from '../../src/engine/step/recorded/compile.ts';
import { record } from '../../src/engine/step/recorded/trace.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { graphRuntime } from './examples.ts';

let runtimes: readonly GraphRuntime[];
beforeAll(async () => {
  await loadBackend('tensorflow');
  runtimes = [graphRuntime(1), graphRuntime(2)];
});

interface Input {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

type Compute = (...inputs: tf.Tensor[]) => tf.Tensor[];

interface Result {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What `compute` gives as a recorded graph. `fused`: how many kernels of ours are in it. */
async function recorded(inputs: readonly Input[], compute: Compute, runtime: GraphRuntime) {
  const { infer, close } = runtime.inference();
  const { nodes, result } = record('r/', infer, (trace) => {
    const tensors = inputs.map(({ shape }, i) => trace.placeholder(`${i}`, 'float32', shape));
    const outputs = compute(...tensors);
    return outputs.map((output) => ({ shape: output.shape, value: trace.valueOf(output) }));
  });
  close();
  const results = new Map(result.map(({ value }, i) => [`${i}`, value]));
  const graph = compileGraph(
    'r/',
    { nodes, results, updates: new Map() },
    { precision: 'float32', fused: runtime.fused },
  );
  const session = runtime.open();
  session.extend(graph.bytes);
  const feeds = inputs.map((input, i) => ({ ...input, node: `r/${i}`, dtype: 'float32' as const }));
  const values = await session.run(feeds, [...graph.fetches.values()], []);
  session.close();
  const fused = Buffer.from(graph.bytes).toString('latin1').split('MaskSubFused').length - 1;
  return { results: result.map(({ shape }, i): Result => ({ shape, values: values[i] as Float32Array })), fused };
}

function eager(inputs: readonly Input[], compute: Compute): Result[] {
  return tf.tidy(() => {
    const outputs = compute(...inputs.map(({ shape, values }) => tf.tensor(values, [...shape])));
    return outputs.map((output): Result => ({ shape: output.shape, values: output.dataSync<'float32'>() })) as never;
  });
}

/**
 * Equal but for rounding, in units of the largest value, and of the first result's where one number stands for many of it; not-a-numbers and
 * infinities at the same places.
 */
function expectEqual(actual: readonly Result[], expected: readonly Result[], tolerance: number): void {
  expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
  for (const [o, { values }] of expected.entries()) {
    const own = actual[o]?.values as Float32Array;
    expect(own.length).toBe(values.length);
    const first = expected[0]?.values ?? values;
    const summed = largestOf(first) * Math.max(1, first.length / values.length);
    const allowed = tolerance * largestOf(values) + 1e-6 * summed;
    const wrong = [...values.keys()].filter((i) => {
      const [a, b] = [own[i] as number, values[i] as number];
      return !(Number.isFinite(b) ? Math.abs(a - b) <= allowed : Object.is(a, b));
    });
    const shown = wrong.slice(0, 3).map((i) => `output ${o}[${i}]: ${own[i]} instead of ${values[i]}`);
    expect(shown, `${wrong.length} of ${values.length} differ`).toEqual([]);
  }
}

const largestOf = (values: Float32Array) =>
  values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0.05);

async function expectFused(inputs: readonly Input[], compute: Compute, tolerance = 1e-5): Promise<number> {
  let most = 0;
  for (const runtime of runtimes) {
    const { results, fused } = await recorded(inputs, compute, runtime);
    expectEqual(results, eager(inputs, compute), tolerance);
    most = Math.max(most, fused);
  }
  return most;
}

/** Numbers between −2 and 2, the same for the same seed. */
function noise(shape: readonly number[], seed = 1): Input {
  const size = shape.reduce((product, length) => product * length, 1);
  let state = seed * 2654435761;
  const values = Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 4 - 2;
  });
  return { shape, values };
}

describe('random graphs', () => {
  // Smooth and bounded, so that rounding stays rounding.
  const unary: readonly ((x: tf.Tensor) => tf.Tensor)[] = [
    tf.neg,
    tf.abs,
    (x) => tf.square(tf.tanh(x)),
    (x) => tf.sqrt(tf.abs(tf.add(x, 0.3))),
    (x) => tf.rsqrt(tf.add(tf.abs(x), 0.5)),
    (x) => tf.reciprocal(tf.add(tf.abs(x), 0.5)),
    (x) => tf.exp(tf.minimum(x, 1)),
    (x) => tf.log(tf.add(tf.abs(x), 0.5)),
    (x) => tf.log1p(tf.abs(x)),
    (x) => tf.expm1(tf.minimum(x, 1)),
    tf.erf,
    tf.tanh,
    tf.sigmoid,
    tf.relu,
    (x) => tf.mul(x, 0.7),
    (x) => tf.sub(1.5, x),
    (x) => tf.softmax(x),
    (x) => tf.sub(x, tf.mean(x, -1, true)),
    (x) => tf.sub(x, tf.max(x, -1, true)),
    (x) => tf.div(x, tf.add(tf.sum(tf.square(x), -1, true), 1)),
    (x) => tf.add(x, tf.mean(x, 0, true)),
  ];
  const binary: readonly ((x: tf.Tensor, y: tf.Tensor) => tf.Tensor)[] = [
    tf.add,
    tf.sub,
    (x, y) => tf.sub(y, x),
    (x, y) => tf.mul(tf.tanh(x), y),
    (x, y) => tf.div(x, tf.add(tf.abs(y), 0.5)),
    (x, y) => tf.div(y, tf.add(tf.abs(x), 0.5)),
    tf.maximum,
    tf.minimum,
    tf.squaredDifference,
  ];
  /** How a second operand of a tensor (B, T, D) may lie: all of it, one number a row, one row, one a sample, one table a position, one. */
  const patterns = ['full', 'row', 'column', 'sample', 'position', 'scalar', 'vector'] as const;
  const shapeOf = (pattern: (typeof patterns)[number], [b, t, d]: readonly [number, number, number]) =>
    ({
      full: [b, t, d],
      row: [b, t, 1],
      column: [1, 1, d],
      sample: [b, 1, 1],
      position: [1, t, d],
      scalar: [],
      vector: [d],
    })[pattern];
  /** Every way to read the result. */
  const readings: readonly ((x: tf.Tensor) => tf.Tensor)[] = [
    (x) => tf.sum(x, -1),
    (x) => tf.sum(x, [0, 1]),
    (x) => tf.mean(x, [0, 1], true),
    (x) => tf.sum(x),
    (x) => tf.max(x, -1, true),
    (x) => tf.sum(x, 1),
    (x) => tf.transpose(x, [1, 0, 2]),
    (x) => tf.reshape(x, [-1, x.shape[2] as number]),
  ];

  const operations = fc.array(
    fc.oneof(
      fc.record({ unary: fc.nat(unary.length - 1) }),
      fc.record({ binary: fc.nat(binary.length - 1), pattern: fc.constantFrom(...patterns) }),
    ),
    { minLength: 1, maxLength: 8 },
  );
  const shapes: readonly [number, number, number][] = [
    [1, 1, 1],
    [1, 1, 5],
    [1, 7, 1],
    [3, 1, 17],
    [2, 5, 16],
    [4, 3, 33],
    [2, 17, 64],
    [3, 33, 65],
    [1, 5, 1535],
    [1, 2, 1536],
    [2, 1, 1537],
    [1, 1, 5000],
    [64, 65, 3],
    [9, 130, 31],
  ];

  test('give what tfjs gives, whatever is broadcast, reduced and read', async () => {
    let kernels = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...shapes),
        operations,
        fc.uniqueArray(fc.nat(readings.length - 1), { minLength: 1, maxLength: 4 }),
        async (shape, ops, read) => {
          const seconds = ops.flatMap((op) => ('binary' in op ? [shapeOf(op.pattern, shape)] : []));
          const inputs = [noise(shape), ...seconds.map((second, i) => noise(second, i + 2))];
          kernels += await expectFused(
            inputs,
            (first, ...rest) => {
              let x = first as tf.Tensor;
              for (const op of ops) {
                const second = 'binary' in op ? (rest.shift() as tf.Tensor) : undefined;
                x = 'binary' in op ? (binary[op.binary]?.(x, second as tf.Tensor) ?? x) : (unary[op.unary]?.(x) ?? x);
              }
              return [x, ...read.map((index) => readings[index]?.(x) ?? x)];
            },
            1e-4,
          );
        },
      ),
      { numRuns: 300, seed: 5 },
    );
    expect(kernels).toBeGreaterThan(250);
  });

  test('let not-a-numbers and infinities through where tfjs does', async () => {
    const special = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      -0,
      1e-30,
      3e38,
      -3e38,
      88,
      -104,
    ];
    const ops: readonly ((x: tf.Tensor) => tf.Tensor)[] = [
      ...[tf.neg, tf.abs, tf.square, tf.sqrt, tf.rsqrt, tf.reciprocal, tf.exp, tf.log, tf.log1p, tf.expm1],
      ...[tf.erf, tf.tanh, tf.sigmoid, tf.relu, tf.sign, tf.floor],
      (x) => tf.maximum(x, 0.5),
      (x) => tf.minimum(0.5, x),
      (x) => tf.div(1, x),
      (x) => tf.sum(x, -1, true),
      (x) => tf.sum(x, 0),
      (x) => tf.softmax(x),
    ];
    for (const [i, op] of ops.entries()) {
      for (const length of [special.length, 37]) {
        const values = Float32Array.from({ length: 512 * length }, (_, k) => special[k % special.length] as number);
        const input = { shape: [512, length], values };
        // Twice, so that there is something to fuse; a doubled value keeps its kind.
        const compute: Compute = (x) => [tf.mul(op(tf.mul(x as tf.Tensor, 1)), 1)];
        const [{ values: expected }] = eager([input], compute) as [Result];
        for (const runtime of runtimes) {
          const [own] = (await recorded([input], compute, runtime)).results as [Result];
          const kind = (value: number) => (Number.isFinite(value) ? 'finite' : String(value));
          expect([...own.values.subarray(0, 40)].map(kind), `op ${i}, rows of ${length}`).toEqual(
            [...expected.subarray(0, 40)].map(kind),
          );
        }
      }
    }
  });
});

describe("the engine's own ops, forward and backward, at sizes around the edges of tiles", () => {
  const gradientsOf =
    (op: (...inputs: tf.Tensor[]) => tf.Tensor): Compute =>
    (...inputs) => {
      // Squared, so that the gradient depends on the value.
      const { value, grads } = tf.valueAndGrads((...xs: tf.Tensor[]) => tf.sum<tf.Scalar>(tf.square(op(...xs))))(
        inputs,
      );
      return [op(...inputs), value, ...grads];
    };
  const sizes: readonly [number, number][] = [
    [1, 1],
    [1, 2],
    [2, 1],
    [3, 15],
    [5, 16],
    [4, 17],
    [33, 31],
    [31, 64],
    [7, 383],
    [130, 384],
    [3, 1535],
    [2, 1536],
    [3, 1537],
    [1, 4097],
    [2049, 6],
  ];
  const ops: Record<string, (rows: number, columns: number) => [readonly Input[], Compute]> = {
    gelu: (r, c) => [[noise([r, c])], gradientsOf((x) => gelu(x as tf.Tensor))],
    softmax: (r, c) => [[noise([r, c])], gradientsOf((x) => tf.softmax(x as tf.Tensor))],
    'layer norm': (r, c) => [
      [noise([r, c]), noise([c], 2), noise([c], 3)],
      gradientsOf((...[x, w, b]) => layerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-3)),
    ],
    linear: (r, c) => [
      [noise([r, c]), noise([5, c], 2), noise([5], 3)],
      gradientsOf((...[x, w, b]) => linear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D)),
    ],
    residual: (r, c) => [
      [noise([2 * r, c]), noise([2 * r, c], 2), noise([c], 3), noise([r], 4)],
      (...[x, y, scale, drop]) =>
        gradientsOf((...[x, y, scale]) =>
          residual(x as tf.Tensor2D, y as tf.Tensor2D, scale as tf.Tensor1D, drop as tf.Tensor1D),
        )(x as tf.Tensor, y as tf.Tensor, scale as tf.Tensor),
    ],
    'cross-entropy': (r, c) => [
      [noise([r, c]), noise([r, c], 2)],
      (...[x, t]) => {
        const target = tf.abs(t as tf.Tensor2D);
        const { value, grads } = tf.valueAndGrads((logits) => criteria.ce.loss(logits as tf.Tensor2D, target))([
          x as tf.Tensor,
        ]);
        return [value, ...grads];
      },
    ],
    'binary cross-entropy': (r, c) => [
      [noise([r, c]), noise([r, c], 2)],
      (...[x, t]) => {
        const target = tf.sigmoid(t as tf.Tensor2D);
        const { value, grads } = tf.valueAndGrads((logits) => criteria.bce.loss(logits as tf.Tensor2D, target))([
          x as tf.Tensor,
        ]);
        return [value, ...grads];
      },
    ],
  };
  for (const [name, make] of Object.entries(ops)) {
    test(name, async () => {
      for (const [rows, columns] of sizes) await expectFused(...make(rows, columns), 2e-5);
    });
  }

  test('self-attention', async () => {
    for (const [batch, tokens, heads, width] of [
      [1, 1, 1, 1],
      [2, 4, 2, 8],
      [3, 17, 3, 48],
      [2, 65, 4, 64],
      [5, 33, 3, 33],
    ] as const) {
      const compute = gradientsOf((qkv) => selfAttention(qkv as tf.Tensor2D, batch, heads));
      await expectFused([noise([batch * tokens, 3 * width])], compute, 2e-5);
    }
  });
});
