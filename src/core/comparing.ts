/** Runs compared along the way: at equal epochs, time or compute, over seeds, by the level that they reach, by their configs. */
import type { RunEventOf, Summary } from './events.ts';
import { configValue, type FlatConfig } from './flatten.ts';
import { mean, standardDeviation } from './statistics.ts';

/** At what two runs are held equal: epochs, seconds since the run began, floating-point operations. */
export const comparedAxes = ['epoch', 'time', 'flops'] as const;
export type ComparedAxis = (typeof comparedAxes)[number];

export const comparedMetrics = ['top1', 'maskedTop1', 'loss', 'trainLoss'] as const;
export type ComparedMetric = (typeof comparedMetrics)[number];

/** What a comparison needs of a `RunState`. */
export interface ComparedRun {
  readonly epochs: readonly RunEventOf<'epoch'>[];
  readonly lastStep?: Pick<RunEventOf<'step'>, 'step' | 'flops'> | undefined;
  readonly end?: { readonly summary?: Summary | undefined } | undefined;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * A metric of a run after each epoch that has it, by ascending x; fractions and losses as they are. Compute grows evenly with the
 * steps, so at an epoch it is its share of that at the newest step.
 */
export function pointsOf(run: ComparedRun, metric: ComparedMetric, axis: ComparedAxis): Point[] {
  const flopsPerStep = axis === 'flops' ? computePerStep(run) : 0;
  const points: Point[] = [];
  for (const event of run.epochs) {
    const y = metricOf(event, metric);
    const x = axis === 'epoch' ? event.epoch : axis === 'time' ? event.t : event.step * flopsPerStep;
    const last = points.at(-1);
    if (y === undefined || !Number.isFinite(y) || !Number.isFinite(x) || (last && x <= last.x)) continue;
    points.push({ x, y });
  }
  return points;
}

/** Method minus baseline at each x of the method that the baseline reaches too, the baseline's value interpolated linearly. */
export function differenceOver(baseline: readonly Point[], method: readonly Point[]): Point[] {
  return method.flatMap(({ x, y }) => {
    const other = valueAt(baseline, x);
    return other === undefined ? [] : [{ x, y: y - other }];
  });
}

/** The value at x on the line through the points; nothing outside of them. */
export function valueAt(points: readonly Point[], x: number): number | undefined {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.x ?? Number.POSITIVE_INFINITY) < x) low = middle + 1;
    else high = middle;
  }
  const after = points[low];
  if (!after || x > after.x) return undefined;
  if (after.x === x) return after.y;
  const before = points[low - 1];
  return before && before.y + ((after.y - before.y) * (x - before.x)) / (after.x - before.x);
}

/** Mean over the series that reach from before x to after it, their sample standard deviation (NaN for one), how many they are. */
export interface BandPoint {
  readonly x: number;
  readonly mean: number;
  readonly deviation: number;
  readonly count: number;
}

/** At each x that one of the series has. */
export function bandOver(series: readonly (readonly Point[])[]): BandPoint[] {
  const grid = [...new Set(series.flatMap((points) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  return grid.map((x) => {
    const values = series.map((points) => valueAt(points, x)).filter((value) => value !== undefined);
    return { x, mean: mean(values), deviation: standardDeviation(values), count: values.length };
  });
}

/** Where a series first has this value or more: the x of that point, without interpolation; nothing where it never does. */
export function reaches(points: readonly Point[], level: number): number | undefined {
  return points.find(({ y }) => y >= level)?.x;
}

/** A pair of runs to compare. */
export interface ComparedPair {
  readonly baseline: ComparedRun;
  readonly method: ComparedRun;
}

export interface Reach {
  /** Means over the pairs of which both runs reach the level. */
  readonly baseline: number;
  readonly method: number;
  /** Baseline over method, above 1 where the method needs less; NaN where it needs nothing. */
  readonly ratio: number;
}

export interface LevelRow {
  /** A fraction. */
  readonly level: number;
  /** Pairs of which both reach it, of how many; how many baselines and methods do. */
  readonly both: number;
  readonly pairs: number;
  readonly baselines: number;
  readonly methods: number;
  readonly reach?: Readonly<Record<ComparedAxis, Reach>>;
}

/** What each level of top-1 costs the two methods, on each axis. */
export function levelRows(pairs: readonly ComparedPair[], levels = roundLevels(pairs)): LevelRow[] {
  const curves = pairs.map(({ baseline, method }) => ({
    baseline: curvesOf(baseline),
    method: curvesOf(method),
  }));
  return levels.map((level) => {
    const reached = curves.map(({ baseline, method }) => ({
      baseline: reachedAt(baseline, level),
      method: reachedAt(method, level),
    }));
    const both = reached.flatMap(({ baseline, method }) => (baseline && method ? [{ baseline, method }] : []));
    const reachOf = (axis: ComparedAxis): Reach => {
      const [ofBaseline, ofMethod] = [
        mean(both.map(({ baseline }) => baseline[axis])),
        mean(both.map(({ method }) => method[axis])),
      ];
      return { baseline: ofBaseline, method: ofMethod, ratio: ofMethod > 0 ? ofBaseline / ofMethod : Number.NaN };
    };
    return {
      level,
      both: both.length,
      pairs: pairs.length,
      baselines: reached.filter(({ baseline }) => baseline).length,
      methods: reached.filter(({ method }) => method).length,
      ...(both.length > 0
        ? { reach: { epoch: reachOf('epoch'), time: reachOf('time'), flops: reachOf('flops') } }
        : {}),
    };
  });
}

const MOST_LEVELS = 6;

/**
 * Round percentages above where all begin that at least one pair reaches with both runs, at most six; last the highest whole percent
 * that both runs of every pair reach.
 */
export function roundLevels(pairs: readonly ComparedPair[]): number[] {
  const ranges = pairs.flatMap(({ baseline, method }) => {
    const curves = [pointsOf(baseline, 'top1', 'epoch'), pointsOf(method, 'top1', 'epoch')];
    if (curves.some((points) => points.length === 0)) return [];
    const best = Math.min(...curves.map((points) => Math.max(...points.map(({ y }) => y))));
    return [{ first: Math.max(...curves.map((points) => points[0]?.y ?? 0)), best }];
  });
  if (ranges.length === 0) return [];
  const low = 100 * Math.min(...ranges.map(({ first }) => first));
  const high = 100 * Math.max(...ranges.map(({ best }) => best));
  const all = Math.floor(100 * Math.min(...ranges.map(({ best }) => best)) + 1e-9);
  const multiplesOf = (step: number) =>
    Array.from({ length: Math.floor(100 / step) }, (_, i) => step * (i + 1)).filter((x) => x > low && x <= high + 1e-9);
  const levels = [1, 2, 5, 10, 20].map(multiplesOf).find((found) => found.length < MOST_LEVELS) ?? [];
  const last = all > low && !levels.includes(all) ? [all] : [];
  return [...levels, ...last].sort((a, b) => a - b).map((percent) => percent / 100);
}

/** Rows by their value of a dotted key of the config, in the order of the values; those that lack it come last, under nothing. */
export function groupBy<T extends { readonly config: FlatConfig }>(
  rows: readonly T[],
  key: string,
): { readonly value: string | number | boolean | undefined; readonly rows: readonly T[] }[] {
  const groups = new Map<string | number | boolean | undefined, T[]>();
  for (const row of rows) {
    const value = configValue(row.config, key);
    const group = groups.get(value);
    if (group) group.push(row);
    else groups.set(value, [row]);
  }
  return [...groups].map(([value, members]) => ({ value, rows: members })).sort((a, b) => order(a.value, b.value));
}

/** The dotted keys whose values are not the same in all configs, in the order of the first config that has them. */
export function diffColumns(configs: readonly FlatConfig[]): string[] {
  const keys = new Set(configs.flatMap((config) => Object.keys(config)));
  const [first] = configs;
  if (!first) return [];
  return [...keys].filter((key) => configs.some((config) => configValue(config, key) !== configValue(first, key)));
}

function metricOf({ train, validation }: RunEventOf<'epoch'>, metric: ComparedMetric): number | undefined {
  return metric === 'trainLoss' ? train.loss : validation?.[metric];
}

/** NaN where no event has told it. */
function computePerStep({ lastStep, end }: ComparedRun): number {
  if (lastStep && lastStep.step > 0) return lastStep.flops / lastStep.step;
  const summary = end?.summary;
  return summary && summary.steps > 0 ? summary.cost.flops / summary.steps : Number.NaN;
}

type Curves = Readonly<Record<ComparedAxis, readonly Point[]>>;

function curvesOf(run: ComparedRun): Curves {
  const of = (axis: ComparedAxis) => pointsOf(run, 'top1', axis);
  return { epoch: of('epoch'), time: of('time'), flops: of('flops') };
}

function reachedAt(curves: Curves, level: number): Record<ComparedAxis, number> | undefined {
  const epoch = reaches(curves.epoch, level);
  if (epoch === undefined) return undefined;
  const at = (axis: ComparedAxis) => reaches(curves[axis], level) ?? Number.NaN;
  return { epoch, time: at('time'), flops: at('flops') };
}

function order(a: string | number | boolean | undefined, b: string | number | boolean | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
