/** Dropout with given draws. Srivastava et al. 2014 (https://jmlr.org/papers/v15/srivastava14a.html). */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** x times factors, 0 or 1/keep, one for each element in any shape; x as it is where there are none. */
export function dropElements<T extends tf.Tensor>(x: T, factors: tf.Tensor | undefined): T {
  if (!factors) return x;
  const shaped = tf.reshape(factors, x.shape);
  return differentiable([x], (x) => ({
    value: tf.mul<T>(x, shaped),
    save: [shaped],
    gradient: (dy, [shaped]) => [tf.mul(dy, shaped as tf.Tensor)],
  }));
}
