/**
 * MaskSub: a masked sub-branch learns from the main branch, L = ½·crit(f(x), y) + ½·crit(f(mask(x)), stopgrad act(f(x))).
 * Heo et al., CVPR 2025, section 3 (https://arxiv.org/abs/2306.11339).
 */
import { supervised } from './baseline.ts';
import type { Method } from './method.ts';

export const masksub: Method = {
  terms: [
    supervised(0.5),
    {
      branch: 'sub',
      weight: 0.5,
      loss: ({ forward, criterion, earlier }) => {
        if (!earlier.main) throw new Error('The main branch comes first.');
        const logits = forward('sub');
        return { loss: criterion.loss(logits, criterion.activation(earlier.main)), logits };
      },
    },
  ],
  masked: ['sub'],
};
