/** A fully connected layer. */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** x·Wᵀ + b. x (R, in), weight (out, in) as in PyTorch, bias (out) → (R, out). */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return differentiable([x, weight, bias], (x, weight, bias) => ({
    value: tf.add<tf.Tensor2D>(tf.matMul(x, weight, false, true), bias),
    save: [x, weight],
    gradient: (dy, [x, weight]) => [
      tf.matMul(dy, weight as tf.Tensor2D), // (R, in)
      tf.matMul(dy, x as tf.Tensor2D, true, false), // (out, in)
      tf.sum(dy, 0),
    ],
  }));
}

/** `linear` on an input that needs no gradient, such as pixels; spares the product for it. */
export function linearOfConstant(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return differentiable([weight, bias], (weight, bias) => ({
    value: tf.add<tf.Tensor2D>(tf.matMul(x, weight, false, true), bias),
    save: [x],
    gradient: (dy, [x]) => [tf.matMul(dy, x as tf.Tensor2D, true, false), tf.sum(dy, 0)],
  }));
}
