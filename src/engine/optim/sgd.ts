/** Stochastic gradient descent with momentum and coupled weight decay, as in PyTorch. Sutskever et al. 2013. */
import * as tf from '@tensorflow/tfjs-core';
import type { Hyperparameters, Optimizer } from './optimizer.ts';

export function sgd({ momentum, nesterov, weightDecay }: Hyperparameters): Optimizer {
  return {
    slots: ['momentum'],
    separate: false,
    scalars: (_step, learningRate) => ({ learningRate }),
    update: ({ group, parameter, gradient, slots, scalars }) => {
      const coupled =
        group.decay && weightDecay > 0 ? tf.add<tf.Tensor1D>(gradient, tf.mul(parameter, weightDecay)) : gradient;
      // From zero the buffer starts as the first gradient.
      const buffer = tf.add<tf.Tensor1D>(tf.mul(slots[0] as tf.Tensor1D, momentum), coupled);
      const direction = nesterov ? tf.add<tf.Tensor1D>(coupled, tf.mul(buffer, momentum)) : buffer;
      const step = tf.mul(scalars.learningRate as tf.Scalar, group.learningRateScale);
      return { parameter: tf.sub(parameter, tf.mul(direction, step)), slots: [buffer] };
    },
  };
}
