/**
 * LAMB as in timm: gradients divided by max(1, global norm / lambMaxGradNorm), Adam moments with bias correction, a trust
 * ratio for parameters with weight decay. You et al. 2020, algorithm 2 (https://arxiv.org/abs/1904.00962).
 */
import * as tf from '@tensorflow/tfjs-core';
import { updateMoments } from './moments.ts';
import type { Hyperparameters, Optimizer } from './optimizer.ts';

export function lamb({ betas, epsilon, weightDecay, lambMaxGradNorm }: Hyperparameters): Optimizer {
  return {
    slots: ['first', 'second'],
    separate: true,
    scalars: (step, learningRate) => ({
      learningRate,
      firstCorrection: 1 / (1 - betas[0] ** step),
      secondCorrection: 1 / Math.sqrt(1 - betas[1] ** step),
    }),
    update: ({ group, parameter, gradient, gradientNorm, slots, scalars }) => {
      const { learningRate, firstCorrection, secondCorrection } = scalars as Record<string, tf.Scalar>;
      const bounded = lambMaxGradNorm
        ? tf.div<tf.Tensor1D>(gradient, tf.maximum(1, tf.div(gradientNorm, lambMaxGradNorm)))
        : gradient;
      const [first, second] = updateMoments(slots[0] as tf.Tensor1D, slots[1] as tf.Tensor1D, bounded, betas);
      const next = tf.tidy(() => {
        const denominator = tf.add(tf.mul(tf.sqrt(second), secondCorrection as tf.Scalar), epsilon);
        const adam = tf.div<tf.Tensor1D>(tf.mul(first, firstCorrection as tf.Scalar), denominator);
        const step = tf.mul(learningRate as tf.Scalar, group.learningRateScale);
        if (!group.decay || weightDecay === 0) return tf.sub<tf.Tensor1D>(parameter, tf.mul(adam, step));
        const direction = tf.add<tf.Tensor1D>(adam, tf.mul(parameter, weightDecay));
        return tf.sub<tf.Tensor1D>(parameter, tf.mul(direction, tf.mul(trustRatio(parameter, direction), step)));
      });
      return { parameter: next, slots: [first, second] };
    },
  };
}

/** |p| / |u|, or 1 where one of the norms is 0. */
function trustRatio(parameter: tf.Tensor1D, direction: tf.Tensor1D): tf.Scalar {
  const [p, u] = [parameter, direction].map((x) => tf.sqrt(tf.sum(tf.square(x)))) as [tf.Scalar, tf.Scalar];
  const bothPositive = tf.logicalAnd(tf.greater(p, 0), tf.greater(u, 0));
  return tf.where(bothPositive, tf.divNoNan(p, u), tf.scalar(1));
}
