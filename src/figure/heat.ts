/** The panels of a heat map: cells as rectangles, names of the rows, one axis below all, and a legend with numbers for each scale. */
import { type DrawnAxis, drawAxis } from './axis.ts';
import type { HeatFigure, HeatPanel, HeatScale } from './figure.ts';
import type { Look } from './look.ts';
import { legal, rounded, tag } from './markup.ts';
import { shortened, textWidth } from './textWidth.ts';

/** More steps of colour than these nobody sees, and neighbours of one colour are one rectangle. */
const COLORS = 64;
/** Rectangles reach so far under their right neighbours: without it, a thin line shines through where they meet. */
const OVERLAP = 0.6;
const BAR_WIDTH = 9;

interface Place {
  readonly x: DrawnAxis;
  readonly left: number;
  readonly width: number;
}

export function drawHeat(figure: HeatFigure, look: Look, width: number): { markup: string; height: number } {
  const { fontSize } = look;
  const small = fontSize * 0.88;
  const panels = figure.scales.flatMap((scale) => scale.panels);
  if (panels.length === 0) return { markup: '', height: 0 };
  const left = Math.max(...panels.flatMap(({ names }) => names.map((name) => textWidth(name, small)))) + 8;
  const legends = figure.scales.map((scale) => drawLegend(scale, look, heightOf(scale.panels, look)));
  const right = Math.max(...legends.map((legend) => legend.width)) + fontSize;
  const plotWidth = Math.max(40, width - left - right);
  const count = Math.max(2, Math.round(plotWidth / (fontSize * 5.5)));
  const x = drawAxis(figure.x, figure.x.range, [0, plotWidth], { count, round: false });
  const place = { x, left, width: plotWidth };
  let y = 0;
  const parts: string[] = [];
  figure.scales.forEach((scale, i) => {
    const top = y + fontSize * 1.6;
    for (const panel of scale.panels) {
      parts.push(moved(left, y, drawPanel(panel, scale, place, look)));
      y += panelHeight(panel, look);
    }
    parts.push(moved(left + plotWidth + fontSize, top, legends[i]?.markup ?? ''));
  });
  parts.push(moved(left, y - fontSize * 0.5, drawXAxis(place, look)));
  return { markup: parts.join(''), height: y + fontSize * 2.6 };
}

/** The picture in words, for those who do not see it. */
export function describeHeat({ x, scales, caption }: HeatFigure): string {
  const said = scales.flatMap(({ title, panels }) =>
    panels.map(({ label, names, values }) => {
      const finite = values.flatMap((row) => Array.from(row).filter(Number.isFinite));
      const [low, high] = [
        finite.reduce((a, b) => Math.min(a, b), Infinity),
        finite.reduce((a, b) => Math.max(a, b), -Infinity),
      ];
      const range = finite.length === 0 ? 'no values' : `from ${plain(low)} to ${plain(high)}`;
      return `${label}: ${title} of ${names.length} rows, ${range}.`;
    }),
  );
  return [`Colours over ${x.title.toLowerCase()}.`, ...said, caption].join(' ');
}

const plain = (value: number) => String(Number(value.toPrecision(3)));
const moved = (x: number, y: number, markup: string) =>
  tag('g', { transform: `translate(${rounded(x)},${rounded(y)})` }, markup);

/** Rows are as high as their names need, where they are not too many. */
function rowHeight({ names }: HeatPanel, { fontSize }: Look): number {
  return Math.max(3, Math.min(fontSize * 1.05, (fontSize * 10) / Math.max(1, names.length)));
}

/** With its label above and the distance to the next. */
const panelHeight = (panel: HeatPanel, look: Look) => look.fontSize * 2.3 + rowHeight(panel, look) * panel.names.length;

/** From the first row to the last. */
const heightOf = (panels: readonly HeatPanel[], look: Look) =>
  panels.reduce((sum, panel) => sum + panelHeight(panel, look), 0) - look.fontSize * 2.3;

function drawPanel(panel: HeatPanel, scale: HeatScale, { x, left, width }: Place, look: Look): string {
  const { fontSize, ink, muted } = look;
  const height = rowHeight(panel, look);
  const top = fontSize * 1.6;
  const bottom = top + height * panel.names.length;
  const small = fontSize * 0.88;
  const every = Math.ceil((small * 1.1) / height);
  const names = panel.names.flatMap((name, i) => {
    // The last row is named, too, instead of one that is too near to it.
    const last = panel.names.length - 1;
    if (i !== last && (i % every !== 0 || last - i < every)) return [];
    const y = top + height * (i + 0.5) + small * 0.36;
    return tag('text', { x: -5, y, 'text-anchor': 'end', 'font-size': small, fill: muted }, legal(name));
  });
  const ticks = labelled(x).map(({ at }) => `M${rounded(at)},${rounded(bottom)}v3`);
  return [
    tag('text', { x: 0, y: fontSize * 1.15, fill: ink }, legal(shortened(panel.label, width + left / 2, fontSize))),
    ...panel.values.map((row, i) => drawRow(row, panel.edges, scale, { x, top: top + height * i, height, width })),
    tag('path', {
      d: `M0,${rounded(top)}V${rounded(bottom)}H${rounded(width)}${ticks.join('')}`,
      stroke: muted,
      'stroke-width': 0.8,
      fill: 'none',
    }),
    ...names,
  ].join('');
}

interface RowPlace {
  readonly x: DrawnAxis;
  readonly top: number;
  readonly height: number;
  readonly width: number;
}

function drawRow(
  values: ArrayLike<number>,
  edges: ArrayLike<number>,
  scale: HeatScale,
  { x, top, height, width }: RowPlace,
): string {
  const at = (i: number) => Math.min(width, Math.max(0, x.place(edges[i] ?? Number.NaN)));
  const colors = Array.from(values, (value) => (Number.isFinite(value) ? colorOf(value, scale) : undefined));
  const cells = runs(colors).flatMap(({ value: fill, from, to }) => {
    if (fill === undefined || !(at(to) > at(from))) return [];
    const meets = colors[to] === undefined ? 0 : OVERLAP;
    const right = Math.min(width, at(to) + meets);
    return tag('rect', {
      x: at(from),
      y: top,
      width: right - at(from),
      height: height - (scale.marksNegative ? 0 : 0.5),
      fill,
    });
  });
  if (!scale.marksNegative) return cells.join('');
  const signs = Array.from(values, (value) => value < 0);
  const lines = runs(signs)
    .filter(({ value, from, to }) => value && at(to) > at(from))
    .map(({ from, to }) => `M${rounded(at(from))},${rounded(top + height / 2)}H${rounded(at(to))}`);
  if (lines.length > 0) cells.push(mark(lines.join('')));
  return cells.join('');
}

/** Dots on values below 0. */
const mark = (d: string) =>
  tag('path', { d, stroke: '#ffffff', 'stroke-width': 1.3, 'stroke-dasharray': '1.3 2.2', fill: 'none' });

/** Neighbours that are equal, together. */
function runs<T>(values: readonly T[]): { value: T; from: number; to: number }[] {
  const found: { value: T; from: number; to: number }[] = [];
  values.forEach((value, i) => {
    const last = found.at(-1);
    if (last && last.value === value) last.to = i + 1;
    else found.push({ value, from: i, to: i + 1 });
  });
  return found;
}

function colorOf(value: number, { log, domain: [low, high], color }: HeatScale): string {
  const share = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  const inside = Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share));
  return hex(color((Math.min(COLORS - 1, Math.floor(inside * COLORS)) + 0.5) / COLORS));
}

const hex = (rgb: readonly number[]) => `#${rgb.map((part) => part.toString(16).padStart(2, '0')).join('')}`;

/** A bar of the colours, its numbers and its title, upright. */
function drawLegend(scale: HeatScale, look: Look, height: number): { markup: string; width: number } {
  const { fontSize, ink, muted } = look;
  const small = fontSize * 0.88;
  const count = Math.max(2, Math.min(6, Math.round(height / (fontSize * 3))));
  const axis = drawAxis({ title: '', unit: '', log: scale.log }, scale.domain, [height, 0], {
    count,
    round: false,
  });
  const step = height / COLORS;
  const colors = Array.from({ length: COLORS }, (_, i) => {
    const fill = hex(scale.color((COLORS - i - 0.5) / COLORS));
    const overlap = i < COLORS - 1 ? OVERLAP : 0;
    return tag('rect', { x: 0, y: i * step, width: BAR_WIDTH, height: step + overlap, fill });
  });
  const numbers = labelled(axis).map(({ at, label }) =>
    tag('text', { x: BAR_WIDTH + 6, y: at + small * 0.36, 'font-size': small, fill: muted }, legal(minus(label))),
  );
  const marks = axis.ticks.map(({ at, label }) => `M${BAR_WIDTH},${rounded(at)}h${label === '' ? 2 : 4}`);
  const far = BAR_WIDTH + 10 + Math.max(...axis.ticks.map(({ label }) => textWidth(minus(label), small)), 0);
  const title = tag(
    'text',
    {
      transform: `translate(${rounded(far + fontSize * 0.8)},${rounded(height / 2)}) rotate(-90)`,
      'text-anchor': 'middle',
      'font-size': small,
      fill: ink,
    },
    legal(shortened(scale.title, height + fontSize * 3, small)),
  );
  const markup = [
    ...colors,
    scale.marksNegative ? mark(`M${BAR_WIDTH / 2},${rounded(axis.place(0))}V${rounded(height)}`) : '',
    tag('path', { d: marks.join(''), stroke: muted, 'stroke-width': 0.8, fill: 'none' }),
    ...numbers,
    title,
  ];
  return { markup: markup.join(''), width: far + fontSize };
}

const minus = (label: string) => label.replace(/^-/, '−');

function drawXAxis({ x, left, width }: Place, { fontSize, ink, muted }: Look): string {
  const labels = labelled(x).map(({ at, label }) => {
    const half = textWidth(label, fontSize) / 2;
    const middle = Math.min(Math.max(at, half - left), width + fontSize - half);
    return tag('text', { x: middle, y: fontSize * 0.95, 'text-anchor': 'middle', fill: muted }, legal(label));
  });
  const title = tag('text', { x: width / 2, y: fontSize * 2.35, 'text-anchor': 'middle', fill: ink }, legal(x.title));
  return [...labels, title].join('');
}

const labelled = (axis: DrawnAxis) => axis.ticks.filter(({ label }) => label !== '');
