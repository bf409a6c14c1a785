/** `masksub resume`: a run that was stopped, killed or failed goes on, and its pair with it. */
import path from 'node:path';
import { UserError } from '../../core/errors.ts';
import { isOver } from '../../core/run.ts';
import { checkpointFiles } from '../../store/checkpoints.ts';
import { findRun, listRuns, type RunContent, readRun } from '../../store/runReader.ts';
import { threadsEach } from '../environment.ts';
import type { Job } from '../job.ts';
import { conduct } from './conduct.ts';
import { readRunConfig } from './runConfig.ts';

/** Goes on from the newest checkpoint of each run, in its folder. Throws a `UserError` where one of them cannot go on. */
export async function resume(name: string, options: { out: string; json?: boolean }): Promise<void> {
  const named = readRun(findRun(options.out, name));
  const out = path.dirname(path.resolve(named.folder));
  const pair = withPartner(named, out);
  const unfinished = pair.filter(({ state }) => state.state !== 'finished');
  if (unfinished.length === 0) throw new UserError(`The run ${named.id} is finished.`);
  const jobs = unfinished.map((run) => jobOf(run, out, pair.length));
  const known = pair.map(({ state }) =>
    unfinished.some(({ id }) => id === state.id) ? { ...state, state: 'starting' as const, end: undefined } : state,
  );
  await conduct({ groups: [jobs], known }, out, options);
}

/** The runs of the pair, the baseline first; a run without a pair is alone. */
function withPartner(run: RunContent, out: string): RunContent[] {
  const pair = run.state.start?.pair;
  if (pair === undefined) return [run];
  const folders = listRuns(out).filter((listing) => listing.pair === pair);
  return folders
    .map(({ folder }) => readRun(folder))
    .sort((a, b) => Number(b.state.start?.role === 'baseline') - Number(a.state.start?.role === 'baseline'));
}

function jobOf({ id, folder, state }: RunContent, out: string, processes: number): Omit<Job, 'leader'> {
  if (!isOver(state)) {
    throw new UserError(`The run ${id} is alive.`, { hint: 'Wait for its end, or stop it with `masksub stop`.' });
  }
  if (path.basename(path.resolve(folder)) !== id) {
    throw new UserError(`The folder of ${id} has another name now: ${folder}.`, { hint: 'Give it its name back.' });
  }
  const { start } = state;
  if (!start || checkpointFiles(folder).length === 0) {
    throw new UserError(`The run ${id} ended before its first checkpoint: there is nothing to go on from.`, {
      hint: 'Start it again with `masksub run`; run.checkpointEvery says how often there is one.',
    });
  }
  const { config, dataHash } = readRunConfig(folder);
  return {
    runId: id,
    out,
    pair: start.pair,
    role: start.role,
    config,
    configFolder: folder,
    threads: threadsEach(processes, config.run.threads),
    resume: { dataHash, backend: start.backend, executor: start.executor },
  };
}
