/** What is recorded of the layers as a figure: a panel of colours for each method and branch, over the seeds. */
import type { LayersChart } from '../../core/charts.ts';
import { type LayerNumber, layerColors, layerDomain, shortLayers } from '../../core/layers.ts';
import { type Axis, axes, type MetricWindow } from '../../core/metricQuery.ts';
import { mean } from '../../core/statistics.ts';
import type { HeatFigure, HeatPanel, HeatScale } from '../../figure/figure.ts';
import { type FigureOptions, stateSentences } from './figureOf.ts';
import type { ExportedRun, RunGroup } from './runs.ts';
import { rangeOf } from './series.ts';

/** A column is two or three pixels wide in a column of a paper. */
const mostColumns = 120;

interface Panel extends HeatPanel {
  readonly number: LayerNumber;
  /** Rows of the table that a cell stands for at most. */
  readonly thinned: number;
  readonly notFinite: number;
}

export function layersFigure(chart: LayersChart, groups: readonly RunGroup[], options: FigureOptions): HeatFigure {
  const { axis, from, until, command } = options;
  const asked = rangeOf('layers', groups, options);
  const panels = groups.flatMap((group) =>
    chart.numbers.flatMap((number) => panelOf(group, number, axis, asked, chart.numbers.length > 1) ?? []),
  );
  // The first column begins before its rows were recorded.
  const begin = from ?? Math.min(asked[0], ...panels.map(({ edges }) => edges[0] ?? asked[0]));
  const range = [begin, asked[1]] as const;
  const norms = panels.filter(({ number }) => number !== 'cosine');
  const cosines = panels.filter(({ number }) => number === 'cosine');
  const thinned = Math.max(1, ...panels.map((panel) => panel.thinned));
  const notFinite = panels.reduce((sum, panel) => sum + panel.notFinite, 0);
  const most = Math.max(...groups.map(({ runs }) => runs.length));
  const isCut = from !== undefined || until !== undefined;
  const shown = [range[0], range[1]].map((end) => Number(end.toPrecision(6)));
  return {
    title: chart.title,
    x: { ...axes[axis], log: false, range },
    scales: [...scaleOf('L2 norm', 'main', norms), ...scaleOf('Cosine', 'cosine', cosines)],
    caption: [
      aboutOf(norms, cosines),
      'Layers from the input (top) to the output.',
      norms.length > 1 ? 'A colour means the same norm in all panels.' : '',
      cosines.length > 0 ? 'White dots mark a negative cosine.' : '',
      most > 1 ? `Mean over ${most} seeds.` : '',
      thinned > 1 ? `A cell is the mean of up to ${thinned.toLocaleString('en')} recorded steps.` : '',
      notFinite > 0 ? `${notFinite.toLocaleString('en')} values are NaN or infinite and left out.` : '',
      isCut ? `Shown from ${shown[0]} to ${shown[1]}.` : '',
      ...stateSentences(groups),
    ]
      .filter((sentence) => sentence !== '')
      .join(' '),
    metadata: {
      chart: chart.id,
      command,
      runs: groups.flatMap(({ runs }) => runs.map(({ id, config }) => ({ id, config }))),
    },
  };
}

function aboutOf(norms: readonly Panel[], cosines: readonly Panel[]): string {
  const parts = [
    ...(norms.length > 0 ? ['L2 norm of the gradient of each layer, of each branch’s unhalved loss'] : []),
    ...(cosines.length > 0 ? ['cosine between the gradients of the two branches in each layer'] : []),
  ];
  const text = parts.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function scaleOf(title: string, number: LayerNumber, panels: readonly Panel[]): HeatScale[] {
  if (panels.length === 0) return [];
  const domain = layerDomain(
    number,
    panels.flatMap(({ values }) => values),
  );
  const isNorm = number !== 'cosine';
  return [{ title, log: isNorm, domain, color: layerColors(number).at, marksNegative: !isNorm, panels }];
}

function panelOf(
  group: RunGroup,
  number: LayerNumber,
  axis: Axis,
  [from, to]: readonly [number, number],
  isNamed: boolean,
): Panel | undefined {
  const read = group.runs.flatMap(({ metrics }: ExportedRun) => {
    const names = metrics.names('layers').filter((name) => name.startsWith(`${number}.`));
    // As many as a query may ask for.
    const asked = names.slice(0, 512);
    if (asked.length === 0) return [];
    const window = metrics.window({ table: 'layers', names: asked, axis, from, to, buckets: mostColumns });
    return [{ names: asked, window }];
  });
  const longest = read.reduce<(typeof read)[number] | undefined>(
    (a, b) => (a && (a.window.x1.at(-1) ?? 0) >= (b.window.x1.at(-1) ?? 0) ? a : b),
    undefined,
  );
  if (!longest || longest.window.x1.length === 0) return undefined;
  const { x0, x1 } = longest.window;
  const n = x1.length;
  const typical = n > 1 ? ((x1[n - 1] ?? 0) - (x1[0] ?? 0)) / (n - 1) : (x1[0] ?? 0);
  // A bucket stands for the time since the one before.
  const edges = [Math.max(0, (x0[0] ?? 0) - typical), ...x1];
  const names = [...new Set(read.flatMap((one) => one.names))];
  const values = names.map((name) => {
    const readers = read.map((one) => cellReader(one.window, one.names.indexOf(name), typical));
    return Float64Array.from(x1, (x, i) => meanOf(readers.map((cell) => cell(((x0[i] ?? x) + x) / 2, x))));
  });
  return {
    label: [group.label, isNamed ? number : '', group.count].filter((part) => part !== '').join(' '),
    names: shortLayers(names.map((name) => name.slice(number.length + 1))),
    edges,
    values,
    number,
    thinned: 2 ** longest.window.level,
    notFinite: read.reduce(
      (sum, { window }) => sum + window.series.reduce((all, one) => all + one.notFiniteCount, 0),
      0,
    ),
  };
}

const meanOf = (values: readonly number[]) => {
  const finite = values.filter(Number.isFinite);
  return finite.length === 0 ? Number.NaN : mean(finite);
};

/** Of ascending places the value of the bucket there; NaN beyond the last. */
function cellReader(
  { x1, series }: MetricWindow,
  column: number,
  typical: number,
): (at: number, last: number) => number {
  const values = series[column]?.mean;
  let i = 0;
  return (at, last) => {
    while (i < x1.length - 1 && (x1[i] ?? 0) < at) i++;
    return !values || last > (x1.at(-1) ?? 0) + typical / 2 ? Number.NaN : (values[i] ?? Number.NaN);
  };
}
