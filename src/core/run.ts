/** A run as its events tell it: one reducer serves the dashboard, the run list, the terminal and a finished run's folder. */
import { assertNever } from './errors.ts';
import type { EndState, RunEvent, RunEventOf } from './events.ts';

/** What is known of a run after its events so far. */
export interface RunState {
  readonly id: string;
  readonly start: RunEventOf<'start'> | undefined;
  readonly steps: readonly RunEventOf<'step'>[];
  readonly epochs: readonly RunEventOf<'epoch'>[];
  readonly layers: readonly RunEventOf<'layers'>[];
  readonly warnings: readonly string[];
  readonly lastCheckpoint: string | undefined;
  /** `starting` until the first event; `lost` is set by readers that find the process gone without an `end` event. */
  readonly state: 'starting' | 'running' | 'stopping' | 'lost' | EndState;
  readonly end: RunEventOf<'end'> | undefined;
  /** Seconds into the run at the last event. */
  readonly t: number;
}

/** The states as labels. */
export const stateTitles: Readonly<Record<RunState['state'], string>> = {
  starting: 'Starting',
  running: 'Running',
  stopping: 'Stopping',
  finished: 'Finished',
  stopped: 'Stopped',
  failed: 'Failed',
  interrupted: 'Interrupted',
  lost: 'Lost',
};

export function emptyRun(id: string): RunState {
  return {
    id,
    start: undefined,
    steps: [],
    epochs: [],
    layers: [],
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
      const [steps, epochs] = [run.steps.filter(counts), run.epochs.filter(counts)];
      return {
        ...next,
        start: event,
        steps,
        epochs,
        layers: run.layers.filter(counts),
        state: 'running',
        end: undefined,
      };
    }
    case 'step':
      return { ...next, steps: [...run.steps, event] };
    case 'layers':
      return { ...next, layers: [...run.layers, event] };
    case 'epoch':
      return { ...next, epochs: [...run.epochs, event] };
    case 'checkpoint':
      return { ...next, lastCheckpoint: event.file };
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

/** Many events at once, copying each list once. */
export function reduceRunAll(run: RunState, events: readonly RunEvent[]): RunState {
  const restart = events.findIndex((event, i) => i > 0 && event.type === 'start');
  if (restart > 0) return reduceRunAll(reduceRunAll(run, events.slice(0, restart)), events.slice(restart));
  const steps = events.filter((event) => event.type === 'step');
  const rest = events.filter((event) => event.type !== 'step').reduce(reduceRun, run);
  const t = events.at(-1)?.t ?? run.t;
  return { ...rest, steps: steps.length > 0 ? [...rest.steps, ...steps] : rest.steps, t };
}

/** True once nothing more will come. */
export function isOver(run: Pick<RunState, 'state'>): boolean {
  return !['starting', 'running', 'stopping'].includes(run.state);
}

/** Seconds until the end at the pace so far, or nothing before the first step or after the end. */
export function secondsLeft(run: RunState): number | undefined {
  const last = run.steps.at(-1);
  if (isOver(run) || !run.start || !last || last.step === 0) return undefined;
  const first = run.steps[0];
  const pace =
    first && last.step > first.step ? (last.t - first.t) / (last.step - first.step) : last.t / Math.max(1, last.step);
  return Math.max(0, (run.start.steps - last.step) * pace);
}
