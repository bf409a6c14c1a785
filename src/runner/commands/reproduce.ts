/** `masksub reproduce`: a run once more from its folder, and whether it comes out the same. */
import path from 'node:path';
import { UserError } from '../../core/errors.ts';
import { encodeEvent } from '../../core/events.ts';
import { newExperimentId } from '../../core/experiment.ts';
import { compareRepeated, describeReproduction } from '../../core/reproduction.ts';
import { isOver } from '../../core/run.ts';
import { findRun, readRun } from '../../store/runReader.ts';
import { threadsEach } from '../environment.ts';
import { eventsThatCountIn } from '../exports/rows.ts';
import type { Job } from '../job.ts';
import { conduct } from './conduct.ts';
import { forkJobOf } from './fork.ts';
import { readRunConfig } from './runConfig.ts';

interface ReproduceOptions {
  readonly out: string;
  readonly id?: string;
  readonly json?: boolean;
}

/** Makes the run again beside the old one, which stays as it is. */
export async function reproduce(name: string, options: ReproduceOptions): Promise<void> {
  const { id, folder, state } = readRun(findRun(options.out, name));
  if (!isOver(state)) throw new UserError(`The run ${id} is alive.`, { hint: 'Wait for its end, or stop it.' });
  const { start } = state;
  if (!start) throw new UserError(`The run ${id} ended before it began: there is nothing to be made again.`);
  const { config, facts, threads, forkOf } = readRunConfig(folder);
  const out = path.dirname(path.resolve(folder));
  const { seed } = config.train;
  const job: Omit<Job, 'leader'> = {
    runId: `${options.id ?? newExperimentId(`${config.name}-again`, new Date())}-s${seed}-${config.method.name}`,
    out,
    pair: undefined,
    role: start.role,
    config,
    configFolder: folder,
    // Another number of threads adds in another order.
    threads: threads ?? threadsEach(start.pair === undefined ? 1 : 2, config.run.threads),
    ...(forkOf ? { fork: forkJobOf(readRun(findRun(out, forkOf.run)), forkOf.step) } : {}),
  };
  await conduct({ groups: [[job]], known: [] }, out, options);
  const repeated = path.join(out, job.runId);
  const result = compareRepeated(
    { facts, events: eventsThatCountIn(folder) },
    { facts: factsOf(repeated), events: eventsThatCountIn(repeated) },
  );
  const text = describeReproduction(result).join('\n');
  process.stdout.write(options.json ? `${encodeEvent({ type: 'reproduction', ...result, text })}\n` : `\n${text}\n`);
}

/** Nothing where the new run was refused before it had a folder. */
function factsOf(folder: string): Readonly<Record<string, string | number>> {
  try {
    return readRunConfig(folder).facts;
  } catch (error) {
    if (error instanceof UserError) return {};
    throw error;
  }
}
