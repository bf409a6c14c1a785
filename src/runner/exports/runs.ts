/** The runs that an export is about: found by id, folder or experiment, with their scalars, and how each is named and drawn. */
import fs from 'node:fs';
import path from 'node:path';
import { titleOf } from '../../core/comparison.ts';
import { UserError } from '../../core/errors.ts';
import { type Summary, summarySchema } from '../../core/events.ts';
import { experimentOf } from '../../core/experiment.ts';
import type { RunMetrics } from '../../core/metricQuery.ts';
import { isOver, type RunState } from '../../core/run.ts';
import { runStyles } from '../../core/runStyles.ts';
import { explainFileError } from '../../store/files.ts';
import { runFiles } from '../../store/layout.ts';
import { isAlive, readLock } from '../../store/lock.ts';
import { RunLog } from '../../store/runLog.ts';
import { findRun, listRuns } from '../../store/runReader.ts';

export interface ExportedRun {
  readonly id: string;
  readonly folder: string;
  readonly state: RunState;
  readonly metrics: RunMetrics;
  readonly summary: Summary | undefined;
  /** What its `config.json` holds; empty where that is missing or damaged. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly experiment: string;
  readonly close: () => void;
}

/** Runs that are drawn as one: a single one, or the seeds of one method of an experiment. */
export interface RunGroup {
  readonly label: string;
  /** How many seeds, where the groups of a figure differ in that; it comes last in a label. */
  readonly count: string;
  readonly slot: number;
  readonly runs: readonly ExportedRun[];
}

/** Opens what the names stand for, each run once, the baseline of a pair before its method. Whoever opens closes. */
export async function openRuns(names: readonly string[], out: string): Promise<ExportedRun[]> {
  const folders = [...new Set(names.flatMap((name) => foldersOf(name, out)).map((folder) => path.resolve(folder)))];
  const opened: ExportedRun[] = [];
  try {
    for (const folder of folders) {
      const run = await openRun(folder);
      // A copy of a run says the other's id.
      const isTaken = opened.some(({ id }) => id === run.id);
      opened.push(isTaken ? { ...run, id: `${run.id} (${path.basename(folder)})` } : run);
    }
  } catch (error) {
    for (const run of opened) run.close();
    throw error;
  }
  const experiments = [...new Set(opened.map(({ experiment }) => experiment))];
  const key = (run: ExportedRun) => [
    experiments.indexOf(run.experiment),
    run.state.start?.seed ?? 0,
    run.state.start?.role === 'baseline' ? 0 : 1,
  ];
  return opened.sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    const i = left.findIndex((value, at) => value !== right[at]);
    return i < 0 ? 0 : (left[i] ?? 0) - (right[i] ?? 0);
  });
}

/** What is drawn as one line each: the seeds of a method together, unless each is wanted on its own. */
export function groupRuns(runs: readonly ExportedRun[], eachSeed: boolean): RunGroup[] {
  const byKey = new Map<string, ExportedRun[]>();
  for (const run of runs) {
    const key = eachSeed
      ? run.folder
      : JSON.stringify([run.experiment, run.state.start?.method, run.state.start?.role]);
    byKey.set(key, [...(byKey.get(key) ?? []), run]);
  }
  const groups = [...byKey.values()].map(seedsOnce);
  if (groups.length > runStyles.length) {
    throw new UserError(`A figure shows at most ${runStyles.length} runs, and these are ${groups.length}.`, {
      hint: 'Name fewer of them.',
    });
  }
  const labels = groups.map((group) => labelOf(group, groups));
  const [only] = groups;
  const lonelyMethod = groups.length === 1 && only?.[0]?.state.start?.role === 'method';
  return groups.map((group, i) => ({
    label: labels.filter((label) => label === labels[i]).length > 1 ? (group[0]?.id ?? '') : (labels[i] ?? ''),
    count: new Set(groups.map(({ length }) => length)).size > 1 ? `(${seedsText(group.length)})` : '',
    slot: lonelyMethod ? 1 : i,
    runs: group,
  }));
}

/** A copied run is no further seed: of each the finished one, else the later, in the place of the first. */
function seedsOnce(runs: readonly ExportedRun[]): ExportedRun[] {
  const bySeed = new Map<number | string, ExportedRun>();
  for (const run of runs) {
    const seed = run.state.start?.seed ?? run.folder;
    const other = bySeed.get(seed);
    const rank = ({ state }: ExportedRun) => `${state.state === 'finished' ? 1 : 0} ${state.start?.at ?? ''}`;
    if (!other || rank(run) > rank(other)) bySeed.set(seed, run);
  }
  return [...bySeed.values()];
}

/** What a set of runs is called in the name of a file. */
export function nameOf(runs: readonly ExportedRun[]): string {
  const [first] = runs;
  if (!first) throw new Error('There is at least one run.');
  if (runs.length === 1) return first.id;
  const experiments = new Set(runs.map(({ experiment }) => experiment));
  return experiments.size === 1 ? first.experiment : `${first.id}-and-${runs.length - 1}-more`;
}

function labelOf(group: readonly ExportedRun[], groups: readonly (readonly ExportedRun[])[]): string {
  const [first] = group;
  const start = first?.state.start;
  if (!first || !start) return first?.id ?? '';
  const others = groups.flat();
  const experiments = new Set(others.map(({ experiment }) => experiment));
  const seeds = new Set(others.map(({ state }) => state.start?.seed));
  const names = new Map(others.map(({ experiment, state }) => [experiment, state.start?.name]));
  const isNamed = new Set(names.values()).size === names.size;
  return [
    titleOf(start.method),
    experiments.size > 1 ? (isNamed ? start.name : first.experiment) : '',
    seeds.size > 1 && groups.every(({ length }) => length === 1) ? `seed ${start.seed}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

const seedsText = (count: number) => (count === 1 ? '1 seed' : `${count} seeds`);

function foldersOf(name: string, out: string): string[] {
  const ofExperiment = listRuns(out).filter((listing) => experimentOf(listing) === name);
  if (ofExperiment.length > 0) return ofExperiment.map(({ folder }) => folder).reverse();
  return [findRun(out, name)];
}

async function openRun(folder: string): Promise<ExportedRun> {
  // The lock before the events: a run that ends in between is seen with its end, not as lost.
  const lock = readLock(folder);
  const log = await RunLog.open(folder);
  const told = log.state;
  const isLost = !isOver(told) && !(lock && isAlive(lock.pid, lock.startTime));
  const state: RunState = isLost ? { ...told, state: 'lost' } : told;
  const id = state.start?.run ?? path.basename(folder);
  const summary = summarySchema.safeParse(readJson(path.join(folder, runFiles.summary)));
  return {
    id,
    folder,
    state,
    metrics: log.metrics,
    summary: summary.success ? summary.data : state.end?.summary,
    config: asObject(readJson(path.join(folder, runFiles.config))),
    experiment: experimentOf({ id, pair: state.start?.pair }),
    close: () => log.close(),
  };
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** Nothing where the file is missing or damaged: an export says what the rest of the run says. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || !fs.existsSync(file)) return undefined;
    throw explainFileError(file, error);
  }
}
