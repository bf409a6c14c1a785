/** `masksub parity`: the engine against a folder of reference numbers. */

import { backends, executors } from '../../core/catalog.ts';
import { UserError } from '../../core/errors.ts';
import { loadBackend } from '../backend.ts';
import { executorFactory } from '../executor.ts';
import { checkParity } from '../parity/check.ts';

interface ParityOptions {
  readonly only?: string;
  readonly backend: string;
  readonly executor: string;
  readonly allowUnsupported?: boolean;
}

export async function parity(folder: string, options: ParityOptions): Promise<void> {
  if (!Object.hasOwn(executors, options.executor)) {
    throw new UserError(`Unknown executor "${options.executor}". Known: ${Object.keys(executors).join(', ')}.`);
  }
  if (!Object.hasOwn(backends, options.backend)) {
    throw new UserError(`Unknown backend "${options.backend}". Known: ${Object.keys(backends).join(', ')}.`);
  }
  const backend = await loadBackend(options.backend as Parameters<typeof loadBackend>[0]);
  const executorFor = executorFactory(
    { executor: options.executor as keyof typeof executors, precision: 'float32' },
    backend,
  );
  process.stdout.write(`backend ${backend.name}; largest error in units of the tolerance\n`);
  let [passed, failed, unsupported] = [0, 0, 0];
  for await (const result of checkParity(folder, executorFor, options.only)) {
    if (result.outcome === 'unsupported') unsupported++;
    else if (result.outcome === 'passed') passed++;
    else failed++;
    const error = result.worst === undefined ? '' : `${result.worst.ratio.toFixed(4)} at ${result.worst.tensor}`;
    process.stdout.write(`${result.outcome.padEnd(12)} ${result.name.padEnd(40)} ${result.reason ?? error}\n`);
  }
  const counted = options.allowUnsupported ? failed : failed + unsupported;
  process.stdout.write(
    `${passed} passed, ${counted} failed${unsupported > 0 ? ` (${unsupported} unsupported by this build)` : ''}\n`,
  );
  process.exit(counted > 0 || passed + failed + unsupported === 0 ? 1 : 0);
}
