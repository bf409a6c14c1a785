/** The lines of a figure: bands, raw values, smoothed or plain lines, markers, and crosses where values are not finite. */
import { area, line } from 'd3-shape';
import { type Marker, runStyle, subDash } from '../core/runStyles.ts';
import type { DrawnAxis } from './axis.ts';
import type { FigureSeries } from './figure.ts';
import type { Look } from './look.ts';
import { legal, rounded, tag } from './markup.ts';

export interface Plot {
  readonly x: DrawnAxis;
  readonly y: DrawnAxis;
  readonly width: number;
  readonly height: number;
}

/** All lines, the bands behind them. */
export function drawLines(series: readonly FigureSeries[], plot: Plot, look: Look): string {
  const marked = look.markers || new Set(series.map(({ slot }) => slot)).size > 2;
  return [
    ...series.map((one) => behind(one, plot, look)),
    ...series.map((one, i) => drawLine(one, plot, look, marked, i / series.length)),
    ...series.map((one) => crosses(one, plot, look)),
  ].join('');
}

/** The strokes and gaps of a line. */
export function dashOf({ slot, dashed }: Pick<FigureSeries, 'slot' | 'dashed'>): string | undefined {
  const { dash } = runStyle(slot);
  const strokes = dashed ? [...dash, ...subDash] : dash;
  return strokes.length > 0 ? strokes.join(' ') : undefined;
}

/** A marker at a place: filled for a run's main line, hollow for its dashed one. */
export function drawMarker(
  { slot, dashed }: Pick<FigureSeries, 'slot' | 'dashed'>,
  x: number,
  y: number,
  look: Look,
): string {
  const color = look.color(slot);
  return tag('path', {
    d: markerPath(runStyle(slot).marker, x, y, look.line * 0.9 + 1.4),
    fill: dashed ? look.background : color,
    stroke: dashed ? color : look.background,
    'stroke-width': dashed ? 0.9 : 0.5,
  });
}

function behind({ slot, x, y, band, raw }: FigureSeries, plot: Plot, look: Look): string {
  const color = look.color(slot);
  const parts: string[] = [];
  if (band) {
    const d = area<number>()
      .digits(2)
      .defined((i) => isPlace(plot, x[i], band.low[i]) && isPlace(plot, x[i], band.high[i]))
      .x((i) => plot.x.place(x[i] ?? 0))
      .y0((i) => plot.y.place(band.low[i] ?? 0))
      .y1((i) => plot.y.place(band.high[i] ?? 0))(indices(y));
    // The stroke keeps a spike of one point visible, which has no width as an area.
    if (d)
      parts.push(
        tag('path', {
          d,
          fill: color,
          'fill-opacity': 0.22,
          stroke: color,
          'stroke-opacity': 0.22,
          'stroke-width': 0.6,
        }),
      );
  }
  if (raw) {
    const d = path(x, raw, plot);
    if (d)
      parts.push(
        tag('path', { d, fill: 'none', stroke: color, 'stroke-opacity': 0.32, 'stroke-width': look.line * 0.6 }),
      );
  }
  return parts.join('');
}

function drawLine(series: FigureSeries, plot: Plot, look: Look, marked: boolean, phase: number): string {
  const d = path(series.x, series.y, plot);
  if (!d) return '';
  const stroke = tag(
    'path',
    {
      d,
      fill: 'none',
      stroke: look.color(series.slot),
      'stroke-width': look.line,
      'stroke-dasharray': dashOf(series),
      'stroke-linejoin': 'round',
      // Round ends would close the gaps of a dash.
      'stroke-linecap': dashOf(series) ? 'butt' : 'round',
    },
    tag('title', {}, legal(series.label)),
  );
  const at = markerPlaces(series, plot, marked, phase);
  return stroke + at.map(([x, y]) => drawMarker(series, x, y, look)).join('');
}

/** At each point where they are few, else spread over the width, each line's at places of its own. */
function markerPlaces(series: FigureSeries, plot: Plot, marked: boolean, phase: number): [number, number][] {
  const places: [number, number][] = [];
  for (let i = 0; i < series.y.length; i++) {
    if (!isPlace(plot, series.x[i], series.y[i])) continue;
    const place: [number, number] = [plot.x.place(series.x[i] ?? 0), plot.y.place(series.y[i] ?? 0)];
    if (place[0] >= -0.5 && place[0] <= plot.width + 0.5) places.push(place);
  }
  if (places.length === 1) return places;
  if (!marked) return [];
  if (places.length <= 14) return places;
  const step = plot.width / 7;
  const chosen: [number, number][] = [];
  let next = step * (0.15 + 0.85 * phase);
  for (const place of places) {
    if (place[0] < next) continue;
    chosen.push(place);
    next += step * Math.ceil((place[0] - next + 1e-9) / step);
  }
  return chosen;
}

/** Small crosses on the lower edge, one a pixel at most. */
function crosses({ slot, label, notFinite }: FigureSeries, plot: Plot, look: Look): string {
  if (!notFinite || notFinite.length === 0) return '';
  const places = new Set(Array.from(notFinite, (x) => Math.round(plot.x.place(x))));
  const d = [...places]
    .filter((x) => x >= 0 && x <= plot.width)
    .map((x) => `M${x - 3},${rounded(plot.height - 6)}l6,6m0,-6l-6,6`)
    .join('');
  if (d === '') return '';
  const title = tag('title', {}, legal(`${label}: not finite`));
  return tag('path', { d, fill: 'none', stroke: look.color(slot), 'stroke-width': 1.2 }, title);
}

function path(x: ArrayLike<number>, y: ArrayLike<number>, plot: Plot): string | null {
  return line<number>()
    .digits(2)
    .defined((i) => isPlace(plot, x[i], y[i]))
    .x((i) => plot.x.place(x[i] ?? 0))
    .y((i) => plot.y.place(y[i] ?? 0))(indices(y));
}

const indices = (values: ArrayLike<number>) => Array.from({ length: values.length }, (_, i) => i);
const isPlace = (plot: Plot, x: number | undefined, y: number | undefined) =>
  Number.isFinite(plot.x.place(x ?? Number.NaN)) && Number.isFinite(plot.y.place(y ?? Number.NaN));

function markerPath(marker: Marker, x: number, y: number, r: number): string {
  const polygon = (...points: readonly (readonly [number, number])[]) =>
    `M${points.map(([dx, dy]) => `${rounded(x + dx * r)},${rounded(y + dy * r)}`).join('L')}Z`;
  switch (marker) {
    case 'circle':
      return `M${rounded(x - r)},${rounded(y)}a${rounded(r)},${rounded(r)} 0 1 0 ${rounded(2 * r)},0a${rounded(r)},${rounded(r)} 0 1 0 ${rounded(-2 * r)},0Z`;
    case 'square':
      return polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]);
    case 'triangle':
      return polygon([0, -1.15], [1.1, 0.85], [-1.1, 0.85]);
    case 'triangleDown':
      return polygon([0, 1.15], [1.1, -0.85], [-1.1, -0.85]);
    case 'diamond':
      return polygon([0, -1.3], [1.1, 0], [0, 1.3], [-1.1, 0]);
    case 'bar':
      return polygon([-0.4, -1.3], [0.4, -1.3], [0.4, 1.3], [-0.4, 1.3]);
    case 'cross':
      return polygon(
        ...([
          [-0.4, -1.2],
          [0.4, -1.2],
          [0.4, -0.4],
          [1.2, -0.4],
          [1.2, 0.4],
          [0.4, 0.4],
          [0.4, 1.2],
          [-0.4, 1.2],
          [-0.4, 0.4],
          [-1.2, 0.4],
          [-1.2, -0.4],
          [-0.4, -0.4],
        ] as const),
      );
    case 'star':
      return polygon(
        ...Array.from({ length: 10 }, (_, i) => {
          const [angle, far] = [(i * Math.PI) / 5 - Math.PI / 2, i % 2 === 0 ? 1.4 : 0.6];
          return [far * Math.cos(angle), far * Math.sin(angle)] as const;
        }),
      );
  }
}
