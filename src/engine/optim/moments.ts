/** First and second moment of the gradient, shared by the Adam family. Kingma & Ba 2015 (https://arxiv.org/abs/1412.6980). */
import * as tf from '@tensorflow/tfjs-core';
import type { Hyperparameters } from './optimizer.ts';

/** Exponential moving averages of gradient and squared gradient, without bias correction. What is made on the way is freed at once: it is as large as the model. */
export function updateMoments(
  first: tf.Tensor1D,
  second: tf.Tensor1D,
  gradient: tf.Tensor1D,
  [beta1, beta2]: Hyperparameters['betas'],
): [tf.Tensor1D, tf.Tensor1D] {
  return [
    tf.tidy(() => tf.add<tf.Tensor1D>(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1))),
    tf.tidy(() => tf.add<tf.Tensor1D>(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2))),
  ];
}
