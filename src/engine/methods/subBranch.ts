/** The term of a sub-branch that learns from the main branch: what MaskSub, DropSub and PathSub share. */
import * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from '../ops/losses.ts';
import type { HostCriterion } from '../sampleLosses.ts';
import type { MethodOptions, Term } from './method.ts';

/**
 * weight · crit(f(sub), target(f(main))). The paper: the target is soft and constant, at temperature 1. Without a stop-gradient the main
 * branch's forward pass belongs to this term as well, and learns to be easy to predict.
 */
export function subBranch(options: MethodOptions): Term {
  return {
    branch: 'sub',
    weight: (subWeight) => subWeight,
    ...(options.stopGradient ? { teachers: ['main'] } : {}),
    loss: ({ forward, criterion, constants }) => {
      const main = constants.main ?? forward('main');
      const logits = forward('sub');
      return { loss: criterion.loss(logits, targetOf(main, criterion, options)), logits };
    },
    sampleLoss: ({ logits, criterion }) =>
      criterion.loss(logits('sub'), sampleTargetOf(logits('main'), criterion, options)),
  };
}

/** The main branch's logits (B, C) as a target (B, C): soft, hard, or `target` parts of the hard one and the rest of the soft one. */
function targetOf(logits: tf.Tensor2D, criterion: Criterion, { target, temperature }: MethodOptions): tf.Tensor2D {
  const soft = criterion.activation(temperature === 1 ? logits : tf.div<tf.Tensor2D>(logits, temperature));
  const share = hardShare(target);
  if (share === 0) return soft;
  const hard = criterion.decision(logits);
  return share === 1 ? hard : tf.add<tf.Tensor2D>(tf.mul(soft, 1 - share), tf.mul(hard, share));
}

/** The same of one sample, on the host. */
function sampleTargetOf(
  logits: Float32Array,
  criterion: HostCriterion,
  { target, temperature }: MethodOptions,
): Float64Array {
  const share = hardShare(target);
  const soft = criterion.activation(temperature === 1 ? logits : logits.map((logit) => logit / temperature));
  if (share === 0) return soft;
  const hard = criterion.decision(logits);
  return soft.map((value, c) => (1 - share) * value + share * (hard[c] as number));
}

const hardShare = (target: MethodOptions['target']): number => (target === 'soft' ? 0 : target === 'hard' ? 1 : target);
