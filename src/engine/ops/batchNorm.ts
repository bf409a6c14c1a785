/** Batch normalization over all axes but the last. Ioffe & Szegedy 2015 (https://arxiv.org/abs/1502.03167). */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

const EPSILON = 1e-5;
const MOMENTUM = 0.1;
/** Rows from whose mean the values are counted. */
const SHIFT_ROWS = 128;

/** Of each channel, (C). */
export interface BatchStatistics {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
}

/**
 * Normalizes by the statistics of the batch itself. x (…, C), weight and bias (C) → as x.
 * `update` is handed the running statistics after this batch, which no gradient reaches; they are freed unless it keeps them.
 */
export function batchNorm<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  running: BatchStatistics,
  update: (next: BatchStatistics) => void,
): T {
  const channels = weight.shape[0];
  const rows = x.size / channels;
  const flat = (tensor: tf.Tensor) => tf.reshape<tf.Rank.R2>(tensor, [rows, channels]);
  return differentiable([x, weight, bias], (x, weight, bias) => {
    // A shift near the mean keeps its square from drowning a small variance, and the sums take one pass over x (Chan, Golub & LeVeque
    // 1983, "shifted data"). The mean of n rows of N is at most √(N/n) standard deviations away.
    const about = tf.mean<tf.Tensor1D>(tf.slice(flat(x), [0, 0], [Math.min(rows, SHIFT_ROWS), channels]), 0);
    const shifted = tf.sub(flat(x), about); // (R, C)
    const rest = tf.mean<tf.Tensor1D>(shifted, 0);
    const variance = tf.sub<tf.Tensor1D>(tf.mean(tf.square(shifted), 0), tf.square(rest));
    update(moved(running, { mean: tf.add(about, rest), variance }, rows));
    const inverse = tf.rsqrt(tf.add(variance, EPSILON)); // (C)
    const normal = tf.mul(tf.sub(shifted, rest), inverse); // (R, C)
    return {
      value: tf.reshape(tf.add(tf.mul(normal, weight), bias), x.shape) as T,
      save: [normal, inverse, weight],
      gradient: (dy, saved) => {
        const [normal, inverse, weight] = saved as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D];
        const dBias = tf.sum(flat(dy), 0);
        const dWeight = tf.sum(tf.mul(flat(dy), normal), 0);
        // The mean and the variance depend on x, too: the parts of dy along 1 and along `normal` do not come through.
        const along = tf.add(tf.mul(normal, tf.mul(dWeight, 1 / rows)), tf.mul(dBias, 1 / rows));
        const dx = tf.mul(tf.sub(flat(dy), along), tf.mul(inverse, weight));
        return [tf.reshape(dx, dy.shape), dWeight, dBias];
      },
    };
  });
}

/** Normalizes by given statistics, as in evaluation. x (…, C), weight and bias (C) → as x. */
export function batchNormBy<T extends tf.Tensor>(
  x: T,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  { mean, variance }: BatchStatistics,
): T {
  const scale = tf.mul(weight, tf.rsqrt(tf.add(variance, EPSILON)));
  return tf.add<T>(tf.mul(tf.sub(x, mean), scale), bias);
}

/** The running statistics after a batch of `rows` rows. As in PyTorch, their variance is the unbiased one. */
function moved(running: BatchStatistics, batch: BatchStatistics, rows: number): BatchStatistics {
  const toward = (old: tf.Tensor1D, fresh: tf.Tensor1D, weight: number) =>
    tf.add<tf.Tensor1D>(tf.mul(old, 1 - MOMENTUM), tf.mul(fresh, weight));
  // One row has no variance to correct.
  const unbiased = rows / Math.max(rows - 1, 1);
  return {
    mean: toward(running.mean, batch.mean, MOMENTUM),
    variance: toward(running.variance, batch.variance, MOMENTUM * unbiased),
  };
}
