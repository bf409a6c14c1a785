/** What names the lines of a figure: labels at their ends where they fit, else a legend above the plot. */
import { runStyle } from '../core/runStyles.ts';
import type { FigureSeries } from './figure.ts';
import { dashOf, drawMarker, type Plot } from './lines.ts';
import type { Look } from './look.ts';
import { legal, tag } from './markup.ts';
import { shortened, textWidth } from './textWidth.ts';

const sample = 20;
const gap = 12;

export interface Legend {
  readonly markup: string;
  readonly height: number;
}

/** Rows of samples and labels within a width. */
export function drawLegend(series: readonly FigureSeries[], width: number, look: Look): Legend {
  if (series.length === 0) return { markup: '', height: 0 };
  const rowHeight = look.fontSize * 1.45;
  const texts = series.map(({ label }) => shortened(label, width - sample - 5, look.fontSize));
  const needed = texts.map((text) => sample + 5 + textWidth(text, look.fontSize) + gap);
  const isOneRow = needed.reduce((sum, one) => sum + one, -gap) <= width;
  const column = Math.max(...needed);
  const columns = isOneRow ? series.length : Math.max(1, Math.floor((width + gap) / column));
  let x = 0;
  const parts = series.map((one, i) => {
    const place = isOneRow ? x : (i % columns) * column;
    x += needed[i] ?? 0;
    const y = (Math.floor(i / columns) + 0.5) * rowHeight;
    const text = { x: place + sample + 5, y: y + look.fontSize * 0.36, fill: look.ink };
    return drawSample(one, place, y, look) + tag('text', text, legal(texts[i] ?? ''));
  });
  const row = Math.ceil(series.length / columns) - 1;
  return { markup: parts.join(''), height: (row + 1) * rowHeight + 5 };
}

/** The width that labels at the ends need, or nothing where they are too many, too long or too near to each other. */
export function endLabelsWidth(
  series: readonly FigureSeries[],
  ends: readonly number[],
  width: number,
  look: Look,
): number | undefined {
  const needed = Math.max(...series.map(({ label }) => textWidth(label, look.fontSize))) + 10;
  if (series.length > 4 || series.length === 0 || needed > width * 0.3) return undefined;
  if (ends.some((end) => !Number.isFinite(end))) return undefined;
  const moved = spread(ends, look.fontSize * 1.15).map((at, i) => Math.abs(at - (ends[i] ?? 0)));
  return Math.max(...moved) > look.fontSize * 0.75 ? undefined : needed;
}

export function drawEndLabels(
  series: readonly FigureSeries[],
  ends: readonly number[],
  plot: Plot,
  look: Look,
): string {
  return spread(ends, look.fontSize * 1.15)
    .map((at, i) => {
      const one = series[i];
      if (!one) return '';
      return tag('text', { x: plot.width + 6, y: at + look.fontSize * 0.36, fill: look.ink }, legal(one.label));
    })
    .join('');
}

/** How far the labels at the ends reach above the plot. */
export function endLabelsRise(ends: readonly number[], { fontSize }: Look): number {
  return Math.max(0, fontSize * 0.6 - Math.min(...spread(ends, fontSize * 1.15)));
}

/** Where each line ends, in pixels; NaN for one without points in view. */
export function endsOf(series: readonly FigureSeries[], plot: Plot): number[] {
  return series.map(({ x, y }) => {
    for (let i = y.length - 1; i >= 0; i--) {
      const [px, py] = [plot.x.place(x[i] ?? 0), plot.y.place(y[i] ?? 0)];
      // A line that ends earlier has its end in the midst of the others.
      if (Number.isFinite(py) && px <= plot.width + 0.5) return px < plot.width * 0.97 ? Number.NaN : py;
    }
    return Number.NaN;
  });
}

function drawSample(series: FigureSeries, x: number, y: number, look: Look): string {
  const stroke = tag('path', {
    d: `M${x.toFixed(1)},${y.toFixed(1)}h${sample}`,
    stroke: look.color(series.slot),
    'stroke-width': look.line,
    'stroke-dasharray': dashOf(series),
    fill: 'none',
  });
  const marked = look.markers || series.slot > 1 || runStyle(series.slot).dash.length > 0;
  return stroke + (marked ? drawMarker(series, x + sample / 2, y, look) : '');
}

/** Places at least `distance` apart, each as near to its own as that allows, in the order given. */
function spread(places: readonly number[], distance: number): number[] {
  const order = places.map((_, i) => i).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  const moved = [...places];
  for (let pass = 0; pass < 40; pass++) {
    for (let k = 1; k < order.length; k++) {
      const [above, below] = [order[k - 1] ?? 0, order[k] ?? 0];
      const missing = distance - ((moved[below] ?? 0) - (moved[above] ?? 0));
      if (missing <= 0.01) continue;
      moved[above] = (moved[above] ?? 0) - missing / 2;
      moved[below] = (moved[below] ?? 0) + missing / 2;
    }
  }
  return moved;
}
