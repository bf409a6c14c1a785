/** Images as sequences of flat patches. */
import * as tf from '@tensorflow/tfjs-core';

/** (B, H, W, C) → (B, L, C·P·P); within a patch channel, row, column, as PyTorch's convolution weights are laid out. */
export function patchify(images: tf.Tensor4D, patchSize: number): tf.Tensor3D {
  const [batch, height, width, channels] = images.shape;
  const [rows, columns] = [height / patchSize, width / patchSize];
  const grid = tf.reshape(images, [batch, rows, patchSize, columns, patchSize, channels]);
  const order = tf.transpose(grid, [0, 1, 3, 5, 2, 4]); // (B, rows, columns, C, P, P)
  return tf.reshape(order, [batch, rows * columns, channels * patchSize * patchSize]);
}
