/** Numbers on their way to a line: smoothing, thinning to the pixels there are, finding the value under the cursor. */

/** A line's points, by ascending x; y may hold NaN and infinities. */
export interface Points {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Exponential moving average with a half-life in points, corrected for its beginning, so that the first value is the first point.
 * A value that is not finite is kept as it is and the average begins anew behind it.
 */
export function smooth({ x, y }: Points, halfLife: number): Points {
  const keep = 0.5 ** (1 / halfLife);
  let [sum, weight] = [0, 0];
  const smoothed = y.map((value) => {
    if (!Number.isFinite(value)) {
      [sum, weight] = [0, 0];
      return value;
    }
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
  return { x, y: smoothed };
}

/** Points of one bucket at most: lowest, highest, last, and a gap. */
const PER_BUCKET = 4;

/**
 * At most two points for each of `pixels`: of each stretch the lowest, the highest and the last, so that no spike is lost, and a
 * NaN where it holds a value that cannot be drawn, so that the line breaks there.
 */
export function thin({ x, y }: Points, from: number, to: number, pixels: number): Point[] {
  const n = x.length;
  if (n <= 2 * pixels) return x.map((at, i) => ({ x: at, y: drawable(y[i]) }));
  const buckets = Math.max(1, Math.floor((2 * pixels) / PER_BUCKET));
  const width = (to - from) / buckets || 1;
  const thinned: Point[] = [];
  for (let begin = 0; begin < n; ) {
    const bucket = bucketOf(x[begin] ?? 0, from, width, buckets);
    let end = begin + 1;
    while (end < n && bucketOf(x[end] ?? 0, from, width, buckets) === bucket) end++;
    for (const i of landmarks(y, begin, end)) thinned.push({ x: x[i] ?? 0, y: drawable(y[i]) });
    begin = end;
  }
  return thinned;
}

/** Index of the point nearest to `at`; −1 where there is none. */
export function nearest(x: readonly number[], at: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  if (low === x.length) return low - 1;
  if (low === 0) return 0;
  return at - (x[low - 1] ?? 0) < (x[low] ?? 0) - at ? low - 1 : low;
}

/** Where the values are not finite. */
export function gaps({ x, y }: Points): number[] {
  return x.filter((_, i) => !Number.isFinite(y[i]));
}

function bucketOf(x: number, from: number, width: number, buckets: number): number {
  return Math.min(buckets - 1, Math.max(0, Math.floor((x - from) / width)));
}

/** Indices of lowest, highest, last and one gap in [begin, end), ascending, each once. */
function landmarks(y: readonly number[], begin: number, end: number): number[] {
  let [lowest, highest, last, gap] = [-1, -1, -1, -1];
  for (let i = begin; i < end; i++) {
    const value = y[i] ?? Number.NaN;
    if (!Number.isFinite(value)) {
      gap = i;
      continue;
    }
    if (lowest < 0 || value < (y[lowest] ?? 0)) lowest = i;
    if (highest < 0 || value > (y[highest] ?? 0)) highest = i;
    last = i;
  }
  return [...new Set([lowest, highest, last, gap])].filter((i) => i >= 0).sort((a, b) => a - b);
}

const drawable = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : Number.NaN);
