/** The Gaussian error linear unit, exact and approximated. Hendrycks & Gimpel 2016 (https://arxiv.org/abs/1606.08415). */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

const inverseRootTwoPi = 1 / Math.sqrt(2 * Math.PI);
/** Of the logistic function that comes closest to Φ. */
const steepness = 1.702;

/** The exact form, x·Φ(x), as timm uses; the tanh form differs by up to 5e-4. Any shape. */
export function gelu<T extends tf.Tensor>(x: T): T {
  return differentiable([x], (x) => {
    const phi = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
    return {
      value: tf.mul<T>(x, phi),
      save: [x, phi],
      gradient: (dy, saved) => {
        const [x, phi] = saved as [tf.Tensor, tf.Tensor];
        const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), inverseRootTwoPi);
        return [tf.mul(dy, tf.add(phi, tf.mul(x, density)))];
      },
    };
  });
}

/** The approximation by the logistic function, x·σ(1.702·x), section 2 of the paper: what CLIP's weights were trained with. Any shape. */
export function quickGelu<T extends tf.Tensor>(x: T): T {
  return differentiable([x], (x) => {
    const gate = tf.sigmoid(tf.mul(x, steepness));
    return {
      value: tf.mul<T>(x, gate),
      save: [x, gate],
      gradient: (dy, saved) => {
        const [x, gate] = saved as [tf.Tensor, tf.Tensor];
        const slope = tf.mul(tf.mul(x, steepness), tf.sub(1, gate));
        return [tf.mul(dy, tf.mul(gate, tf.add(slope, 1)))];
      },
    };
  });
}
