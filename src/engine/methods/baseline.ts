/** Plain supervised training: L = crit(f(x), y). */
import type { Method, Term } from './method.ts';

/** The supervised term, which most methods have. */
export const supervised = (weight: number): Term => ({
  branch: 'main',
  weight,
  loss: ({ forward, criterion, target }) => {
    const logits = forward('main');
    return { loss: criterion.loss(logits, target), logits };
  },
});

export function baseline(): Method {
  return { terms: [supervised(1)], masked: [] };
}
