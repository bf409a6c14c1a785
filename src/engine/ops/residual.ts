/** The end of a residual branch: layer scale, drop-path and the sum with the shortcut, in one op. */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/**
 * x + drop · scale · y. x and y (B·T, D).
 * `scale` (D): layer scale, Touvron et al. 2021 (CaiT, https://arxiv.org/abs/2103.17239).
 * `drop` (B): 0 or 1/keep for each sample: stochastic depth, Huang et al. 2016 (https://arxiv.org/abs/1603.09382).
 */
export function residual(x: tf.Tensor2D, y: tf.Tensor2D, scale?: tf.Tensor1D, drop?: tf.Tensor1D): tf.Tensor2D {
  const kept = drop ? dropPath(y, drop) : y;
  if (!scale) return tf.add(x, kept);
  return differentiable([x, kept, scale], (x, y, scale) => ({
    value: tf.add<tf.Tensor2D>(x, tf.mul(y, scale)),
    save: [y, scale],
    gradient: (dy, saved) => {
      const [y, scale] = saved as [tf.Tensor2D, tf.Tensor1D];
      return [dy, tf.mul(dy, scale), tf.sum(tf.mul(dy, y), 0)];
    },
  }));
}

/** Scales the rows of every sample by its draw. y (B·T, D), drop (B). */
function dropPath(y: tf.Tensor2D, drop: tf.Tensor1D): tf.Tensor2D {
  const rows = y.shape[0];
  const batch = drop.shape[0];
  const byRow = tf.reshape(tf.tile(tf.reshape(drop, [batch, 1]), [1, rows / batch]), [rows, 1]);
  return differentiable([y], (y) => ({
    value: tf.mul<tf.Tensor2D>(y, byRow),
    save: [byRow],
    gradient: (dy, [byRow]) => [tf.mul(dy, byRow as tf.Tensor2D)],
  }));
}
