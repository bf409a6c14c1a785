/** Runs grouped into the experiments that they were started as: for the run list, and for what one dashboard shows. */
import type { RunHandle } from '../core/messages.ts';
import { isOver } from '../core/run.ts';
import type { RunListing } from '../store/runReader.ts';

/** Everything that one start of the runner trains: a pair for each seed, or single runs. */
export interface Experiment {
  readonly id: string;
  readonly name: string;
  /** When its first run began, ISO 8601. */
  readonly at: string;
  /** By seed, the baseline first. */
  readonly runs: readonly RunListing[];
  /** Of the run that asks most for attention: living before failed before lost before stopped before finished. */
  readonly state: RunListing['state'];
}

const urgency: readonly RunListing['state'][] = [
  'stopping',
  'running',
  'starting',
  'failed',
  'lost',
  'interrupted',
  'stopped',
  'finished',
];

/** Groups listings, newest first. */
export function groupExperiments(listings: readonly RunListing[]): Experiment[] {
  const groups = new Map<string, RunListing[]>();
  for (const listing of listings) {
    const id = experimentOf(listing);
    groups.set(id, [...(groups.get(id) ?? []), listing]);
  }
  const experiments = [...groups].map(([id, runs]) => experimentFrom(id, runs));
  return experiments.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

/** The experiment that a run belongs to: its pair's id without the seed. A run's id is `<experiment>-s<seed>-<method>`. */
export function experimentOf(run: Pick<RunListing, 'id' | 'pair'>): string {
  return (run.pair ?? run.id.replace(/-[^-]+$/, '')).replace(/-s\d+$/, '');
}

/** The runs that the runner will make of a config, before any of their folders is there. */
export function expectedRuns(experiment: string, config: ExpectedConfig): RunHandle[] {
  const { name, method, compare } = config;
  return compare.seeds.flatMap((seed) => {
    const handle = (methodName: string, role: RunHandle['role'], pair?: string): RunHandle => ({
      id: `${experiment}-s${seed}-${methodName}`,
      name,
      method: methodName,
      role,
      ...(pair === undefined ? {} : { pair }),
      seed,
      lost: false,
    });
    if (method.name === 'baseline') return [handle('baseline', 'baseline')];
    if (!compare.baseline) return [handle(method.name, 'method')];
    const pair = `${experiment}-s${seed}`;
    return [handle('baseline', 'baseline', pair), handle(method.name, 'method', pair)];
  });
}

/** What `expectedRuns` reads of a resolved config. */
export interface ExpectedConfig {
  readonly name: string;
  readonly method: { readonly name: string };
  readonly compare: { readonly baseline: boolean; readonly seeds: readonly number[] };
}

/** A listed run as the dashboard is told of it. */
export function handleOf(listing: RunListing): RunHandle {
  const { id, name, method, role, pair, seed, state } = listing;
  return { id, name, method, role, ...(pair === undefined ? {} : { pair }), seed, lost: state === 'lost' };
}

/** A sortable experiment id: time (UTC) and name, as the runner makes one by itself. */
export function newExperimentId(name: string, now: Date): string {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return slug ? `${time}-${slug}` : time;
}

function experimentFrom(id: string, listings: readonly RunListing[]): Experiment {
  const runs = [...listings].sort((a, b) => a.seed - b.seed || order(a) - order(b));
  const times = runs.map((run) => run.at).sort();
  const states = new Set(runs.map((run) => run.state));
  return {
    id,
    name: runs[0]?.name ?? id,
    at: times[0] ?? '',
    runs,
    state: urgency.find((state) => states.has(state)) ?? 'finished',
  };
}

const order = (run: Pick<RunListing, 'role'>) => (run.role === 'baseline' ? 0 : 1);

/** True while some run of it lives. */
export function isLiving(runs: readonly Pick<RunListing, 'state'>[]): boolean {
  return runs.some((run) => !isOver(run));
}
