/**
 * What convolutional networks do to images (B, H, W, C): convolution, max pooling and rectification. Paddings are PyTorch's, the same
 * on every side; TensorFlow's `same` is not where the stride is 2.
 */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** x (B, H, W, in), weight (out, in, k, k) as in PyTorch, k odd → (B, ⌈H/stride⌉, ⌈W/stride⌉, out). Padded by (k − 1)/2. */
export function convolution(x: tf.Tensor4D, weight: tf.Tensor4D, stride: number): tf.Tensor4D {
  if (weight.shape[2] === 1) return pointwise(stride === 1 ? x : everyNth(x, stride), weight);
  const shape = weight.shape;
  return differentiable([x, weight], (x, weight) => {
    const filter = filterOf(weight);
    return {
      value: correlate(x, filter, stride),
      save: [x, filter],
      gradient: (dy, saved) => {
        const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
        return [inputGradient(dy, x.shape, filter, stride), weightGradient(dy, x, shape, stride)];
      },
    };
  });
}

/** `convolution` of an input that needs no gradient, such as pixels; spares the computation of it. */
export function convolutionOfConstant(x: tf.Tensor4D, weight: tf.Tensor4D, stride: number): tf.Tensor4D {
  const shape = weight.shape;
  return differentiable([weight], (weight) => ({
    value: correlate(x, filterOf(weight), stride),
    save: [x],
    gradient: (dy, [x]) => [weightGradient(dy, x as tf.Tensor4D, shape, stride)],
  }));
}

/** The largest of `size` × `size` pixels, `size` odd. x (B, H, W, C) → (B, ⌈H/stride⌉, ⌈W/stride⌉, C). */
export function maxPool(x: tf.Tensor4D, size: number, stride: number): tf.Tensor4D {
  const padding = (size - 1) / 2;
  const wide = (x: tf.Tensor4D) => padded(x, padding, Number.NEGATIVE_INFINITY);
  return differentiable([x], (x) => {
    const value = tf.maxPool(wide(x), size, stride, 'valid');
    return {
      value,
      save: [x, value],
      gradient: (dy, saved) => {
        const [x, output] = saved as [tf.Tensor4D, tf.Tensor4D];
        const attributes = { filterSize: size, strides: stride, pad: 'valid' };
        const inputs = { dy, input: wide(x), output };
        return [cropped(tf.engine().runKernel<tf.Tensor4D>(tf.MaxPoolGrad, inputs, attributes), padding, x.shape)];
      },
    };
  });
}

/** max(x, 0). Any shape. */
export function relu<T extends tf.Tensor>(x: T): T {
  return differentiable([x], (x) => {
    const value = tf.relu(x);
    // The next layer remembers the output anyway; its sign is 0 or 1.
    return { value, save: [value], gradient: (dy, [value]) => [tf.mul(dy, tf.sign(value as T))] };
  });
}

/** A convolution of single pixels is a product of matrices. */
function pointwise(x: tf.Tensor4D, weight: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const out = weight.shape[0];
  const product = differentiable(
    [tf.reshape<tf.Rank.R2>(x, [batch * height * width, channels]), tf.reshape<tf.Rank.R2>(weight, [out, channels])],
    (x, weight) => ({
      value: tf.matMul<tf.Tensor2D>(x, weight, false, true),
      save: [x, weight],
      gradient: (dy, [x, weight]) => [
        tf.matMul(dy, weight as tf.Tensor2D), // (B·H·W, in)
        tf.matMul(dy, x as tf.Tensor2D, true, false), // (out, in)
      ],
    }),
  );
  return tf.reshape(product, [batch, height, width, out]);
}

/** Every nth pixel of every nth row, from the first one on. x (B, H, W, C) → (B, ⌈H/n⌉, ⌈W/n⌉, C). */
function everyNth(x: tf.Tensor4D, n: number): tf.Tensor4D {
  const { shape, size } = x;
  return differentiable([x], (x) => ({
    value: strided(x, n),
    save: [],
    gradient: (dy) => {
      const [batch, rows, columns, channels] = dy.shape;
      // Zeros where pixels were left out: those beside a kept one as further channels of it, those below as further rows.
      const spread = pad(tf.reshape(dy, [batch * rows, 1, columns, channels]), [0, n - 1], none, [
        0,
        (n - 1) * channels,
      ]);
      const whole = tf.reshape<tf.Rank.R4>(spread, [batch, rows * n, columns * n, channels]);
      return [whole.size === size ? whole : tf.slice(whole, [0, 0, 0, 0], shape)];
    },
  }));
}

function strided(x: tf.Tensor4D, n: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (height % n !== 0 || width % n !== 0)
    return tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, n, n, 1]) as tf.Tensor4D;
  // The pixels that are left out as further rows and channels of the kept ones: a slice copies whole rows, on all threads.
  const grouped = tf.reshape<tf.Rank.R4>(x, [(batch * height) / n, n, width / n, n * channels]);
  const kept = tf.slice(grouped, [0, 0, 0, 0], [(batch * height) / n, 1, width / n, channels]);
  return tf.reshape(kept, [batch, height / n, width / n, channels]);
}

/** With stride 1, `same` is the padding that is wanted and takes no copy. */
const modeOf = (stride: number) => (stride === 1 ? 'same' : 'valid');
const paddingOf = (size: number, stride: number) => (stride === 1 ? 0 : (size - 1) / 2);

/** (out, in, k, k) → (k, k, in, out). */
const filterOf = (weight: tf.Tensor4D) => tf.transpose(weight, [2, 3, 1, 0]);

function correlate(x: tf.Tensor4D, filter: tf.Tensor4D, stride: number): tf.Tensor4D {
  return tf.conv2d(padded(x, paddingOf(filter.shape[0], stride)), filter, stride, modeOf(stride));
}

function inputGradient(dy: tf.Tensor4D, shape: Shape, filter: tf.Tensor4D, stride: number): tf.Tensor4D {
  const padding = paddingOf(filter.shape[0], stride);
  const [batch, height, width, channels] = shape;
  const wide: Shape = [batch, height + 2 * padding, width + 2 * padding, channels];
  return cropped(tf.conv2dTranspose(dy, filter, wide, stride, modeOf(stride)), padding, shape);
}

function weightGradient(dy: tf.Tensor4D, x: tf.Tensor4D, [out, channels, size]: Shape, stride: number): tf.Tensor4D {
  // tfjs has this kernel on every backend but WebAssembly, and no function for it.
  const hasKernel = tf.getKernel(tf.Conv2DBackpropFilter, tf.getBackend()) !== undefined;
  if (!hasKernel) return weightGradientByTaps(dy, x, size, stride);
  const wide = padded(x, paddingOf(size, stride));
  const filterShape = [size, size, channels, out];
  const attributes = { strides: stride, pad: modeOf(stride), dataFormat: 'NHWC', filterShape };
  const dFilter = tf.engine().runKernel<tf.Tensor4D>(tf.Conv2DBackpropFilter, { x: wide, dy }, attributes);
  return tf.transpose(dFilter, [3, 2, 0, 1]);
}

/** Each place of the filter has met a shifted image: its gradient is the product of that with dy. */
function weightGradientByTaps(dy: tf.Tensor4D, x: tf.Tensor4D, size: number, stride: number): tf.Tensor4D {
  const [batch, rows, columns, out] = dy.shape;
  const channels = x.shape[3];
  const wide = padded(x, (size - 1) / 2);
  const flat = tf.reshape<tf.Rank.R2>(dy, [batch * rows * columns, out]);
  const taps = Array.from({ length: size * size }, (_, tap) => {
    const [top, left] = [Math.floor(tap / size), tap % size];
    const end = [batch, top + (rows - 1) * stride + 1, left + (columns - 1) * stride + 1, channels];
    const seen = tf.stridedSlice(wide, [0, top, left, 0], end, [1, stride, stride, 1]);
    return tf.matMul(flat, tf.reshape<tf.Rank.R2>(seen, [batch * rows * columns, channels]), true, false);
  });
  return tf.reshape(tf.stack(taps, 2), [out, channels, size, size]);
}

type Shape = tf.Tensor4D['shape'];

function padded(x: tf.Tensor4D, by: number, value = 0): tf.Tensor4D {
  return by === 0 ? x : pad(x, [by, by], [by, by], none, value);
}

function cropped(x: tf.Tensor4D, by: number, shape: Shape): tf.Tensor4D {
  return by === 0 ? x : tf.slice(x, [0, by, by, 0], shape);
}

type Pair = [before: number, after: number];
const none: Pair = [0, 0];

function pad(x: tf.Tensor4D, rows: Pair, columns: Pair, channels: Pair, value = 0): tf.Tensor4D {
  const paddings: Pair[] = [none, rows, columns, channels];
  return tf.pad(x, paddings, value);
}
