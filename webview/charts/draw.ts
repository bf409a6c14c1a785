/** Strokes a curve onto a canvas: line, the spread of its buckets, dots, markers, and crosses where a value is not finite. */
import type { Marker } from '../../src/core/runStyles.ts';
import { between, type Curve } from './curve.ts';
import type { LineStyle } from './styles.ts';
import type { Range } from './zoom.ts';

/** From values to canvas pixels. */
export interface Mapping {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  /** The plot in canvas pixels. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Canvas pixels of a CSS pixel. */
  readonly ratio: number;
}

export interface Frame {
  readonly min: number;
  readonly max: number;
  readonly log: boolean;
}

export function mappingOf(
  box: { left: number; top: number; width: number; height: number },
  ratio: number,
  { from, to }: Range,
  { min, max, log }: Frame,
): Mapping {
  const { left, top, width, height } = box;
  const ax = width / (to - from);
  const [low, high] = log ? [Math.log10(min), Math.log10(max)] : [min, max];
  const ay = -height / (high - low);
  const bottom = top + height;
  // What lies far outside would overflow the canvas' own numbers.
  const held = (pixel: number) => Math.min(bottom + 1e4, Math.max(top - 1e4, pixel));
  const linear = (value: number) => held(bottom + ay * (value - low));
  return {
    ...box,
    ratio,
    x: (value) => left + ax * (value - from),
    y: log ? (value) => (value > 0 ? linear(Math.log10(value)) : bottom + 1e4) : linear,
  };
}

/** The line through `y` at each bucket's middle, or at its end for an average. Breaks at NaN. */
export function strokeLine(
  ctx: CanvasRenderingContext2D,
  curve: Curve,
  y: Float64Array,
  at: 'middle' | 'end',
  range: Range,
  to: Mapping,
  style: LineStyle,
): void {
  const { x0, x1 } = curve;
  const [begin, end] = around(curve, range);
  ctx.strokeStyle = style.color;
  ctx.lineWidth = style.width * to.ratio;
  ctx.lineJoin = 'bevel'; // round ones take a canvas twice as long
  ctx.setLineDash(style.dash.map((length) => length * to.ratio));
  ctx.beginPath();
  let isDown = false;
  for (let i = begin; i < end; i++) {
    const value = y[i] ?? Number.NaN;
    if (Number.isNaN(value)) {
      isDown = false;
      continue;
    }
    const last = x1[i] ?? 0;
    const x = to.x(at === 'end' ? last : ((x0[i] ?? 0) + last) / 2);
    if (isDown) ctx.lineTo(x, to.y(value));
    else ctx.moveTo(x, to.y(value));
    isDown = true;
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

/**
 * From the lowest to the highest value of each bucket, reaching over to the bucket before, so that a spike of a single row is seen and
 * the band has no holes. In whole pixels that do not overlap: one path of so many corners takes a canvas ten times as long.
 */
export function fillSpread(
  ctx: CanvasRenderingContext2D,
  curve: Curve,
  range: Range,
  to: Mapping,
  color: string,
): void {
  const { x0, x1, min, max } = curve;
  const [begin, end] = around(curve, range);
  const thin = Math.max(1, Math.round(to.ratio));
  ctx.fillStyle = color;
  let [lowBefore, highBefore] = [Number.NaN, Number.NaN];
  let right = Number.NEGATIVE_INFINITY;
  // Several buckets in one column of pixels are one rectangle.
  let [left, top, bottom] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const flush = () => {
    if (bottom > top) ctx.fillRect(left, top, right - left, bottom - top);
    [top, bottom] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  };
  for (let i = begin; i < end; i++) {
    const [low, high] = [to.y(min[i] ?? Number.NaN), to.y(max[i] ?? Number.NaN)];
    if (!Number.isNaN(low)) {
      const isJoined = !Number.isNaN(lowBefore);
      const last = Math.round(to.x(x1[i] ?? 0));
      if (last + thin > right) {
        flush();
        const first = Math.round(to.x(x0[i] ?? 0));
        left = isJoined ? right : Math.max(right, first);
        right = Math.max(left + thin, last);
      }
      // Downwards on the canvas is larger.
      top = Math.min(top, Math.round(Math.min(high, isJoined ? lowBefore : high)));
      bottom = Math.max(bottom, Math.round(Math.max(low, isJoined ? highBefore : low)), top + thin);
    }
    [lowBefore, highBefore] = [low, high];
  }
  flush();
}

export function dots(
  ctx: CanvasRenderingContext2D,
  curve: Curve,
  y: Float64Array,
  range: Range,
  to: Mapping,
  color: string,
): void {
  const [begin, end] = around(curve, range);
  ctx.fillStyle = color;
  ctx.beginPath();
  for (let i = begin; i < end; i++) {
    const value = y[i] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const [px, py] = [to.x(curve.x1[i] ?? 0), to.y(value)];
    ctx.moveTo(px, py);
    ctx.arc(px, py, 2 * to.ratio, 0, 2 * Math.PI);
  }
  ctx.fill();
}

/** A marker about every so many pixels. */
const MARKER_DISTANCE = 90;

/** Markers along a line, by which it is told from others of like colour; `shift` keeps those of several lines apart. */
export function markers(
  ctx: CanvasRenderingContext2D,
  curve: Curve,
  y: Float64Array,
  range: Range,
  to: Mapping,
  style: LineStyle & { readonly marker: Marker },
  shift: number,
): void {
  const [begin, end] = around(curve, range);
  const distance = MARKER_DISTANCE * to.ratio;
  let next = to.left + ((shift * 0.37) % 1) * distance;
  for (let i = begin; i < end; i++) {
    const value = y[i] ?? Number.NaN;
    const x = to.x(curve.x1[i] ?? 0);
    if (x < next || Number.isNaN(value)) continue;
    marker(ctx, style.marker, x, to.y(value), 3.5 * to.ratio, style.color);
    next = x + distance;
  }
}

/** Crosses at the lower edge. */
export function crosses(
  ctx: CanvasRenderingContext2D,
  at: Float64Array,
  range: Range,
  to: Mapping,
  style: LineStyle,
): void {
  ctx.strokeStyle = style.color;
  ctx.lineWidth = Math.max(1.5, style.width) * to.ratio;
  ctx.beginPath();
  const size = 3.5 * to.ratio;
  const y = to.top + to.height - 1.6 * size;
  let before = Number.NEGATIVE_INFINITY;
  for (const x of at) {
    if (x < range.from || x > range.to) continue;
    const pixel = to.x(x);
    if (pixel - before < size) continue; // they would be one blot
    before = pixel;
    ctx.moveTo(pixel - size, y - size);
    ctx.lineTo(pixel + size, y + size);
    ctx.moveTo(pixel - size, y + size);
    ctx.lineTo(pixel + size, y - size);
  }
  ctx.stroke();
}

/** The corners of the markers with corners, in parts of their size. */
const corners: Partial<Record<Marker, readonly (readonly [number, number])[]>> = {
  square: [
    [-0.85, -0.85],
    [0.85, -0.85],
    [0.85, 0.85],
    [-0.85, 0.85],
  ],
  triangle: [
    [0, -1.1],
    [1.05, 0.8],
    [-1.05, 0.8],
  ],
  triangleDown: [
    [0, 1.1],
    [1.05, -0.8],
    [-1.05, -0.8],
  ],
  diamond: [
    [0, -1.2],
    [1.1, 0],
    [0, 1.2],
    [-1.1, 0],
  ],
  bar: [
    [-1.1, -0.4],
    [1.1, -0.4],
    [1.1, 0.4],
    [-1.1, 0.4],
  ],
  star: Array.from({ length: 10 }, (_, i) => {
    const [radius, angle] = [i % 2 === 0 ? 1.3 : 0.55, (Math.PI * i) / 5];
    return [radius * Math.sin(angle), -radius * Math.cos(angle)] as const;
  }),
};

export function marker(
  ctx: CanvasRenderingContext2D,
  shape: Marker,
  x: number,
  y: number,
  size: number,
  color: string,
): void {
  ctx.beginPath();
  if (shape === 'cross') {
    ctx.strokeStyle = color;
    ctx.lineWidth = size * 0.5;
    ctx.moveTo(x - size, y - size);
    ctx.lineTo(x + size, y + size);
    ctx.moveTo(x - size, y + size);
    ctx.lineTo(x + size, y - size);
    ctx.stroke();
    return;
  }
  ctx.fillStyle = color;
  if (shape === 'circle') ctx.arc(x, y, size, 0, 2 * Math.PI);
  else for (const [dx, dy] of corners[shape] ?? []) ctx.lineTo(x + dx * size, y + dy * size);
  ctx.closePath();
  ctx.fill();
}

/** With a bucket more on either side, so that lines reach the edge. */
function around(curve: Curve, range: Range): [begin: number, end: number] {
  const [begin, end] = between(curve, range.from, range.to);
  return [Math.max(0, begin - 1), Math.min(curve.x0.length, end + 1)];
}
