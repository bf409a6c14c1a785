/** `masksub fork`: goes on from a checkpoint of a run as a run of its own, with another config and the same random draws. */
import path from 'node:path';
import type { Config } from '../../core/config.ts';
import { UserError } from '../../core/errors.ts';
import { newExperimentId } from '../../core/experiment.ts';
import { listed } from '../../core/format.ts';
import { type CheckpointFile, checkpointsOf } from '../../store/checkpoints.ts';
import { formatProblem } from '../../store/configFile.ts';
import { runFiles } from '../../store/layout.ts';
import { findRun, type RunContent, readRun } from '../../store/runReader.ts';
import { threadsEach } from '../environment.ts';
import type { ForkJob, Job } from '../job.ts';
import { conduct } from './conduct.ts';
import { readConfig } from './readConfig.ts';
import { readRunConfig } from './runConfig.ts';

interface ForkOptions {
  readonly at?: number;
  readonly set: string[];
  readonly out: string;
  readonly id?: string;
  readonly json?: boolean;
}

/** Starts the new run in the folder of the old one, whose files stay as they are. */
export async function forkRun(name: string, options: ForkOptions): Promise<void> {
  const parent = readRun(findRun(options.out, name));
  const fork = forkJobOf(parent, options.at);
  const result = readConfig({ config: path.join(parent.folder, runFiles.config), set: options.set });
  if ('problems' in result) {
    for (const problem of result.problems) process.stderr.write(`${formatProblem(problem)}\n`);
    process.exitCode = 2;
    return;
  }
  const job = jobOf(parent, fork, result.config, options);
  await conduct({ groups: [[job]], known: [] }, job.out, options);
}

/** Where a fork of a run goes on: at its checkpoint of that step, else the newest. Throws a `UserError` where there is none. */
export function forkJobOf({ id, folder, state: { start } }: RunContent, step: number | undefined): ForkJob {
  if (!start) throw new UserError(`The run ${id} ended before it began: there is nothing to go on from.`);
  const there = checkpointsOf(folder);
  const found = step === undefined ? there[0] : there.find((checkpoint) => checkpoint.step === step);
  if (!found) throw noCheckpoint(id, step, there);
  return {
    run: id,
    folder: path.resolve(folder),
    ...found,
    dataHash: readRunConfig(folder).dataHash,
    stepsPerEpoch: start.steps / start.epochs,
  };
}

function noCheckpoint(id: string, step: number | undefined, there: readonly CheckpointFile[]): UserError {
  const steps = [...new Set(there.map((checkpoint) => String(checkpoint.step)))].reverse();
  return new UserError(
    step === undefined ? `The run ${id} has no checkpoint.` : `The run ${id} has no checkpoint of step ${step}.`,
    {
      hint:
        steps.length > 0
          ? `There are checkpoints of the steps ${listed(steps, 12)}.`
          : 'run.checkpointEvery says how often a run writes one.',
    },
  );
}

function jobOf(parent: RunContent, fork: ForkJob, config: Config, options: ForkOptions): Omit<Job, 'leader'> {
  const { folder, state } = parent;
  const { seed } = config.train;
  const name = state.start?.name ?? config.name;
  const experiment = options.id ?? newExperimentId(`${name}-fork-${fork.step}`, new Date());
  const method = config.method.name;
  return {
    runId: `${experiment}-s${seed}-${method}`,
    out: path.dirname(path.resolve(folder)),
    pair: undefined,
    role: method === 'baseline' ? 'baseline' : 'method',
    config: { ...config, name: `${name}, fork at step ${fork.step}`, compare: { ...config.compare, seeds: [seed] } },
    configFolder: folder,
    threads: threadsEach(state.start?.pair === undefined ? 1 : 2, config.run.threads),
    fork,
  };
}
