/** The mean over some tokens of each sequence. */
import * as tf from '@tensorflow/tfjs-core';

/** Over those with a 1 in `present` (B, T), of which each sequence has at least one: x (B, T, D) → (B, D). */
export function meanOfPresent(x: tf.Tensor3D, present: tf.Tensor2D): tf.Tensor2D {
  const [batch, tokens, width] = x.shape;
  const shares = tf.div(present, tf.sum(present, 1, true)); // (B, T)
  return tf.reshape(tf.matMul(tf.reshape<tf.Rank.R3>(shares, [batch, 1, tokens]), x), [batch, width]);
}
