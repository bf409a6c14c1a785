/** Layer normalization over the last axis. Ba, Kiros & Hinton 2016 (https://arxiv.org/abs/1607.06450). */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** x (R, D), weight and bias (D) → (R, D). `epsilon` is added to the variance: 1e-6 in ViT. */
export function layerNorm(x: tf.Tensor2D, weight: tf.Tensor1D, bias: tf.Tensor1D, epsilon: number): tf.Tensor2D {
  return differentiable([x, weight, bias], (x, weight, bias) => {
    const centered = tf.sub(x, tf.mean(x, -1, true));
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), epsilon)); // (R, 1)
    const normal = tf.mul(centered, inverse);
    return {
      value: tf.add<tf.Tensor2D>(tf.mul(normal, weight), bias),
      save: [normal, inverse, weight],
      gradient: (dy, saved) => {
        const [normal, inverse, weight] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
        const dyNormal = tf.mul(dy, normal);
        const dNormal = tf.mul(dy, weight);
        const along = tf.mean(tf.mul(dyNormal, weight), -1, true); // mean of dNormal · normal
        const dx = tf.mul(inverse, tf.sub(tf.sub(dNormal, tf.mean(dNormal, -1, true)), tf.mul(normal, along)));
        return [dx, tf.sum(dyNormal, 0), tf.sum(dy, 0)];
      },
    };
  });
}
