/** One tensor for every sample of a batch. */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** x (D), the same for each of `batch` samples → (B, 1, D). tfjs's own gradient of a repetition takes two ops for each sample. */
export function overBatch(x: tf.Tensor1D, batch: number): tf.Tensor3D {
  const width = x.shape[0];
  return differentiable([x], (x) => ({
    value: tf.tile(tf.reshape<tf.Rank.R3>(x, [1, 1, width]), [batch, 1, 1]),
    save: [],
    gradient: (dy) => [tf.sum(tf.reshape(dy, [batch, width]), 0)],
  }));
}
