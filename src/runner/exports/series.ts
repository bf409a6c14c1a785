/** The lines of a chart: windows of the runs' scalars, smoothed, averaged over seeds, and what was done to them. */
import type { ChartColumn, LineChart } from '../../core/charts.ts';
import type { Axis, MetricTable } from '../../core/metricQuery.ts';
import { mean, standardDeviation } from '../../core/statistics.ts';
import type { FigureSeries } from '../../figure/figure.ts';
import type { ExportedRun, RunGroup } from './runs.ts';
import { smooth } from './smoothing.ts';

export interface View {
  readonly axis: Axis;
  readonly from?: number;
  readonly until?: number;
  /** Share of the range over which values are averaged; 0 for none. */
  readonly smoothing: number;
}

export interface ChartLines {
  readonly series: readonly FigureSeries[];
  readonly range: readonly [number, number];
  readonly smoothed: boolean;
  /** Rows that a point stands for at most: 1 where nothing is thinned. */
  readonly thinned: number;
  /** Runs that end before others that they are averaged with. */
  readonly ended: ReadonlySet<string>;
  /** Values that are NaN or infinite, by the label of their line. */
  readonly notFinite: ReadonlyMap<string, number>;
}

const mostBuckets = 2000;

export function linesOf(chart: LineChart, groups: readonly RunGroup[], view: View): ChartLines {
  const range = rangeOf(chart.table, groups, view);
  const span = chart.smoothed ? view.smoothing * (range[1] - range[0]) : 0;
  let thinned = 1;
  const ended = new Set<string>();
  const notFinite = new Map<string, number>();
  const series: FigureSeries[] = [];
  for (const group of groups) {
    const present = chart.columns.filter((column) => group.runs.some((run) => hasColumn(chart, column, run)));
    for (const column of present) {
      const each = group.runs
        .filter((run) => hasColumn(chart, column, run))
        .map((run) => readLine(chart, column, run, view.axis, range, span));
      const usable = each.filter((line) => line.x.length > 0);
      if (usable.length === 0 && each.every((line) => line.notFiniteCount === 0)) continue;
      // A run with one branch need not say which.
      const part = column.plainAlone && present.length === 1 ? '' : column.part;
      const label = [group.label, part, group.count].filter((text) => text !== '').join(' ');
      const count = each.reduce((sum, line) => sum + line.notFiniteCount, 0);
      if (count > 0) notFinite.set(label, count);
      thinned = Math.max(thinned, ...each.map((line) => line.thinned));
      const drawn = usable.length > 1 ? overSeeds(usable) : { line: ofOne(usable[0], span > 0), ended: [] };
      for (const id of drawn.ended) ended.add(id);
      series.push({
        label,
        slot: group.slot,
        dashed: column.second ?? false,
        ...drawn.line,
        notFinite: each.flatMap((line) => line.notFinite),
      });
    }
  }
  return { series: chart.shared ? sharedLine(series) : series, range, smoothed: span > 0, thinned, ended, notFinite };
}

interface Line {
  /** Of the run. */
  readonly id: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** `y` before smoothing. */
  readonly raw: readonly number[];
  readonly notFinite: readonly number[];
  readonly notFiniteCount: number;
  readonly thinned: number;
}

function readLine(
  { table }: LineChart,
  { name, factor = 1 }: ChartColumn,
  { id, metrics }: ExportedRun,
  axis: Axis,
  [from, to]: readonly [number, number],
  span: number,
): Line {
  // The average at the left edge knows what came before.
  const window = metrics.window({ table, names: [name], axis, from: from - 4 * span, to, buckets: mostBuckets });
  const [of] = window.series;
  const empty: Line = { id, x: [], y: [], low: [], high: [], raw: [], notFinite: [], notFiniteCount: 0, thinned: 1 };
  if (!of) return empty;
  const broken = Array.from(of.notFinite);
  const line = { x: [] as number[], raw: [] as number[], low: [] as number[], high: [] as number[] };
  let next = 0;
  for (let i = 0; i < window.x0.length; i++) {
    const value = (of.mean[i] ?? Number.NaN) * factor;
    if (!Number.isFinite(value)) continue; // most rows lack a scalar of another rhythm
    const at = ((window.x0[i] ?? 0) + (window.x1[i] ?? 0)) / 2;
    const before = next;
    while (next < broken.length && (broken[next] ?? 0) < at) next++;
    if (next > before && line.x.length > 0) push(line, broken[before] ?? at, Number.NaN, Number.NaN, Number.NaN);
    const low = (of.min[i] ?? value) * factor;
    const high = (of.max[i] ?? value) * factor;
    push(line, at, value, low, high);
  }
  const y = span > 0 ? smooth(line.x, line.raw, span) : line.raw;
  return { id, ...line, y, notFinite: broken, notFiniteCount: of.notFiniteCount, thinned: 2 ** window.level };
}

function push(
  line: { x: number[]; raw: number[]; low: number[]; high: number[] },
  ...[x, raw, low, high]: readonly [number, number, number, number]
): void {
  line.x.push(x);
  line.raw.push(raw);
  line.low.push(low);
  line.high.push(high);
}

function ofOne(line: Line | undefined, smoothed: boolean): Pick<FigureSeries, 'x' | 'y' | 'band' | 'raw'> {
  if (!line) return { x: [], y: [] };
  const { x, y, raw, low, high, thinned } = line;
  const wide = thinned > 1 ? { band: { low, high } } : {};
  return { x, y, ...wide, ...(smoothed && thinned === 1 ? { raw } : {}) };
}

/** Mean ± standard deviation at the places of the longest of the lines, of those that reach that far. */
function overSeeds(lines: readonly Line[]): { line: Pick<FigureSeries, 'x' | 'y' | 'band'>; ended: readonly string[] } {
  const lastOf = ({ x }: Line) => x.at(-1) ?? Number.NEGATIVE_INFINITY;
  const longest = lines.reduce((a, b) => (lastOf(b) > lastOf(a) ? b : a));
  const x = longest.x.filter((_, i) => Number.isFinite(longest.y[i]));
  const tolerance = (lastOf(longest) - (x[0] ?? 0)) / 1000;
  const [y, low, high]: [number[], number[], number[]] = [[], [], []];
  const readers = lines.map((line) => interpolator(line, tolerance));
  for (const at of x) {
    const values = readers.map((read) => read(at)).filter(Number.isFinite);
    const center = mean(values);
    const deviation = standardDeviation(values);
    y.push(center);
    low.push(center - deviation);
    high.push(center + deviation);
  }
  // Seeds of one config end within a step of each other by epochs, by time they do not.
  const ended = lines.filter((line) => lastOf(line) < lastOf(longest) - 20 * tolerance).map(({ id }) => id);
  return { line: { x, y, band: { low, high } }, ended };
}

/** Values between those of a line; asked for ascending places. NaN outside of it. */
function interpolator({ x, y }: Line, tolerance: number): (at: number) => number {
  const places = x.map((at, i) => [at, y[i] ?? Number.NaN] as const).filter(([, value]) => Number.isFinite(value));
  let i = 0;
  return (at) => {
    while (i + 1 < places.length && (places[i + 1]?.[0] ?? 0) <= at) i++;
    const [a, b] = [places[i], places[i + 1]];
    if (!a || at < a[0] - tolerance) return Number.NaN;
    if (at <= a[0]) return a[1];
    if (!b) return at <= a[0] + tolerance ? a[1] : Number.NaN;
    return a[1] + ((b[1] - a[1]) * (at - a[0])) / (b[0] - a[0]);
  };
}

/** Equal but for the rounding of a mean. */
const isNear = (a: number, b = Number.NaN) => Math.abs(a - b) <= 1e-9 * Math.abs(a);

/** One line instead of several that are the same. */
function sharedLine(series: readonly FigureSeries[]): readonly FigureSeries[] {
  const [first, ...others] = series;
  if (!first || others.length === 0) return series;
  const isSame = (other: FigureSeries) =>
    other.y.length === first.y.length &&
    Array.from(other.y).every((value, i) => isNear(value, first.y[i]) && isNear(other.x[i] ?? 0, first.x[i]));
  return others.every(isSame) ? [{ ...first, label: 'all runs' }] : series;
}

function hasColumn({ table }: LineChart, { name }: ChartColumn, { metrics }: ExportedRun): boolean {
  return metrics.names(table).includes(name);
}

/** What there is of a table, or the part of it that is asked for. */
export function rangeOf(table: MetricTable, groups: readonly RunGroup[], view: View): readonly [number, number] {
  const extents = groups
    .flatMap(({ runs }) => runs)
    .map(({ metrics }) => metrics.extent(table, view.axis))
    .filter((extent) => extent !== undefined);
  const until = view.until ?? Math.max(...extents.map(([, high]) => high));
  const first = Math.min(...extents.map(([low]) => low));
  // A run begins at 0, though its first row comes a little later.
  const from = view.from ?? (first > 0 && first < 0.05 * until ? 0 : first);
  return from <= until ? [from, until] : [until, from];
}
