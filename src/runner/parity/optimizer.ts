/** The engine's optimizer for a specification of the reference; absent hyper-parameters have PyTorch's defaults. */
import type * as z from 'zod';
import { optimizers } from '../../engine/optim/index.ts';
import type { Optimizer } from '../../engine/optim/optimizer.ts';
import type { optimizerSchema } from './oracle.ts';

/** Call it only for an optimizer that this build has. */
export function optimizerOf(spec: z.infer<typeof optimizerSchema>): Optimizer {
  return optimizers[spec.opt as keyof typeof optimizers]({
    weightDecay: spec.weight_decay,
    betas: spec.betas ?? [0.9, 0.999],
    epsilon: spec.eps ?? 1e-8,
    momentum: spec.momentum ?? 0,
    nesterov: spec.nesterov ?? false,
    lambMaxGradNorm: spec.lamb_max_grad_norm ?? undefined,
  });
}
