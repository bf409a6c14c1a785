/** What the page Compare says of the runs that are shown: numbers out of the dashboard's state, without a document. */
import {
  type BandPoint,
  bandOver,
  type ComparedAxis,
  type ComparedMetric,
  diffColumns,
  differenceOver,
  groupBy,
  type Point,
  pointsOf,
} from '../../src/core/comparing.ts';
import { comparePair, titleOf } from '../../src/core/comparison.ts';
import type { FlatConfig } from '../../src/core/flatten.ts';
import { isAside, isFinished, type PairSet, pairSets, type SeedPair } from '../../src/core/pairSets.ts';
import { mean, standardDeviation } from '../../src/core/statistics.ts';
import { type DashboardState, pairsOf, type ShownRun } from '../state.ts';

/** The pairs that are shown, those of one config together; the set of the pair that the person picked comes first. */
export function setsOf(state: DashboardState): PairSet[] {
  const configs = new Map(state.rows.map(({ id, config }) => [id, config]));
  const pairs = pairsOf(state).flatMap(({ key, name, seed, baseline, method }): SeedPair[] => {
    if (!baseline || !method) return [];
    const { experiment, method: methodName } = method.handle;
    const config = configs.get(method.handle.id);
    return [{ key, name, seed, experiment, methodName, baseline: baseline.run, method: method.run, config }];
  });
  const sets = pairSets(pairs);
  const isPicked = (set: PairSet) => set.pairs.some(({ key }) => key === state.picked);
  return [...sets.filter(isPicked), ...sets.filter((set) => !isPicked(set))];
}

/** Names of the sets that tell them apart. */
export function setTitles(sets: readonly PairSet[]): string[] {
  const short = sets.map(({ name, methodName }) => `${name}: ${titleOf(methodName)}`);
  return sets.map(({ experiments }, i) => {
    const title = short[i] ?? '';
    return short.filter((other) => other === title).length > 1 ? `${title} (${experiments.join(', ')})` : title;
  });
}

export interface DifferenceView {
  /** Method minus baseline: points of accuracy, or a loss as it is. */
  readonly seeds: readonly { readonly seed: number; readonly isFinished: boolean; readonly points: readonly Point[] }[];
  readonly band: readonly BandPoint[];
  readonly isAccuracy: boolean;
}

/** The difference of each pair of a set that has one, and their mean and deviation at each x. */
export function differenceView(set: PairSet, metric: ComparedMetric, axis: ComparedAxis): DifferenceView {
  const isAccuracy = metric === 'top1' || metric === 'maskedTop1';
  const scale = isAccuracy ? 100 : 1;
  const seeds = set.pairs.flatMap((pair) => {
    const difference = differenceOver(pointsOf(pair.baseline, metric, axis), pointsOf(pair.method, metric, axis));
    if (difference.length === 0) return [];
    const points = difference.map(({ x, y }) => ({ x, y: scale * y }));
    return [{ seed: pair.seed, isFinished: isFinished(pair), points }];
  });
  return { seeds, band: bandOver(seeds.map(({ points }) => points)), isAccuracy };
}

/** The highest and lowest value of a view, 0 and the bands within. */
export function rangeOf({ seeds, band }: DifferenceView): readonly [number, number] {
  const values = [
    0,
    ...seeds.flatMap(({ points }) => points.map(({ y }) => y)),
    ...band.flatMap(({ mean: center, deviation }) =>
      Number.isNaN(deviation) ? [] : [center - deviation, center + deviation],
    ),
  ];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.06 * (high - low) || 1;
  return [low < 0 ? low - room : low - room / 3, high > 0 ? high + room : high + room / 3];
}

export interface GroupRow {
  readonly value: string | number | boolean | undefined;
  readonly methodName: string;
  readonly runs: number;
  /** Of the last validation of those that have one. */
  readonly validated: number;
  readonly top1: number;
  readonly deviation: number;
  /** Method minus baseline, in points, of those that have one: mean, sample deviation, how many. */
  readonly differences: number;
  readonly difference: number;
  readonly differenceDeviation: number;
}

/** Runs that are shown, with the config that the table of all runs has of them. */
export function configuredRuns(state: DashboardState): (ShownRun & { readonly config: FlatConfig })[] {
  const configs = new Map(state.rows.map(({ id, config }) => [id, config]));
  return pairsOf(state)
    .flatMap(({ baseline, method }) => [baseline, method])
    .flatMap((shown) => {
      const config = shown && configs.get(shown.handle.id);
      return config ? [{ ...shown, config }] : [];
    });
}

/** Each row says it already, so it is the last to group by. */
export const METHOD_KEY = 'method.name';

/** The keys to group the shown runs by: those in which their configs differ. */
export function groupKeys(state: DashboardState): string[] {
  const keys = diffColumns(configuredRuns(state).map(({ config }) => config)).filter((key) => !isAside(key));
  return [...keys.filter((key) => key !== METHOD_KEY), ...keys.filter((key) => key === METHOD_KEY)];
}

/** The shown runs by a key of their configs and by method. */
export function groupRows(state: DashboardState, key: string): GroupRow[] {
  const differenceOf = differencesOf(state);
  return groupBy(configuredRuns(state), key).flatMap(({ value, rows }) => {
    const methods = [...new Set(rows.map(({ handle }) => handle.method))];
    return methods.map((methodName) => {
      const members = rows.filter(({ handle }) => handle.method === methodName);
      const top1 = members.flatMap(({ run }) => {
        const last = run.epochs.findLast(({ validation }) => validation)?.validation?.top1;
        return last === undefined ? [] : [last];
      });
      const differences = members.map(({ handle }) => differenceOf.get(handle.id)).filter((one) => one !== undefined);
      return {
        value,
        methodName,
        runs: members.length,
        validated: top1.length,
        top1: mean(top1),
        deviation: standardDeviation(top1),
        differences: differences.length,
        difference: mean(differences),
        differenceDeviation: standardDeviation(differences),
      };
    });
  });
}

/** How many others each dot lies above, for dots at these places (0 to 1) that shall not cover each other. */
export function stacked(places: readonly number[]): number[] {
  const heights: number[] = [];
  places.forEach((place, i) => {
    const taken = heights.filter((_height, j) => j < i && Math.abs((places[j] ?? 0) - place) < 0.022);
    let free = 0;
    while (taken.includes(free)) free++;
    heights.push(free);
  });
  return heights;
}

/** By the id of the method's run. */
function differencesOf(state: DashboardState): Map<string, number> {
  const found = pairsOf(state).flatMap(({ baseline, method }): [string, number][] => {
    const compared = baseline && method && comparePair(baseline.run, method.run);
    return compared ? [[method.handle.id, compared.difference]] : [];
  });
  return new Map(found);
}

/** Changes exactly when the page has something new to say: validations, states, configs, and what is shown. */
export function newsOf(state: DashboardState): string {
  const runs = [...state.runs.values()].map(({ id, state: status, epochs }) => [
    id,
    status,
    epochs.length,
    epochs.at(-1)?.epoch ?? 0,
  ]);
  return JSON.stringify([state.picked ?? null, runs, state.handles.map(({ id }) => id), rowNews(state)]);
}

const rowNews = ({ rows, runs }: DashboardState) =>
  rows.filter(({ id }) => runs.has(id)).map(({ id, config }) => [id, Object.keys(config).length]);
