/** The numbers behind a line: from the windows that the extension sends to what is drawn, averaged, and read out. */
import type { MetricWindow, SeriesWindow } from '../../src/core/metricQuery.ts';

/**
 * A line over buckets of consecutive rows. A bucket without any value of this line is left out; one at which a value is not finite has
 * NaN in front of it, so that no line is drawn across.
 */
export interface Curve {
  /** First and last x of each bucket. */
  readonly x0: Float64Array;
  readonly x1: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly mean: Float64Array;
  readonly last: Float64Array;
  /** 0 where each bucket is one row, else how often rows were put together in twos. */
  readonly level: number;
  /** Values held in all, and rows of the table then. */
  readonly points: number;
  readonly rows: number;
  /** Where values are not finite, as far as they are listed, and how many there are. */
  readonly notFinite: Float64Array;
  readonly notFiniteCount: number;
  /** The range that was asked for. */
  readonly from: number;
  readonly to: number;
}

/** The curve of one column, each value times `factor`. */
export function curveOf(window: MetricWindow, series: SeriesWindow, from: number, to: number, factor = 1): Curve {
  const scale =
    factor === 1 ? (values: Float64Array) => values : (values: Float64Array) => values.map((v) => v * factor);
  return compact(window, series, from, to, {
    min: scale(series.min),
    max: scale(series.max),
    mean: scale(series.mean),
    last: scale(series.last),
  });
}

type Values = Pick<Curve, 'min' | 'max' | 'mean' | 'last'>;

function compact(window: MetricWindow, series: SeriesWindow, from: number, to: number, values: Values): Curve {
  const n = window.x0.length;
  const { notFinite, notFiniteCount, points } = series;
  const isListed = notFiniteCount <= notFinite.length;
  const listedTo = notFinite.at(-1) ?? Number.NEGATIVE_INFINITY;
  const room = n + Math.min(n, notFiniteCount) + 1;
  const [x0, x1, min, max, mean, last] = Array.from({ length: 6 }, () => new Float64Array(room)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let used = 0;
  let broken = 0;
  for (let i = 0; i < n; i++) {
    const [begin, end] = [window.x0[i] ?? Number.NaN, window.x1[i] ?? Number.NaN];
    let isBroken = !isListed && begin > listedTo && !Number.isFinite(values.mean[i]);
    while (broken < notFinite.length && (notFinite[broken] ?? 0) <= end) {
      isBroken ||= (notFinite[broken] ?? 0) >= begin;
      broken++;
    }
    if (isBroken && used > 0 && Number.isFinite(mean[used - 1])) {
      for (const list of [min, max, mean, last]) list[used] = Number.NaN;
      [x0[used], x1[used]] = [begin, begin];
      used++;
    }
    const middle = values.mean[i] ?? Number.NaN;
    if (!Number.isFinite(middle)) continue;
    [x0[used], x1[used], mean[used]] = [begin, end, middle];
    [min[used], max[used]] = [values.min[i] ?? middle, values.max[i] ?? middle];
    last[used] = Number.isFinite(values.last[i]) ? (values.last[i] ?? middle) : middle;
    used++;
  }
  const cut = (list: Float64Array) => list.subarray(0, used);
  return {
    x0: cut(x0),
    x1: cut(x1),
    min: cut(min),
    max: cut(max),
    mean: cut(mean),
    last: cut(last),
    level: window.level,
    points,
    rows: window.rows,
    notFinite,
    notFiniteCount,
    from,
    to,
  };
}

/** Index of the bucket with a value that is nearest to x; −1 where there is none. */
export function nearest({ x0, x1, mean }: Pick<Curve, 'x0' | 'x1' | 'mean'>, x: number): number {
  let [low, high] = [0, x1.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x1[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  let [after, before] = [low, low - 1];
  while (after < mean.length && Number.isNaN(mean[after])) after++;
  while (before >= 0 && Number.isNaN(mean[before])) before--;
  if (after >= mean.length) return before;
  if (before < 0) return after;
  return x - (x1[before] ?? 0) < (x0[after] ?? 0) - x ? before : after;
}

/** The first bucket that reaches to x or beyond, and the first that begins beyond `to`. */
export function between({ x0, x1 }: Pick<Curve, 'x0' | 'x1'>, from: number, to: number): [begin: number, end: number] {
  return [firstAt(x1, from, false), firstAt(x0, to, true)];
}

/** Index of the first value that is at least `x`, or beyond it. */
export function firstAt(values: Float64Array, x: number, beyond: boolean): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = values[middle] ?? 0;
    if (beyond ? value <= x : value < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
