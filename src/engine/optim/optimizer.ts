/** What an optimizer is: scalars computed on the host, and a pure update of one group of parameters. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Config } from '../../core/config.ts';
import type { ParameterGroup } from '../parameters.ts';

export type Hyperparameters = Pick<Config['train'], 'weightDecay' | 'betas' | 'epsilon' | 'momentum' | 'nesterov'> & {
  /** LAMB: the gradient is divided by max(1, its global norm / this). Absent: not at all. */
  readonly lambMaxGradNorm?: number | undefined;
};

/** Scalars that change from step to step; they enter the step as tensors. */
export type StepScalars = Readonly<Record<string, number>>;

export interface Optimizer {
  /** Names of the tensors kept for each group, zero at the start. */
  readonly slots: readonly string[];
  /** True where decayed parameters need a group each. */
  readonly separate: boolean;
  /** For `step` = 1 for the first update, in double precision. */
  readonly scalars: (step: number, learningRate: number) => StepScalars;
  /** The new parameter and slots. `gradientNorm` is the global norm over all groups, after clipping. */
  readonly update: (u: Update) => { readonly parameter: tf.Tensor1D; readonly slots: readonly tf.Tensor1D[] };
}

export interface Update {
  readonly group: ParameterGroup;
  readonly parameter: tf.Tensor1D;
  readonly gradient: tf.Tensor1D;
  readonly gradientNorm: tf.Scalar;
  readonly slots: readonly tf.Tensor1D[];
  readonly scalars: Readonly<Record<string, tf.Scalar>>;
}
