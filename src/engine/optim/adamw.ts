/** AdamW: Adam with decoupled weight decay. Loshchilov & Hutter 2019, algorithm 2 (https://arxiv.org/abs/1711.05101). */
import * as tf from '@tensorflow/tfjs-core';
import { updateMoments } from './moments.ts';
import type { Hyperparameters, Optimizer } from './optimizer.ts';

export function adamw({ betas, epsilon, weightDecay }: Hyperparameters): Optimizer {
  return {
    slots: ['first', 'second'],
    separate: false,
    scalars: (step, learningRate) => ({
      learningRate,
      stepSize: learningRate / (1 - betas[0] ** step),
      secondCorrection: 1 / Math.sqrt(1 - betas[1] ** step),
    }),
    update: ({ group, parameter, gradient, slots, scalars }) => {
      const [first, second] = updateMoments(slots[0] as tf.Tensor1D, slots[1] as tf.Tensor1D, gradient, betas);
      const { learningRate, stepSize, secondCorrection } = scalars as Record<string, tf.Scalar>;
      const scale = group.learningRateScale;
      const step = tf.tidy(() => {
        const denominator = tf.add(tf.mul(tf.sqrt(second), secondCorrection as tf.Scalar), epsilon);
        return tf.mul<tf.Tensor1D>(tf.div(first, denominator), scaled(stepSize as tf.Scalar, scale));
      });
      const next = tf.tidy(() => {
        if (!group.decay || weightDecay === 0) return tf.sub<tf.Tensor1D>(parameter, step);
        const kept = tf.sub(1, scaled(learningRate as tf.Scalar, scale * weightDecay));
        return tf.sub<tf.Tensor1D>(tf.mul(parameter, kept), step);
      });
      step.dispose();
      return { parameter: next, slots: [first, second] };
    },
  };
}

const scaled = (value: tf.Scalar, factor: number): tf.Scalar => (factor === 1 ? value : tf.mul(value, factor));
