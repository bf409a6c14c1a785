/** What the dashboard knows: the runs of one experiment, after the messages so far. */
import { comparePair, type PairComparison } from '../src/core/comparison.ts';
import { assertNever } from '../src/core/errors.ts';
import type { RunHandle, ToDashboard } from '../src/core/messages.ts';
import { emptyRun, isOver, type RunState, reduceRunAll } from '../src/core/run.ts';

export interface DashboardState {
  /** False until the extension has said what to show. */
  readonly told: boolean;
  readonly handles: readonly RunHandle[];
  readonly runs: ReadonlyMap<string, RunState>;
  /** The seed that a person picked; nothing follows the newest. */
  readonly picked: number | undefined;
  /** A failure for a person to read. */
  readonly notice: string | undefined;
}

export const emptyState: DashboardState = {
  told: false,
  handles: [],
  runs: new Map(),
  picked: undefined,
  notice: undefined,
};

export interface ShownRun {
  readonly handle: RunHandle;
  readonly run: RunState;
}

/** The runs of one seed; one of the two where the config asks for no more. */
export interface ShownPair {
  readonly seed: number;
  readonly baseline?: ShownRun;
  readonly method?: ShownRun;
}

/** The state after one more message. */
export function applyMessage(state: DashboardState, message: ToDashboard): DashboardState {
  switch (message.type) {
    case 'show': {
      const seeds = new Set(message.runs.map(({ seed }) => seed));
      const sameExperiment = message.runs.some(({ id }) => state.runs.has(id));
      const keepsPick = sameExperiment && state.picked !== undefined && seeds.has(state.picked);
      const runs = new Map(message.runs.map(({ id, lost }) => [id, lostOr(emptyRun(id), lost)]));
      const picked = keepsPick ? state.picked : undefined;
      return { told: true, handles: message.runs, runs, picked, notice: undefined };
    }
    case 'events': {
      const run = state.runs.get(message.run);
      if (!run) return state; // of an experiment that was shown before
      const isLost = run.state === 'lost';
      return withRun(state, lostOr(reduceRunAll(run, message.events), isLost));
    }
    case 'lost': {
      const run = state.runs.get(message.run);
      return run ? withRun(state, lostOr(run, true)) : state;
    }
    case 'notice':
      return { ...state, notice: message.text };
    default:
      return assertNever(message);
  }
}

/** The pairs of the experiment, by seed. */
export function pairsOf(state: DashboardState): ShownPair[] {
  const pairs = new Map<number, ShownPair>();
  for (const handle of state.handles) {
    const run = state.runs.get(handle.id);
    if (!run) continue;
    const pair = pairs.get(handle.seed) ?? { seed: handle.seed };
    pairs.set(handle.seed, { ...pair, [handle.role]: { handle, run } });
  }
  return [...pairs.values()].sort((a, b) => a.seed - b.seed);
}

/** The pair to show: the picked one, else the one that began last, else the first to come. */
export function shownPair(state: DashboardState): ShownPair | undefined {
  const pairs = pairsOf(state);
  const picked = pairs.find((pair) => pair.seed === state.picked);
  const begun = pairs.filter((pair) => runsOf(pair).some(({ run }) => run.start));
  const byTime = [...begun].sort((a, b) => compareTexts(beginOf(a), beginOf(b)));
  return picked ?? byTime.at(-1) ?? pairs[0];
}

/** Method first: it is what the person came for. */
export function runsOf(pair: ShownPair): ShownRun[] {
  return [pair.method, pair.baseline].filter((run) => run !== undefined);
}

/** The comparison of each pair that has one. */
export function comparisonsOf(pairs: readonly ShownPair[]): PairComparison[] {
  return pairs
    .map(({ baseline, method }) => baseline && method && comparePair(baseline.run, method.run))
    .filter((comparison) => comparison !== undefined);
}

/** True while something of the experiment runs or is to come. */
export function isLiving(state: DashboardState): boolean {
  return [...state.runs.values()].some((run) => !isOver(run));
}

function withRun(state: DashboardState, run: RunState): DashboardState {
  return { ...state, runs: new Map(state.runs).set(run.id, run) };
}

/** Its process is gone, unless it told its end after all. */
const lostOr = (run: RunState, lost: boolean): RunState => (lost && !run.end ? { ...run, state: 'lost' } : run);
const beginOf = (pair: ShownPair) => runsOf(pair).find(({ run }) => run.start)?.run.start?.at ?? '';
const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
