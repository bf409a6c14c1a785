/**
 * MaskSub: a masked sub-branch learns from the main branch, L = ½·crit(f(x), y) + ½·crit(f(mask(x)), stopgrad act(f(x))).
 * Heo et al., CVPR 2025, section 3 (https://arxiv.org/abs/2306.11339).
 */
import { supervised } from './baseline.ts';
import type { Method, MethodOptions } from './method.ts';
import { subBranch } from './subBranch.ts';

export function masksub(options: MethodOptions): Method {
  return { terms: [supervised(), subBranch(options)], masked: ['sub'] };
}
