/** Which run and epoch the page shows: those that a person chose, else the method's newest. */
import { titleOf } from '../../src/core/comparison.ts';
import { t } from '../../src/core/l10n.ts';
import type { RunState } from '../../src/core/run.ts';
import { chartedRuns, type DashboardState, pairsOf, runsOf, type ShownRun, shownPair } from '../state.ts';

export interface Choice {
  readonly run?: string;
  /** Nothing: the newest. */
  readonly epoch?: number;
}

export interface Chosen {
  /** The runs to choose from. */
  readonly runs: readonly ShownRun[];
  readonly run: ShownRun | undefined;
  /** Of which the run has a record, ascending. */
  readonly epochs: readonly number[];
  readonly epoch: number | undefined;
  /** The other run of the pair. */
  readonly other: ShownRun | undefined;
  /** Whether that has a record of the same epoch. */
  readonly hasOther: boolean;
}

export function chosenOf(state: DashboardState, choice: Choice): Chosen {
  const charted = chartedRuns(state);
  const pair = shownPair(state);
  const runs = charted.length > 0 ? charted : pair ? runsOf(pair) : [];
  const run = runs.find(({ handle }) => handle.id === choice.run) ?? runs.find(hasRecords) ?? runs[0];
  const epochs = run ? epochsOf(run.run) : [];
  const epoch = choice.epoch === undefined ? epochs.at(-1) : nearestTo(choice.epoch, epochs);
  const own = pairsOf(state).map(runsOf);
  const other = own
    .find((members) => members.some(({ handle }) => handle.id === run?.handle.id))
    ?.find(({ handle }) => handle.id !== run?.handle.id);
  const hasOther = epoch !== undefined && other !== undefined && epochsOf(other.run).includes(epoch);
  return { runs, run, epochs, epoch, other, hasOther };
}

/** The epoch so many records further; the ends stay. */
export function stepped(epochs: readonly number[], epoch: number | undefined, by: number): number | undefined {
  const index = epoch === undefined ? -1 : epochs.indexOf(epoch);
  return epochs[Math.min(epochs.length - 1, Math.max(0, index + by))];
}

/** `MaskSub`; with the experiment and the seed where several pairs are to choose from. */
export function runTitle({ handle }: ShownRun, runs: readonly ShownRun[]): string {
  const title = titleOf(handle.method);
  const isPair = new Set(runs.map((run) => run.handle.pair ?? run.handle.id)).size === 1;
  return isPair ? title : t('{0}, seed {1}, {2}', title, handle.seed, handle.name);
}

function nearestTo(epoch: number, epochs: readonly number[]): number | undefined {
  return epochs.reduce<number | undefined>(
    (best, one) => (best === undefined || Math.abs(one - epoch) <= Math.abs(best - epoch) ? one : best),
    undefined,
  );
}

const epochsOf = ({ sampledEpochs = [] }: RunState & { readonly sampledEpochs?: readonly number[] }) => sampledEpochs;
const hasRecords = ({ run }: ShownRun) => epochsOf(run).length > 0;
