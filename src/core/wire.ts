/** Messages to the dashboard as text: VS Code sends JSON, which would turn NaN and infinities into null. */
import type { MetricWindow } from './metricQuery.ts';

const notInJson: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity']);

/** JSON in which a number that JSON lacks stands as `{"$number":"NaN"}`. */
export function toWire(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? { $number: String(inner) } : inner,
  );
}

/** The value of such a text. */
export function fromWire(text: string): unknown {
  return JSON.parse(text, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || !('$number' in inner)) return inner;
    // An object of somebody else's that has such a key stays what it is.
    const isNumber = Object.keys(inner).length === 1 && notInJson.has(inner.$number);
    return isNumber ? Number(inner.$number) : inner;
  });
}

/**
 * The same windows with all of their arrays in one buffer: the editor counts the buffers of a message in a byte, and loses those beyond
 * 255 without a word.
 */
export function inOneBuffer(windows: readonly (MetricWindow | null)[]): (MetricWindow | null)[] {
  const arrays = windows.flatMap((window) => (window ? arraysOf(window) : []));
  const all = new Float64Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  const move = (array: Float64Array) => {
    all.set(array, end);
    end += array.length;
    return all.subarray(end - array.length, end);
  };
  return windows.map(
    (window) =>
      window && {
        ...window,
        x0: move(window.x0),
        x1: move(window.x1),
        series: window.series.map((series) => ({
          ...series,
          min: move(series.min),
          max: move(series.max),
          mean: move(series.mean),
          last: move(series.last),
          notFinite: move(series.notFinite),
        })),
      },
  );
}

function arraysOf({ x0, x1, series }: MetricWindow): Float64Array[] {
  return [x0, x1, ...series.flatMap(({ min, max, mean, last, notFinite }) => [min, max, mean, last, notFinite])];
}
