/** A figure as an SVG picture: one pure function, the same bytes for the same input. */
import { type DrawnAxis, drawAxis } from './axis.ts';
import type { Figure, FigureLook, FigureSeries, HeatFigure } from './figure.ts';
import { describeHeat, drawHeat } from './heat.ts';
import { drawEndLabels, drawLegend, endLabelsRise, endLabelsWidth, endsOf } from './legend.ts';
import { drawLines, type Plot } from './lines.ts';
import { fontFamily, type Look, lookOf } from './look.ts';
import { legal, tag } from './markup.ts';
import { textWidth, wrap } from './textWidth.ts';

export function drawFigure(figure: Figure | HeatFigure, options: FigureLook): string {
  const look = lookOf(options);
  const bare = options.bare ?? false;
  const edge = bare ? 2 : 6;
  const heading = bare || options.style === 'paper' ? { markup: '', height: 0 } : drawHeading(figure.title, look, edge);
  const width = look.width - 2 * edge;
  const body = 'scales' in figure ? drawHeat(figure, look, width) : drawBody(figure, look, width);
  const caption = bare ? { markup: '', height: 0 } : drawCaption(figure, look, options.style === 'paper', width);
  const top = edge + heading.height;
  const height = Math.ceil(top + body.height + caption.height + edge);
  return `${tag(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width: bare ? undefined : `${options.width}cm`,
      height: bare ? undefined : `${Number(((height / look.width) * options.width).toFixed(3))}cm`,
      viewBox: `0 0 ${Number(look.width.toFixed(2))} ${height}`,
      role: 'img',
      'font-family': fontFamily,
      'font-size': look.fontSize,
    },
    tag('title', {}, legal(figure.title)),
    tag('desc', {}, legal('scales' in figure ? describeHeat(figure) : describe(figure))),
    ...(bare ? [] : [tag('metadata', {}, legal(JSON.stringify(figure.metadata)))]),
    tag('rect', { width: '100%', height: '100%', fill: look.background }),
    heading.markup,
    tag('g', { transform: `translate(${edge},${Number(top.toFixed(2))})` }, body.markup),
    tag('g', { transform: `translate(${edge},${Number((top + body.height).toFixed(2))})` }, caption.markup),
  )}\n`;
}

interface Part {
  readonly markup: string;
  readonly height: number;
}

function drawHeading(title: string, look: Look, edge: number): Part {
  const size = look.fontSize * 1.15;
  const lines = wrap(title, look.width - 2 * edge, size * 1.08).slice(0, 3);
  const markup = lines.map((line, i) =>
    tag(
      'text',
      { x: edge, y: edge + size * (1 + 1.3 * i), 'font-size': size, 'font-weight': 600, fill: look.ink },
      legal(line),
    ),
  );
  return { markup: markup.join(''), height: lines.length * size * 1.3 + 6 };
}

/** Below the picture; on paper it begins with the title. */
function drawCaption(
  { title, caption }: Pick<Figure, 'title' | 'caption'>,
  look: Look,
  withTitle: boolean,
  width: number,
): Part {
  const size = look.fontSize * (withTitle ? 0.95 : 0.9);
  const text = withTitle ? `${title}. ${caption}` : caption;
  const lines = wrap(text, width, size);
  const markup = lines.map((line, i) =>
    tag('text', { x: 0, y: 8 + size * (1 + 1.32 * i), 'font-size': size, fill: look.muted }, legal(line)),
  );
  return { markup: markup.join(''), height: lines.length === 0 ? 0 : 10 + lines.length * size * 1.32 };
}

/** Legend, axes and lines. */
function drawBody(figure: Figure, look: Look, width: number): Part {
  const { fontSize, plotHeight } = look;
  const bottom = fontSize * 3.1;
  const height = plotHeight - bottom;
  const [xs, ys] = [xExtent(figure), yExtent(figure)];
  const y = drawAxis(figure.y, ys, [height, 0], { count: Math.max(3, Math.round(height / 38)), round: true });
  const left = Math.max(...y.ticks.map(({ label }) => textWidth(label, fontSize)), fontSize) + fontSize * 1.9 + 4;
  const right = fontSize * 0.9;
  const plotOf = (plotWidth: number): Plot => {
    const count = Math.max(2, Math.round(plotWidth / (fontSize * 5.5)));
    return {
      x: drawAxis(figure.x, xs, [0, plotWidth], { count, round: false }),
      y,
      width: plotWidth,
      height,
    };
  };
  const whole = plotOf(width - left - right);
  const ends = endsOf(figure.series, whole);
  const labels = endLabelsWidth(figure.series, ends, width, look);
  const plot = labels === undefined ? whole : plotOf(width - left - labels);
  // One that needs more than a row may begin further left than the plot.
  const narrow = drawLegend(figure.series, width - left, look);
  const wide = drawLegend(figure.series, width, look);
  const begin = wide.height < narrow.height ? 0 : left;
  const legend =
    labels !== undefined ? { markup: '', height: Math.max(4, endLabelsRise(ends, look)) } : begin === 0 ? wide : narrow;
  const inside = tag(
    'svg',
    {
      x: -4,
      y: -4,
      width: plot.width + 8,
      height: height + 8,
      viewBox: `-4 -4 ${shift(plot.width + 8)} ${shift(height + 8)}`,
      role: 'presentation',
    },
    drawReference(figure, plot, look),
    drawLines(
      figure.series.map((series) => clipped(series, plot)),
      plot,
      look,
    ),
  );
  const empty = figure.series.length === 0 ? drawEmpty(plot, look) : '';
  const markup = [
    tag('g', { transform: `translate(${shift(begin)},0)` }, legend.markup),
    tag(
      'g',
      { transform: `translate(${shift(left)},${shift(legend.height)})` },
      drawGrid(plot, look),
      inside,
      drawFrame(plot, look, left),
      labels === undefined ? '' : drawEndLabels(figure.series, ends, plot, look),
      empty,
    ),
  ];
  return { markup: markup.join(''), height: legend.height + plotHeight };
}

const shift = (value: number) => Number(value.toFixed(2));

function drawGrid({ y, width }: Plot, look: Look): string {
  const d = y.ticks.filter(({ label }) => label !== '').map(({ at }) => `M0,${shift(at)}H${shift(width)}`);
  return d.length === 0 ? '' : tag('path', { d: d.join(''), stroke: look.grid, 'stroke-width': 0.7, fill: 'none' });
}

function drawFrame({ x, y, width, height }: Plot, look: Look, left: number): string {
  const { fontSize, ink, muted } = look;
  const length = ({ label }: DrawnAxis['ticks'][number]) => (label === '' ? 2 : 4);
  const marks = [
    `M0,0V${shift(height)}H${shift(width)}`,
    ...x.ticks.map((tick) => `M${shift(tick.at)},${shift(height)}v${length(tick)}`),
    ...y.ticks.map((tick) => `M0,${shift(tick.at)}h${-length(tick)}`),
  ];
  return [
    tag('path', { d: marks.join(''), stroke: muted, 'stroke-width': 0.8, fill: 'none' }),
    ...labelled(x).map(({ at, label }) => {
      const half = textWidth(label, fontSize) / 2;
      const middle = Math.min(Math.max(at, half - left), width + fontSize * 0.9 - half);
      return tag(
        'text',
        { x: middle, y: height + fontSize * 1.35 + 2, 'text-anchor': 'middle', fill: muted },
        legal(label),
      );
    }),
    ...labelled(y).map(({ at, label }) =>
      tag('text', { x: -7, y: at + fontSize * 0.36, 'text-anchor': 'end', fill: muted }, legal(label)),
    ),
    tag('text', { x: width / 2, y: height + fontSize * 2.75, 'text-anchor': 'middle', fill: ink }, legal(x.title)),
    tag(
      'text',
      {
        transform: `translate(${shift(-left + fontSize * 0.95)},${shift(height / 2)}) rotate(-90)`,
        'text-anchor': 'middle',
        fill: ink,
      },
      legal(y.title),
    ),
  ].join('');
}

const labelled = (axis: DrawnAxis) => axis.ticks.filter(({ label }) => label !== '');

function drawReference({ reference }: Figure, { y, width }: Plot, look: Look): string {
  if (reference === undefined) return '';
  const at = y.place(reference);
  if (!Number.isFinite(at)) return '';
  return tag('path', {
    d: `M0,${shift(at)}H${shift(width)}`,
    stroke: look.muted,
    'stroke-width': 0.9,
    'stroke-dasharray': '1 2',
    fill: 'none',
  });
}

function drawEmpty({ width, height }: Plot, look: Look): string {
  return tag('text', { x: width / 2, y: height / 2, 'text-anchor': 'middle', fill: look.muted }, 'No values to show');
}

/** Without the points that lie outside of the view, but for one on either side. */
function clipped(series: FigureSeries, { x: { domain } }: Plot): FigureSeries {
  let [first, last] = [0, series.x.length];
  while (first < last - 1 && (series.x[first + 1] ?? 0) < domain[0]) first++;
  while (last > first + 1 && (series.x[last - 2] ?? 0) > domain[1]) last--;
  if (first === 0 && last === series.x.length) return series;
  const part = (values: ArrayLike<number>) => Array.from(values).slice(first, last);
  return {
    ...series,
    x: part(series.x),
    y: part(series.y),
    ...(series.band ? { band: { low: part(series.band.low), high: part(series.band.high) } } : {}),
    ...(series.raw ? { raw: part(series.raw) } : {}),
  };
}

function xExtent({ x, series }: Figure): readonly [number, number] {
  if (x.range) return x.range;
  const usable = (value: number) => Number.isFinite(value) && (!x.log || value > 0);
  return extent(
    series.map((one) => one.x),
    usable,
  );
}

function yExtent({ x, y, series, reference }: Figure): readonly [number, number] {
  if (y.range) return y.range;
  const [from, to] = xExtent({ x, y, series } as Figure);
  const usable = (value: number) => Number.isFinite(value) && (!y.log || value > 0);
  const seen = series.flatMap((one) => {
    const isIn = Array.from(one.x, (at) => at >= from && at <= to);
    // Of a line that only crosses the view, its points on either side count.
    const few = isIn.filter((is) => is).length < 2;
    const inside = (values: ArrayLike<number>) =>
      Array.from(values).filter((_, i) => isIn[i] || (few && (isIn[i - 1] || isIn[i + 1])));
    return [one.y, one.raw, one.band?.low, one.band?.high].filter((values) => values !== undefined).map(inside);
  });
  const [low, high] = extent(reference === undefined ? seen : [...seen, [reference]], usable);
  return [low, high];
}

function extent(lists: readonly ArrayLike<number>[], usable: (value: number) => boolean): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of lists) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? Number.NaN;
      if (!usable(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? [low, high] : [0, 1];
}

/** The picture in words, for those who do not see it. */
function describe({ x, y, series, caption }: Figure): string {
  const lines = series.map(({ label, y: values }) => {
    const finite = Array.from(values).filter(Number.isFinite);
    const [first, last] = [finite[0], finite.at(-1)];
    return first === undefined || last === undefined
      ? `${label}: no values.`
      : `${label}: from ${Number(first.toPrecision(3))} to ${Number(last.toPrecision(3))}.`;
  });
  return [`${y.title} over ${x.title.toLowerCase()}.`, ...lines, caption].join(' ');
}
