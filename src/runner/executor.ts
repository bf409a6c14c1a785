/** Chooses what runs the training steps, and says why. */
import { eagerExecutor } from '../engine/step/eager.ts';
import type { Surroundings } from '../engine/train.ts';
import type { Backend } from './backend.ts';

/** Why there is no recorded step on a backend that is loaded, in sentences, or nothing. */
export function recordedProblem(backend: Pick<Backend, 'name'>): string | undefined {
  return `The ${backend.name} backend has no recorded step.`;
}

/** Makes the wanted executor on a backend that is loaded; where it cannot be had, the eager one, with the reason. */
export function executorFactory(wanted: 'auto' | 'eager' | 'recorded', backend: Backend): Surroundings['executorFor'] {
  return async (problem, initial) => ({
    executor: eagerExecutor(problem, initial),
    name: 'eager',
    reason: wanted === 'eager' ? 'The config asks for it.' : (recordedProblem(backend) ?? ''),
  });
}
