/** The charts of the dashboard: what each shows of a pair, in data; `metricChart.ts` draws them. */
import { titleOf } from '../../src/core/comparison.ts';
import type { RunEventOf } from '../../src/core/events.ts';
import { significant } from '../../src/core/format.ts';
import { runsOf, type ShownPair, type ShownRun } from '../state.ts';
import type { Points } from './points.ts';

export interface Series {
  readonly label: string;
  /** Whose colour it has; `both` where the two runs have the same values by design. */
  readonly who: 'baseline' | 'method' | 'both';
  /** Dashed: the sub-branch, or masked inputs. */
  readonly dashed: boolean;
  readonly points: Points;
}

export interface Metric {
  /** The figure's id is `chart-<id>`. */
  readonly id: string;
  readonly title: string;
  /** What is drawn and in which unit, under the title. */
  readonly unit: string;
  readonly scale: 'linear' | 'logarithmic';
  /** Drawn as an average over steps, with the raw values behind it. */
  readonly smoothed: boolean;
  /** A value of special meaning, drawn as a thin line. */
  readonly reference?: number;
  /** Shown while there are no points. */
  readonly empty: string;
  /** Compares the branches of a run. */
  readonly ofBranches?: true;
  readonly format: (value: number) => string;
  readonly series: (pair: ShownPair) => Series[];
}

type Step = RunEventOf<'step'>;
type Epoch = RunEventOf<'epoch'>;

export const metrics: readonly Metric[] = [
  {
    id: 'loss',
    title: 'Training loss',
    unit: 'per batch',
    scale: 'linear',
    smoothed: true,
    empty: 'Begins with the first step.',
    format: significant,
    series: (pair) => branches(pair, ({ loss }) => loss),
  },
  {
    id: 'accuracy',
    title: 'Validation accuracy',
    unit: 'top-1, %; masked: with patches hidden',
    scale: 'linear',
    smoothed: false,
    empty: 'Begins with the first validation.',
    format: (value) => value.toFixed(1),
    series: (pair) =>
      runsOf(pair).flatMap((shown) => [
        series(
          shown,
          '',
          false,
          epochPoints(shown, (epoch) => inPercent(epoch.validation?.top1)),
        ),
        series(
          shown,
          'masked',
          true,
          epochPoints(shown, (epoch) => inPercent(epoch.validation?.maskedTop1)),
        ),
      ]),
  },
  {
    id: 'grad-norm',
    title: 'Gradient norm',
    unit: 'L2, per branch',
    scale: 'linear',
    smoothed: true,
    empty: 'Begins with the first step.',
    format: significant,
    series: (pair) => branches(pair, ({ grad }) => grad),
  },
  {
    id: 'grad-ratio',
    title: 'Gradient ratio',
    unit: 'sub over main, log scale',
    scale: 'logarithmic',
    smoothed: true,
    reference: 1,
    empty: 'Begins with the first step.',
    ofBranches: true,
    format: significant,
    series: ({ method }) =>
      method
        ? [
            series(
              method,
              'sub / main',
              false,
              stepPoints(method, ({ grad }) => ratio(grad.sub, grad.main)),
            ),
          ]
        : [],
  },
  {
    id: 'grad-cosine',
    title: 'Gradient cosine',
    unit: 'of main and sub',
    scale: 'linear',
    smoothed: true,
    reference: 0,
    empty: 'Begins with the first step.',
    ofBranches: true,
    format: (value) => value.toFixed(2).replace('-', '−'),
    series: ({ method }) =>
      method
        ? [
            series(
              method,
              'cosine',
              false,
              stepPoints(method, ({ grad }) => grad.cosine),
            ),
          ]
        : [],
  },
  {
    id: 'lr',
    title: 'Learning rate',
    unit: 'of the next optimizer step',
    scale: 'linear',
    smoothed: false,
    empty: 'Begins with the first step.',
    format: significant,
    series: (pair) => {
      const [first, ...others] = runsOf(pair);
      if (!first) return [];
      const points = stepPoints(first, ({ learningRate }) => learningRate);
      const line = series(first, '', false, points);
      return [others.length > 0 ? { ...line, label: 'both runs', who: 'both' } : line];
    },
  },
  {
    id: 'throughput',
    title: 'Throughput',
    unit: 'samples/s',
    scale: 'linear',
    smoothed: true,
    empty: 'Begins with the first step.',
    format: significant,
    series: (pair) =>
      runsOf(pair).map((shown) =>
        series(
          shown,
          '',
          false,
          stepPoints(shown, ({ imagesPerSecond }) => imagesPerSecond),
        ),
      ),
  },
];

/** A line for each branch of each run. */
function branches(
  pair: ShownPair,
  values: (step: Step) => { readonly main: number; readonly sub?: number | undefined },
) {
  return runsOf(pair).flatMap((shown) => [
    series(
      shown,
      mainOf(shown),
      false,
      stepPoints(shown, (step) => values(step).main),
    ),
    series(
      shown,
      'sub',
      true,
      stepPoints(shown, (step) => values(step).sub),
    ),
  ]);
}

/** What stands in the place of a chart without points. */
export function emptyText(metric: Metric, { method }: ShownPair): string {
  if (!metric.ofBranches) return metric.empty;
  if (!method) return 'The baseline has one branch: there is nothing to compare.';
  const title = titleOf(method.handle.method);
  return method.run.steps.length > 0 ? `${title} has one branch here: there is nothing to compare.` : metric.empty;
}

/** The lines of a chart that have points. */
export function seriesOf(metric: Metric, pair: ShownPair): Series[] {
  return metric.series(pair).filter(({ points }) => points.x.length > 0);
}

function series(shown: ShownRun, part: string, dashed: boolean, points: Points): Series {
  const { role, method } = shown.handle;
  return { label: [titleOf(method), part].filter(Boolean).join(' '), who: role, dashed, points };
}

/** A run with one branch need not say which. */
const mainOf = ({ run }: ShownRun) => (run.steps.some(({ loss }) => loss.sub !== undefined) ? 'main' : '');

function stepPoints({ run }: ShownRun, value: (event: Step) => number | undefined): Points {
  return pointsOf(run.steps, ({ epoch }) => epoch, value);
}

function epochPoints({ run }: ShownRun, value: (event: Epoch) => number | undefined): Points {
  return pointsOf(run.epochs, ({ epoch }) => epoch, value);
}

/** Events without the value are left out; one whose value is not finite stays, as a gap. */
function pointsOf<E>(events: readonly E[], at: (event: E) => number, value: (event: E) => number | undefined): Points {
  const [x, y]: [number[], number[]] = [[], []];
  for (const event of events) {
    const found = value(event);
    if (found === undefined) continue;
    x.push(at(event));
    y.push(found);
  }
  return { x, y };
}

const inPercent = (fraction: number | undefined) => (fraction === undefined ? undefined : 100 * fraction);
const ratio = (sub: number | undefined, main: number) => (sub === undefined ? undefined : sub / main);
