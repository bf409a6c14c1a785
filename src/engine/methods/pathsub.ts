/**
 * PathSub: MaskSub's frame with another drop-path rate in the sub-branch in place of the mask; the rate takes the place of the model's.
 * Heo et al., CVPR 2025 (https://arxiv.org/abs/2306.11339).
 */
import { supervised } from './baseline.ts';
import type { Method, MethodOptions } from './method.ts';
import { subBranch } from './subBranch.ts';

export function pathsub(options: MethodOptions): Method {
  return {
    terms: [supervised(), subBranch(options)],
    masked: [],
    drops: { sub: { kind: 'path', rate: options.dropRate } },
  };
}
