/** Chooses what runs the training steps, and says why. */
import fs from 'node:fs';
import os from 'node:os';
import type { Config } from '../core/config.ts';
import { eagerExecutor } from '../engine/step/eager.ts';
import { withFallback } from '../engine/step/fallback.ts';
import { recordedExecutor } from '../engine/step/recorded.ts';
import type { Surroundings } from '../engine/train.ts';
import type { Backend } from './backend.ts';
import { loadGraphRuntime } from './graphRuntime.ts';
import { engineFolder, stepAddonFile } from './paths.ts';

/** Why there is no recorded step on a backend that is loaded, in sentences, or nothing. */
export function recordedProblem(backend: Pick<Backend, 'name'>, env = process.env): string | undefined {
  if (backend.name !== 'tensorflow') return `The ${backend.name} backend has no recorded step.`;
  const folder = engineFolder(env);
  if (fs.existsSync(stepAddonFile(folder))) return undefined;
  return `The native engine at ${folder} is of an older version and cannot record steps.`;
}

/** Makes the wanted executor on a backend that is loaded; where it cannot be had, the eager one, with the reason. */
export function executorFactory(
  { executor: wanted, precision, threads }: Pick<Config['run'], 'executor' | 'precision' | 'threads'>,
  backend: Backend,
  env = process.env,
): Surroundings['executorFor'] {
  return async (problem, initial) => {
    const missing = recordedProblem(backend, env);
    if (wanted === 'eager' || missing) {
      const reason = wanted === 'eager' ? 'The config asks for it.' : (missing ?? '');
      return { executor: eagerExecutor(problem, initial), reason };
    }
    const most = threads ?? (Number(env.TF_NUM_INTRAOP_THREADS) || os.availableParallelism());
    const runtime = loadGraphRuntime(stepAddonFile(engineFolder(env)), most, backend.device);
    const recorded = await recordedExecutor(problem, initial, runtime, precision);
    const reason = wanted === 'recorded' ? 'The config asks for it.' : 'The recorded step is the fastest here.';
    return { executor: withFallback(problem, recorded, precision), reason };
  };
}
