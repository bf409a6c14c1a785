/**
 * CoSub: two branches with drop-path draws of their own, which learn from the labels and from each other. With f and g for the branches,
 * L = ¼·[crit(f, y) + crit(g, y) + crit(f, stopgrad act(g)) + crit(g, stopgrad act(f))].
 * Touvron et al. 2023, section 3 (https://arxiv.org/abs/2212.04884).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Branch, Method, Term } from './method.ts';

/** Half of it: what flows into `branch`. */
function taughtBy(teacher: Branch, branch: Branch): Term {
  return {
    branch,
    weight: () => 0.5,
    teachers: [teacher],
    loss: ({ forward, criterion, target, constants }) => {
      const logits = forward(branch);
      const taught = criterion.loss(logits, criterion.activation(constants[teacher] as tf.Tensor2D));
      return { loss: tf.mul(tf.add(criterion.loss(logits, target), taught), 0.5), logits };
    },
    sampleLoss: ({ logits, criterion, target }) => {
      const taught = criterion.loss(logits(branch), criterion.activation(logits(teacher)));
      return (criterion.loss(logits(branch), target) + taught) / 2;
    },
  };
}

export function cosub(): Method {
  return { terms: [taughtBy('sub', 'main'), taughtBy('main', 'sub')], masked: [] };
}
