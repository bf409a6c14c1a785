/** Plain supervised training: L = crit(f(x), y). */
import type { Method, Term } from './method.ts';

/** The supervised term, which most methods have. Beside a sub-branch it has the rest of the weight. */
export const supervised = (weight: Term['weight'] = (subWeight) => 1 - subWeight): Term => ({
  branch: 'main',
  weight,
  loss: ({ forward, criterion, target }) => {
    const logits = forward('main');
    return { loss: criterion.loss(logits, target), logits };
  },
  sampleLoss: ({ logits, criterion, target }) => criterion.loss(logits('main'), target),
});

export function baseline(): Method {
  return { terms: [supervised(() => 1)], masked: [] };
}
