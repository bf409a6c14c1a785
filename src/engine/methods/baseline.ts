/** Plain supervised training: L = crit(f(x), y). */
import type { Method, Term } from './method.ts';

/** The supervised term; MaskSub has it too. */
export const supervised = (weight: number): Term => ({
  branch: 'main',
  weight,
  loss: ({ forward, criterion, target }) => {
    const logits = forward('main');
    return { loss: criterion.loss(logits, target), logits };
  },
});

export const baseline: Method = { terms: [supervised(1)], masked: [] };
