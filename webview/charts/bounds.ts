/** What of a chart's values is in view: the range of its y axis, and what lies outside of it. */
import { between, type Curve } from './curve.ts';
import type { Smoothed } from './smoothing.ts';
import type { Range } from './zoom.ts';

export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Buckets with a value beyond the range, because outliers are clipped. */
  readonly outside: number;
  /** Buckets with a value that a logarithmic axis cannot show. */
  readonly notPositive: number;
  /** Each bucket is one point, so that the counts are those of points and not the least that there may be. */
  readonly exact: boolean;
}

export interface BoundsOptions {
  readonly log: boolean;
  readonly clip: boolean;
  /** Always in view. */
  readonly reference?: number | undefined;
}

/** Share of the buckets on either side that does not stretch a clipped range. */
const CLIPPED_SHARE = 0.05;
/** How far a clipped range reaches beyond the rest, in parts of it. */
const CLIP_MARGIN = 0.25;
/** Fewer buckets in view than this are far apart. */
const SPARSE = 20;
/** Room above and below the values. */
const PADDING = 0.05;

/** The y range for curves within a range of x: everything, or without the outliers. */
export function boundsOf(
  curves: readonly { readonly curve: Curve; readonly average?: Smoothed | undefined }[],
  range: Range,
  { log, clip, reference }: BoundsOptions,
): Bounds {
  const lows: number[] = [];
  const highs: number[] = [];
  let notPositive = 0;
  let exact = true;
  for (const { curve } of curves) {
    exact &&= curve.level === 0;
    let [begin, end] = between(curve, range.from, range.to);
    // Where points are far apart, the lines to those beyond the edge are a good part of the picture.
    if (end - begin < SPARSE) [begin, end] = [Math.max(0, begin - 1), Math.min(curve.x0.length, end + 1)];
    for (let i = begin; i < end; i++) {
      const [low, high] = [curve.min[i] ?? Number.NaN, curve.max[i] ?? Number.NaN];
      if (Number.isNaN(low)) continue;
      if (log && low <= 0) {
        notPositive++;
        const positive = [curve.mean[i] ?? 0, high].find((value) => value > 0);
        if (positive === undefined) continue;
        lows.push(positive);
      } else lows.push(low);
      highs.push(high);
    }
  }
  if (lows.length === 0) return { ...padded(log ? 0.1 : 0, 1, log), outside: 0, notPositive, exact };
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const low of lows) if (low < min) min = low;
  for (const high of highs) if (high > max) max = high;
  let outside = 0;
  if (clip) {
    const fences = fencesOf(lows, highs, log);
    [min, max] = [Math.max(min, fences[0]), Math.min(max, fences[1])];
    lows.forEach((low, i) => {
      if (low < min || (highs[i] ?? low) > max) outside++;
    });
  }
  if (reference !== undefined && !(log && reference <= 0))
    [min, max] = [Math.min(min, reference), Math.max(max, reference)];
  return { ...padded(min, max, log), outside, notPositive, exact };
}

function fencesOf(lows: readonly number[], highs: readonly number[], log: boolean): [number, number] {
  const [to, back] = log
    ? [Math.log10, (value: number) => 10 ** value]
    : [(value: number) => value, (value: number) => value];
  const low = to(quantile(lows, CLIPPED_SHARE));
  const high = to(quantile(highs, 1 - CLIPPED_SHARE));
  const margin = CLIP_MARGIN * (high - low);
  return [back(low - margin), back(high + margin)];
}

function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.round(share * (sorted.length - 1))] ?? 0;
}

/** With room on either side; a range without height gets one. */
function padded(min: number, max: number, log: boolean): { min: number; max: number } {
  if (log) {
    const factor = max > min ? (max / min) ** PADDING : 2;
    return { min: min / factor, max: max * factor };
  }
  const height = max - min;
  const by = height > 1e-12 * Math.max(Math.abs(min), Math.abs(max)) ? PADDING * height : Math.abs(max) * 0.1 || 0.5;
  return { min: min - by, max: max + by };
}
