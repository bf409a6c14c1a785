/** A run as its events tell it: one reducer serves the dashboard, the run list, the terminal and a finished run's folder. */
import { assertNever } from './errors.ts';
import type { EndState, RunEvent, RunEventOf } from './events.ts';
import { t } from './l10n.ts';

/** What is known of a run after its events so far. */
export interface RunState {
  readonly id: string;
  readonly start: RunEventOf<'start'> | undefined;
  /** The first step event of the attempt under way, and the newest one; all of them are in the run's metrics. */
  readonly firstStep: RunEventOf<'step'> | undefined;
  readonly lastStep: RunEventOf<'step'> | undefined;
  readonly epochs: readonly RunEventOf<'epoch'>[];
  /** Epochs of which there are recorded samples, ascending. */
  readonly sampledEpochs: readonly number[];
  readonly warnings: readonly string[];
  readonly lastCheckpoint: string | undefined;
  /** `starting` until the first event; `lost` is set by readers that find the process gone without an `end` event. */
  readonly state: 'starting' | 'running' | 'stopping' | 'lost' | EndState;
  readonly end: RunEventOf<'end'> | undefined;
  /** Seconds into the run at the last event. */
  readonly t: number;
}

/** The state as a label. */
export function stateTitle(state: RunState['state']): string {
  switch (state) {
    case 'starting':
      return t('Starting');
    case 'running':
      return t('Running');
    case 'stopping':
      return t('Stopping');
    case 'finished':
      return t('Finished');
    case 'stopped':
      return t('Stopped');
    case 'failed':
      return t('Failed');
    case 'interrupted':
      return t('Interrupted');
    case 'lost':
      return t('Lost');
  }
}

export function emptyRun(id: string): RunState {
  return {
    id,
    start: undefined,
    firstStep: undefined,
    lastStep: undefined,
    epochs: [],
    sampledEpochs: [],
    warnings: [],
    lastCheckpoint: undefined,
    state: 'starting',
    end: undefined,
    t: 0,
  };
}

/** The state after one more event. */
export function reduceRun(run: RunState, event: RunEvent): RunState {
  const next = { ...run, t: event.t };
  switch (event.type) {
    case 'start': {
      // What an earlier attempt did after the checkpoint from which this one goes on is being done again.
      const counts = ({ step }: { readonly step: number }) => step <= (event.fromStep ?? 0);
      const epochs = run.epochs.filter(counts);
      const sampled = run.sampledEpochs.filter((epoch) => epoch <= (epochs.at(-1)?.epoch ?? 0));
      return {
        ...next,
        start: event,
        firstStep: undefined,
        lastStep: run.lastStep && counts(run.lastStep) ? run.lastStep : undefined,
        epochs,
        sampledEpochs: sampled,
        state: 'running',
        end: undefined,
      };
    }
    case 'step':
      return { ...next, firstStep: run.firstStep ?? event, lastStep: event };
    case 'layers':
      return next;
    case 'epoch':
      return { ...next, epochs: [...run.epochs, event] };
    case 'checkpoint':
      return { ...next, lastCheckpoint: event.file };
    case 'samples':
      return { ...next, sampledEpochs: [...run.sampledEpochs.filter((epoch) => epoch < event.epoch), event.epoch] };
    case 'state':
      return { ...next, state: event.state };
    case 'warning':
      return { ...next, warnings: [...run.warnings, event.message] };
    case 'end':
      return { ...next, state: event.state, end: event };
    default:
      return assertNever(event);
  }
}

/** Many events at once; of the steps between two others only the first and the last are looked at. */
export function reduceRunAll(run: RunState, events: readonly RunEvent[]): RunState {
  return events.reduce((state, event, i) => {
    const isPassed = event.type === 'step' && state.firstStep && events[i + 1]?.type === 'step';
    return isPassed ? state : reduceRun(state, event);
  }, run);
}

/** Without what an attempt did after the checkpoint from which the next one went on: that was done again. */
export function eventsThatCount(events: readonly RunEvent[]): RunEvent[] {
  return events.reduce<RunEvent[]>((kept, event) => {
    if (event.type !== 'start' || event.attempt === 0) kept.push(event);
    else {
      const { fromStep = 0 } = event;
      kept = [...kept.filter((earlier) => !('step' in earlier) || earlier.step <= fromStep), event];
    }
    return kept;
  }, []);
}

/** True once nothing more will come. */
export function isOver(run: Pick<RunState, 'state'>): boolean {
  return !['starting', 'running', 'stopping'].includes(run.state);
}

/** Seconds until the end at the pace so far, or nothing before the first step or after the end. */
export function secondsLeft(run: RunState): number | undefined {
  const { firstStep: first, lastStep: last } = run;
  if (isOver(run) || !run.start || !last || last.step === 0) return undefined;
  const pace =
    first && last.step > first.step ? (last.t - first.t) / (last.step - first.step) : last.t / Math.max(1, last.step);
  return Math.max(0, (run.start.steps - last.step) * pace);
}
