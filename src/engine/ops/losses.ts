/** The criteria of classification, with soft targets. */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** A criterion and the activation that turns logits into its soft targets. */
export interface Criterion {
  /** logits (B, C), target (B, C) → scalar. */
  readonly loss: (logits: tf.Tensor2D, target: tf.Tensor2D) => tf.Scalar;
  /** logits (B, C) → target (B, C) for another branch. */
  readonly activation: (logits: tf.Tensor2D) => tf.Tensor2D;
  /** logits (B, C) → what they decide for, 0 or 1 (B, C); constant. */
  readonly decision: (logits: tf.Tensor2D) => tf.Tensor2D;
}

/** Mean over the batch of −Σ t·log softmax(logits). */
export function softmaxCrossEntropy(logits: tf.Tensor2D, target: tf.Tensor2D): tf.Scalar {
  const batch = logits.shape[0];
  return differentiable([logits, target], (logits, target) => {
    const logProbabilities = tf.logSoftmax(logits);
    return {
      value: tf.mul<tf.Scalar>(tf.sum(tf.mul(logProbabilities, target)), -1 / batch),
      save: [logProbabilities, target],
      gradient: (dy, saved) => {
        const [logProbabilities, target] = saved as [tf.Tensor2D, tf.Tensor2D];
        // Σt = 1 does not hold for every target (two-hot labels, for one).
        const expected = tf.mul(tf.exp(logProbabilities), tf.sum(target, -1, true));
        const scale = tf.mul(dy, 1 / batch);
        return [tf.mul(tf.sub(expected, target), scale), tf.mul(logProbabilities, tf.neg(scale))];
      },
    };
  });
}

/** Binary cross-entropy with logits, mean over batch and classes: max(x, 0) − x·t + log(1 + exp(−|x|)). */
export function binaryCrossEntropy(logits: tf.Tensor2D, target: tf.Tensor2D): tf.Scalar {
  const count = logits.size;
  return differentiable([logits, target], (logits, target) => {
    const positive = tf.sub(tf.relu(logits), tf.mul(logits, target));
    const value = tf.sum(tf.add(positive, tf.log1p(tf.exp(tf.neg(tf.abs(logits))))));
    return {
      value: tf.mul<tf.Scalar>(value, 1 / count),
      save: [logits, target],
      gradient: (dy, saved) => {
        const [logits, target] = saved as [tf.Tensor2D, tf.Tensor2D];
        const scale = tf.mul(dy, 1 / count);
        return [tf.mul(tf.sub(tf.sigmoid(logits), target), scale), tf.mul(logits, tf.neg(scale))];
      },
    };
  });
}

/** What is computed from x (B, C) without a gradient. */
function constantOf(x: tf.Tensor2D, compute: (x: tf.Tensor2D) => tf.Tensor2D): tf.Tensor2D {
  return differentiable([x], (x) => ({ value: compute(x), save: [], gradient: (dy) => [tf.zerosLike(dy)] }));
}

export const criteria = {
  ce: {
    loss: softmaxCrossEntropy,
    activation: (logits) => tf.softmax(logits),
    decision: (logits) =>
      constantOf(logits, (logits) => {
        const largest = tf.oneHot(tf.argMax<tf.Tensor1D>(logits, -1), logits.shape[1], 1, 0, 'int32');
        return tf.cast(largest as tf.Tensor2D, 'float32');
      }),
  },
  bce: {
    loss: binaryCrossEntropy,
    activation: (logits) => tf.sigmoid(logits),
    decision: (logits) => constantOf(logits, (logits) => tf.cast(tf.greater(logits, 0), 'float32')),
  },
} as const satisfies Record<string, Criterion>;
