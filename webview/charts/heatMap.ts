/** The numbers of the chart of the layers: rows, colours, and what lies under the cursor. */
import { type LayerNumber, layerColors, layerDomain, layerShare } from '../../src/core/layers.ts';
import type { MetricWindow, WindowQuery } from '../../src/core/metricQuery.ts';
import { between, firstAt, nearest } from './curve.ts';
import type { Mapping } from './draw.ts';
import { MOST_ROWS, type TwinTable } from './tableTwin.ts';

/** Layers from the input on, in rows; buckets of time in columns. */
export interface HeatMap {
  readonly layers: readonly string[];
  readonly x0: Float64Array;
  readonly x1: Float64Array;
  /** The mean of each bucket, of each layer. */
  readonly values: readonly Float64Array[];
  readonly level: number;
  readonly from: number;
  readonly to: number;
}

export function heatMapOf(
  number: LayerNumber,
  query: WindowQuery,
  window: MetricWindow,
  order: readonly string[],
): HeatMap {
  const prefix = `${number}.`;
  const columns = order.flatMap((name) => {
    const series = name.startsWith(prefix) ? window.series[query.names.indexOf(name)] : undefined;
    return series ? [{ layer: name.slice(prefix.length), mean: series.mean }] : [];
  });
  const { level, x0, x1 } = window;
  const { from, to } = query;
  return {
    layers: columns.map(({ layer }) => layer),
    values: columns.map(({ mean }) => mean),
    x0,
    x1,
    level,
    from,
    to,
  };
}

/** The numbers between which the colours of a map run. */
export const domainOf = (number: LayerNumber, { values }: HeatMap) => layerDomain(number, values);

/** Pixels of the map: a column for each of `width`, a row for each layer; what there is no value for stays clear. */
export function pixelsOf(
  number: LayerNumber,
  map: HeatMap,
  domain: readonly [number, number],
  range: { readonly from: number; readonly to: number },
  width: number,
): Uint8ClampedArray {
  const rows = map.layers.length;
  const pixels = new Uint8ClampedArray(4 * width * rows);
  const { at } = layerColors(number);
  const n = map.x1.length;
  if (n === 0) return pixels;
  const typical = n > 1 ? ((map.x1[n - 1] ?? 0) - (map.x1[0] ?? 0)) / (n - 1) : range.to - range.from;
  for (let column = 0; column < width; column++) {
    const x = range.from + ((column + 0.5) / width) * (range.to - range.from);
    // A bucket stands for the time since the one before.
    const i = firstAt(map.x1, x, false);
    const before = i > 0 ? (map.x1[i - 1] ?? 0) : (map.x0[0] ?? 0) - typical;
    if (i >= n || x < before) continue;
    for (let row = 0; row < rows; row++) {
      const value = map.values[row]?.[i] ?? Number.NaN;
      if (Number.isNaN(value)) continue;
      const share = layerShare(number, value, domain);
      const [red, green, blue] = at(Number.isNaN(share) ? 0 : share);
      pixels.set([red, green, blue, 255], 4 * (row * width + column));
    }
  }
  return pixels;
}

/** The value of a layer at a place. */
export function valueAt(
  map: HeatMap,
  row: number,
  x: number,
): { readonly x: number; readonly value: number } | undefined {
  const mean = map.values[row];
  if (!mean) return undefined;
  const after = firstAt(map.x1, x, false);
  const i = after < mean.length && !Number.isNaN(mean[after]) ? after : nearest({ x0: map.x0, x1: map.x1, mean }, x);
  const value = mean[i];
  return value === undefined ? undefined : { x: map.x1[i] ?? x, value };
}

/** The map as a table: a row for each bucket in view, evenly thinned, a column for each layer. */
export function layerTable(
  map: HeatMap,
  range: { readonly from: number; readonly to: number },
  x: { readonly title: string; readonly format: (value: number) => string },
  format: (value: number) => string,
): TwinTable {
  const [begin, end] = between(map, range.from, range.to);
  const every = Math.max(1, Math.ceil((end - begin) / MOST_ROWS));
  const places = Array.from({ length: Math.max(0, Math.ceil((end - begin) / every)) }, (_, i) => begin + i * every);
  const cell = (value = Number.NaN) => (Number.isNaN(value) ? '–' : format(value));
  return {
    columns: [x.title, ...map.layers],
    rows: places.map((i) => [x.format(map.x1[i] ?? 0), ...map.values.map((row) => cell(row[i]))]),
    isThinned: every > 1 || map.level > 0,
  };
}

let canvas: OffscreenCanvas | undefined;

/** Onto the whole plot, each layer as high as the others. */
export function drawPixels(
  ctx: CanvasRenderingContext2D,
  pixels: Uint8ClampedArray,
  width: number,
  rows: number,
  to: Mapping,
): void {
  if (width < 1 || rows < 1) return;
  if (canvas?.width !== width || canvas.height !== rows) canvas = new OffscreenCanvas(width, rows);
  const image = new ImageData(width, rows);
  image.data.set(pixels);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(canvas, to.left, to.top, to.width, to.height);
}
