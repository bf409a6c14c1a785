/** A chart of some runs as a figure: its lines, its axes, and a caption that says how the numbers came about. */
import type { LineChart } from '../../core/charts.ts';
import { axes } from '../../core/metricQuery.ts';
import { isOver, stateTitle } from '../../core/run.ts';
import type { Figure } from '../../figure/figure.ts';
import type { ExportedRun, RunGroup } from './runs.ts';
import { type ChartLines, linesOf, type View } from './series.ts';

export interface FigureOptions extends View {
  readonly log: boolean;
  /** The command that makes this figure again. */
  readonly command: string;
}

export function figureOf(chart: LineChart, groups: readonly RunGroup[], options: FigureOptions): Figure {
  const lines = linesOf(chart, groups, options);
  const { title, unit } = axes[options.axis];
  const log = options.log || chart.log;
  return {
    title: chart.title,
    x: { title, unit, log: false, ...(lines.series.length > 0 ? { range: lines.range } : {}) },
    y: { ...chart.y, log },
    series: lines.series,
    ...(chart.reference === undefined ? {} : { reference: chart.reference }),
    caption: captionOf(chart, groups, lines, { ...options, log }),
    metadata: {
      chart: chart.id,
      command: options.command,
      runs: groups.flatMap(({ runs }) => runs.map(({ id, config }) => ({ id, config }))),
    },
  };
}

function captionOf(chart: LineChart, groups: readonly RunGroup[], lines: ChartLines, options: FigureOptions): string {
  return [
    chart.about,
    ...seedSentences(groups, lines),
    ...smoothingSentences(chart, lines, options),
    ...valueSentences(lines, options),
    ...stateSentences(groups),
  ].join(' ');
}

function seedSentences(groups: readonly RunGroup[], { ended }: ChartLines): string[] {
  const most = Math.max(...groups.map(({ runs }) => runs.length));
  if (most === 1) {
    const seeds = new Set(groups.flatMap(({ runs }) => runs.map(({ state }) => state.start?.seed)));
    return seeds.size === 1 ? [`One seed (${[...seeds][0] ?? '?'}).`] : ['One run each.'];
  }
  const counts = new Set(groups.map(({ runs }) => runs.length));
  const how = counts.size === 1 ? `over ${most} seeds` : 'over the seeds of each, as the labels count them';
  const left =
    ended.size === 0
      ? []
      : [`From where ${ended.size === 1 ? 'one of the runs ends' : `${ended.size} of the runs end`} early, of fewer.`];
  return [`Mean ± standard deviation (n − 1) ${how}.`, ...left];
}

function smoothingSentences(
  chart: LineChart,
  { thinned, series, smoothed }: ChartLines,
  { smoothing }: FigureOptions,
): string[] {
  const band = series.some((one) => one.band) && thinned > 1;
  const sentences: string[] = [];
  if (smoothed) {
    const behind = series.some((one) => one.raw) ? ', the values themselves faint behind' : '';
    sentences.push(
      `Exponential moving average over ${Number((100 * smoothing).toPrecision(3))} % of the range${behind}.`,
    );
  }
  if (thinned > 1) {
    const rows = chart.table === 'epochs' ? 'epochs' : 'logged steps';
    const shown = band ? '; the band spans their lowest and highest value' : '';
    sentences.push(`A point is the mean of up to ${thinned.toLocaleString('en')} ${rows}${shown}.`);
  }
  return sentences;
}

function valueSentences({ notFinite, series, range }: ChartLines, { log, from, until }: FigureOptions): string[] {
  const sentences = [...notFinite].map(
    ([label, count]) =>
      `Crosses: ${count.toLocaleString('en')} ${count === 1 ? 'value' : 'values'} of ${label} NaN or infinite.`,
  );
  if (log) {
    const hidden = series.reduce((sum, { y }) => sum + Array.from(y).filter((value) => value <= 0).length, 0);
    if (hidden > 0) sentences.push(`${hidden} values of 0 and below are not on the logarithmic axis.`);
  }
  if (from !== undefined || until !== undefined) {
    sentences.push(`Shown from ${Number(range[0].toPrecision(6))} to ${Number(range[1].toPrecision(6))}.`);
  }
  return sentences;
}

export function stateSentences(groups: readonly RunGroup[]): string[] {
  return groups
    .flatMap(({ runs }) => runs)
    .filter(({ state }) => state.state !== 'finished')
    .map((run) => describeState(run));
}

/** How a run that has not finished stands, as a sentence. */
export function describeState({ id, state }: ExportedRun): string {
  const epoch = state.epochs.at(-1)?.epoch ?? 0;
  const at = `after ${epoch} of ${state.start?.epochs ?? '?'} epochs`;
  if (!isOver(state)) return `${id} has not ended: shown as it was ${at}.`;
  return `${id}: ${stateTitle(state.state).toLowerCase()} ${at}.`;
}
