/** What the status bar and the run list say of the runs that live. */
import { titleOf } from '../core/comparison.ts';
import { duration } from '../core/format.ts';
import { t } from '../core/l10n.ts';
import { type RunState, secondsLeft } from '../core/run.ts';

/** Of the run that is furthest behind: `epoch 12 of 150, 2 min 3 s left`. */
export function statusText(living: readonly RunState[]): string {
  const [slowest] = [...living].sort((a, b) => progress(a) - progress(b));
  const last = slowest?.lastStep;
  if (!slowest?.start || !last) return t('starting…');
  if (living.some((run) => run.state === 'stopping')) return t('stopping…');
  const left = secondsLeft(slowest);
  const { epochs } = slowest.start;
  const epoch = Math.min(epochs, Math.floor(last.epoch) + 1);
  if (left === undefined) return t('epoch {0} of {1}', epoch, epochs);
  return t('epoch {0} of {1}, {2} left', epoch, epochs, duration(left));
}

/** One run, for the tooltip. */
export function runText(run: RunState): string {
  if (!run.start) return t('{0}: starting', run.id);
  return t('{0}, seed {1}: {2}', titleOf(run.start.method), run.start.seed, statusText([run]));
}

const progress = (run: RunState) => (run.lastStep?.step ?? 0) / (run.start?.steps ?? 1);
