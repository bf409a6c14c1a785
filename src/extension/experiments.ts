/** Runs grouped into the experiments that they were started as: for the run list, and for what one dashboard shows. */
import path from 'node:path';
import { experimentOf } from '../core/experiment.ts';
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
    const id = groupOf(listing);
    groups.set(id, [...(groups.get(id) ?? []), listing]);
  }
  const experiments = [...groups].map(([id, runs]) => experimentFrom(id, runs));
  return experiments.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
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
      experiment,
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

/**
 * A listed run as the dashboard is told of it. A folder that was copied says another's id: it goes by the name of its folder, and is no
 * part of the other's pair.
 */
export function handleOf(listing: RunListing): RunHandle {
  const { name, method, role, pair, seed, state, folder } = listing;
  const id = path.basename(folder);
  const isOwn = id === listing.id;
  return {
    id,
    name,
    method,
    role,
    ...(pair === undefined || !isOwn ? {} : { pair }),
    experiment: groupOf(listing),
    seed,
    lost: state === 'lost',
  };
}

/** The experiment that a listed run is part of; a copied folder is one by itself. */
export function groupOf(listing: Pick<RunListing, 'id' | 'pair' | 'folder'>): string {
  const id = path.basename(listing.folder);
  return id === listing.id ? experimentOf(listing) : id;
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
