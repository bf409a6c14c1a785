/** DropSub: MaskSub's frame with dropout in the sub-branch in place of the mask. Heo et al., CVPR 2025 (https://arxiv.org/abs/2306.11339). */
import { supervised } from './baseline.ts';
import type { Method, MethodOptions } from './method.ts';
import { subBranch } from './subBranch.ts';

export function dropsub(options: MethodOptions): Method {
  return {
    terms: [supervised(), subBranch(options)],
    masked: [],
    drops: { sub: { kind: 'dropout', rate: options.dropRate } },
  };
}
