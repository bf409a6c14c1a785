/** What an experiment will cost, as far as earlier runs of the same model on the same data tell. */
import fs from 'node:fs';
import path from 'node:path';
import { titleOf } from '../core/comparison.ts';
import { flattenConfig } from '../core/flatten.ts';
import { duration, significant } from '../core/format.ts';
import { t } from '../core/l10n.ts';
import { runFiles } from '../store/layout.ts';
import type { RunListing } from '../store/runReader.ts';
import type { ResolvedConfig } from './configCheck.ts';
import { expectedRuns } from './experiments.ts';

/** Cost of one epoch of a run. */
export interface EpochCost {
  readonly role: RunListing['role'];
  readonly seconds: number;
  readonly images: number;
  readonly flops: number;
}

/** So many earlier runs are looked at, newest first. */
const MOST_RUNS = 40;

/** The newest finished baseline and method of this very model, data set and batch size; none where there was none. */
export function earlierCosts(config: ResolvedConfig, listings: readonly RunListing[]): EpochCost[] {
  const wanted = keyOf(config);
  const costs: EpochCost[] = [];
  const candidates = listings.filter(({ state, dataset }) => state === 'finished' && dataset === config.data.dataset);
  for (const { folder, role } of candidates.slice(0, MOST_RUNS)) {
    if (costs.some((cost) => cost.role === role)) continue;
    const summary = read(path.join(folder, runFiles.summary));
    const epochs = number(summary, 'epochs');
    const [seconds, images, flops] = ['seconds', 'images', 'flops'].map((key) => number(field(summary, 'cost'), key));
    if (!epochs || seconds === undefined || images === undefined || flops === undefined) continue;
    if (keyOf(read(path.join(folder, runFiles.config))) !== wanted) continue;
    costs.push({ role, seconds: seconds / epochs, images: images / epochs, flops: flops / epochs });
  }
  return costs;
}

/** What it trains and what that costs, in sentences for a person who is asked whether to begin. */
export function describeCost(config: ResolvedConfig, costs: readonly EpochCost[]): string {
  const { epochs } = config.train;
  const runs = expectedRuns('', config);
  const names = [...new Set(runs.map(({ method }) => titleOf(method)))].join(', ');
  const [any] = costs;
  const samples = config.data.trainOn ?? (any && Math.round(any.images));
  const what = t(
    'Trains {0} runs ({1}; seeds {2}) for {3} epochs each on {4}.',
    runs.length,
    names,
    config.compare.seeds.join(', '),
    epochs,
    titleOf(config.data.dataset),
  );
  const size =
    samples === undefined
      ? t('How many samples an epoch has is known once the data are read.')
      : t('An epoch has {0} samples.', samples.toLocaleString('en'));
  if (!any) return [what, size, t('No earlier run of this model tells how long it takes.')].join(' ');
  const each = runs.map(({ role }) => costs.find((cost) => cost.role === role) ?? any);
  const flops = each.reduce((sum, cost) => sum + cost.flops, 0) * epochs;
  // The runs of a pair train at the same time, and the earlier ones did so, too.
  const slowest = Math.max(...each.map(({ seconds }) => seconds));
  const time = duration(slowest * epochs * config.compare.seeds.length);
  return [
    what,
    size,
    t('By earlier runs of this model it takes about {0} and {1} FLOP on this machine.', time, significant(flops, 2)),
  ].join(' ');
}

/** What of a config decides the cost of an epoch. */
function keyOf(config: unknown): string {
  const flat = flattenConfig({
    model: field(config, 'model'),
    data: { trainOn: field(field(config, 'data'), 'trainOn') },
  });
  const batch = number(field(config, 'train'), 'batchSize');
  return JSON.stringify([Object.entries(flat).sort(([a], [b]) => (a < b ? -1 : 1)), batch]);
}

function read(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined; // gone or damaged: another run may tell
  }
}

function number(value: unknown, key: string): number | undefined {
  const found = field(value, key);
  return typeof found === 'number' ? found : undefined;
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
