/** What the dashboard knows: the runs that it shows, after the messages so far. */
import { comparePair, type PairComparison } from '../src/core/comparison.ts';
import { assertNever } from '../src/core/errors.ts';
import type { MetricFacts, RunHandle, ToDashboard } from '../src/core/messages.ts';
import type { MetricTable } from '../src/core/metricQuery.ts';
import { emptyRun, isOver, type RunState, reduceRunAll } from '../src/core/run.ts';
import type { RunRow } from '../src/core/runRow.ts';

export interface DashboardState {
  /** False until the extension has said what to show. */
  readonly told: boolean;
  readonly handles: readonly RunHandle[];
  readonly runs: ReadonlyMap<string, RunState>;
  /** What can be asked about each run's scalars. */
  readonly tables: ReadonlyMap<string, Readonly<Record<MetricTable, MetricFacts>>>;
  /** How far the log of a run is read, 0 to 1, while it is. */
  readonly reading: ReadonlyMap<string, number>;
  /** What a person should know about a run's folder. */
  readonly problems: ReadonlyMap<string, string>;
  /** Style of each run where more than a pair is shown: a number that it keeps while others come and go. */
  readonly slots: ReadonlyMap<string, number>;
  /** What a person picked to see: a pair's key, or all runs; nothing follows the newest pair, or shows all of a selection. */
  readonly picked: string | typeof everyRun | undefined;
  /** Every run of the workspace; empty until the table asks. */
  readonly rows: readonly RunRow[];
  /** A failure for a person to read. */
  readonly notice: string | undefined;
}

/** Picked: not one pair but all runs that are shown. */
export const everyRun = '*';

export const emptyState: DashboardState = {
  told: false,
  handles: [],
  runs: new Map(),
  tables: new Map(),
  reading: new Map(),
  problems: new Map(),
  slots: new Map(),
  picked: undefined,
  rows: [],
  notice: undefined,
};

export interface ShownRun {
  readonly handle: RunHandle;
  readonly run: RunState;
}

/** The runs of one seed of an experiment; one of the two where its config asks for no more. */
export interface ShownPair {
  /** The pair's id, or that of a run on its own. */
  readonly key: string;
  readonly name: string;
  readonly seed: number;
  readonly baseline?: ShownRun;
  readonly method?: ShownRun;
}

/** The state after one more message. */
export function applyMessage(state: DashboardState, message: ToDashboard): DashboardState {
  switch (message.type) {
    case 'show':
      return shown(state, message.runs);
    case 'events': {
      const run = state.runs.get(message.run);
      if (!run) return state; // not shown any more
      const isLost = run.state === 'lost';
      return withRun(state, lostOr(reduceRunAll(run, message.events), isLost));
    }
    case 'metrics':
      return { ...state, tables: withEntry(state.tables, message.run, message.tables) };
    case 'reading':
      return { ...state, reading: withEntry(state.reading, message.run, message.done < 1 ? message.done : undefined) };
    case 'problem':
      return { ...state, problems: withEntry(state.problems, message.run, message.text) };
    case 'lost': {
      const run = state.runs.get(message.run);
      return run ? withRun(state, lostOr(run, true)) : state;
    }
    case 'rows':
      return { ...state, rows: message.rows };
    case 'notice':
      return { ...state, notice: message.text };
    case 'page':
      return state; // the tabs' business
    default:
      return assertNever(message);
  }
}

function shown(state: DashboardState, handles: readonly RunHandle[]): DashboardState {
  const isSame = handles.some(({ id }) => state.runs.has(id));
  const next: DashboardState = {
    ...emptyState,
    told: true,
    handles,
    runs: new Map(handles.map(({ id, lost }) => [id, lostOr(emptyRun(id), lost)])),
    slots: slotsFor(state.slots, handles),
    rows: state.rows,
  };
  const { picked } = state;
  const keepsPick = isSame && (picked === everyRun || pairsOf(next).some(({ key }) => key === picked));
  return keepsPick ? { ...next, picked } : next;
}

/** Those that stay keep their number; those that come take the lowest that is free. */
function slotsFor(before: ReadonlyMap<string, number>, handles: readonly RunHandle[]): Map<string, number> {
  const kept = handles.flatMap(({ id }) => {
    const slot = before.get(id);
    return slot === undefined ? [] : [[id, slot] as const];
  });
  const slots = new Map(kept);
  const taken = new Set(slots.values());
  for (const { id } of handles) {
    if (slots.has(id)) continue;
    let free = 0;
    while (taken.has(free)) free++;
    taken.add(free);
    slots.set(id, free);
  }
  return slots;
}

/** The pairs that are shown, in the order in which the extension lists them. */
export function pairsOf(state: DashboardState): ShownPair[] {
  const pairs = new Map<string, ShownPair>();
  for (const handle of state.handles) {
    const run = state.runs.get(handle.id);
    if (!run) continue;
    const key = handle.pair ?? handle.id;
    const pair = pairs.get(key) ?? { key, name: handle.name, seed: handle.seed };
    pairs.set(key, { ...pair, [handle.role]: { handle, run } });
  }
  return [...pairs.values()];
}

/** The pair to show: the picked one, else the one that began last, else the first to come. */
export function shownPair(state: DashboardState): ShownPair | undefined {
  const pairs = pairsOf(state);
  const picked = pairs.find((pair) => pair.key === state.picked);
  const begun = pairs.filter((pair) => runsOf(pair).some(({ run }) => run.start));
  const byTime = [...begun].sort((a, b) => compareTexts(beginOf(a), beginOf(b)));
  return picked ?? byTime.at(-1) ?? pairs[0];
}

/** True where the pairs are not those of one experiment: seeds of one config differ in nothing else. */
export function isSelection(state: DashboardState): boolean {
  return new Set(state.handles.map(({ experiment }) => experiment)).size > 1;
}

/** The runs whose curves are drawn: those of the shown pair, or all. */
export function chartedRuns(state: DashboardState): ShownRun[] {
  const pair = shownPair(state);
  const all = state.picked === everyRun || (state.picked === undefined && isSelection(state));
  if (!all) return pair ? runsOf(pair) : [];
  return pairsOf(state).flatMap(runsOf);
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

/** True while one of the runs lives or is to come. */
export function isLiving(state: DashboardState): boolean {
  return [...state.runs.values()].some((run) => !isOver(run));
}

function withEntry<T>(map: ReadonlyMap<string, T>, key: string, value: T | undefined): ReadonlyMap<string, T> {
  const next = new Map(map);
  if (value === undefined) next.delete(key);
  else next.set(key, value);
  return next;
}

function withRun(state: DashboardState, run: RunState): DashboardState {
  return { ...state, runs: new Map(state.runs).set(run.id, run) };
}

/** Its process is gone, unless it told its end after all. */
const lostOr = (run: RunState, lost: boolean): RunState => (lost && !run.end ? { ...run, state: 'lost' } : run);
const beginOf = (pair: ShownPair) => runsOf(pair).find(({ run }) => run.start)?.run.start?.at ?? '';
const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
