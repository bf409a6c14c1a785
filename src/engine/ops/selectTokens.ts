/** Token removal: keeps some tokens of each sample. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * The selection as a one-hot matrix, (B, K) indices → (B·K, L). Products with it copy exactly, have a gradient on every
 * backend and sum in a fixed order, which gathers and segment sums do not.
 */
export function selection(keep: tf.Tensor2D, tokens: number): tf.Tensor2D {
  const [batch, kept] = keep.shape;
  // tfjs's WebAssembly kernel gives wrong numbers when asked for float32 directly.
  const oneHot = tf.oneHot(tf.reshape<tf.Rank.R1>(keep, [batch * kept]), tokens, 1, 0, 'int32');
  return tf.cast<tf.Tensor2D>(oneHot as tf.Tensor2D, 'float32');
}

/** The selected rows of each sample. selected (B·K, L), x (B, L, P) → (B·K, P). */
export function selectOfEach(selected: tf.Tensor2D, x: tf.Tensor3D): tf.Tensor2D {
  const [batch, tokens, width] = x.shape;
  const kept = selected.shape[0] / batch;
  const rows = tf.matMul(tf.reshape<tf.Rank.R3>(selected, [batch, kept, tokens]), x); // (B, K, P)
  return tf.reshape(rows, [batch * kept, width]);
}
