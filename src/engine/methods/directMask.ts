/**
 * Direct masking: the masked input with the label, alone (`cleanView`: false) or beside the whole input. What the paper starts from: above 50 %
 * its training loss converges badly. Heo et al., CVPR 2025, section 3 (https://arxiv.org/abs/2306.11339).
 */
import { supervised } from './baseline.ts';
import type { Method, MethodOptions, Term } from './method.ts';

const masked = (weight: Term['weight']): Term => ({
  branch: 'sub',
  weight,
  loss: ({ forward, criterion, target }) => {
    const logits = forward('sub');
    return { loss: criterion.loss(logits, target), logits };
  },
  sampleLoss: ({ logits, criterion, target }) => criterion.loss(logits('sub'), target),
});

export function directMask({ cleanView }: MethodOptions): Method {
  const terms = cleanView ? [supervised(), masked((subWeight) => subWeight)] : [masked(() => 1)];
  return { terms, masked: ['sub'] };
}
