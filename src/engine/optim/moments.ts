/** First and second moment of the gradient, shared by the Adam family. Kingma & Ba 2015 (https://arxiv.org/abs/1412.6980). */
import * as tf from '@tensorflow/tfjs-core';
import type { Hyperparameters } from './optimizer.ts';

/** Exponential moving averages of gradient and squared gradient, without bias correction. */
export function updateMoments(
  first: tf.Tensor1D,
  second: tf.Tensor1D,
  gradient: tf.Tensor1D,
  [beta1, beta2]: Hyperparameters['betas'],
): [tf.Tensor1D, tf.Tensor1D] {
  return [
    tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1)),
    tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2)),
  ];
}
