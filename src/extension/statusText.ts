/** What the status bar says of the runs that live. */
import { titleOf } from '../core/comparison.ts';
import { duration } from '../core/format.ts';
import { type RunState, secondsLeft } from '../core/run.ts';

/** Of the run that is furthest behind: `epoch 12 of 150, 2 min 3 s left`. */
export function statusText(living: readonly RunState[]): string {
  const [slowest] = [...living].sort((a, b) => progress(a) - progress(b));
  if (!slowest?.start || slowest.steps.length === 0) return 'starting…';
  if (living.some((run) => run.state === 'stopping')) return 'stopping…';
  const left = secondsLeft(slowest);
  const epoch = Math.min(slowest.start.epochs, Math.floor(slowest.steps.at(-1)?.epoch ?? 0) + 1);
  return `epoch ${epoch} of ${slowest.start.epochs}${left === undefined ? '' : `, ${duration(left)} left`}`;
}

/** One run, for the tooltip. */
export function runText(run: RunState): string {
  if (!run.start) return `${run.id}: starting`;
  return `${titleOf(run.start.method)}, seed ${run.start.seed}: ${statusText([run])}`;
}

const progress = (run: RunState) => (run.steps.at(-1)?.step ?? 0) / (run.start?.steps ?? 1);
