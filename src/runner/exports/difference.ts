/** Validation accuracy of a method minus that of its baseline over an axis: mean and deviation over the seeds, as a figure. */
import type { DifferenceChart } from '../../core/charts.ts';
import { bandOver, differenceOver, type Point, pointsOf } from '../../core/comparing.ts';
import { titleOf } from '../../core/comparison.ts';
import { type Axis, axes } from '../../core/metricQuery.ts';
import type { Figure, FigureSeries } from '../../figure/figure.ts';
import { pairsByMethod } from './facts.ts';
import type { FigureOptions } from './figureOf.ts';
import type { ExportedRun } from './runs.ts';

/** The pairs of a method that were both validated. */
export interface MethodDifference {
  readonly label: string;
  readonly seeds: readonly { readonly seed: number; readonly points: readonly Point[] }[];
}

/** In points of a percent, at each validation of the method that its baseline reaches too. */
export function differencesOf(runs: readonly ExportedRun[], axis: Axis): MethodDifference[] {
  return [...pairsByMethod(runs).values()].flatMap(({ method, name, members }) => {
    const seeds = members.flatMap(({ baseline, method: run }) => {
      const points = differenceOver(accuracyOf(baseline, axis), accuracyOf(run, axis));
      return points.length === 0 ? [] : [{ seed: run.state.start?.seed ?? 0, points }];
    });
    const label = [`${titleOf(method)} − baseline`, name ?? ''].filter((part) => part !== '').join(' ');
    return seeds.length === 0 ? [] : [{ label, seeds }];
  });
}

export interface DifferenceOptions extends Pick<FigureOptions, 'axis' | 'from' | 'until' | 'command'> {
  readonly eachSeed: boolean;
}

export function differenceFigure(
  chart: DifferenceChart,
  runs: readonly ExportedRun[],
  { axis, from, until, command, eachSeed }: DifferenceOptions,
): Figure {
  const differences = differencesOf(runs, axis);
  const series = differences.flatMap(({ label, seeds }, i) =>
    eachSeed && seeds.length > 1
      ? seeds.map(({ seed, points }) => ({ label: `${label}, seed ${seed}`, ...lineOf([points], i) }))
      : [
          {
            label,
            ...lineOf(
              seeds.map(({ points }) => points),
              i,
            ),
          },
        ],
  );
  const ends = series.flatMap(({ x }) => [x[0] ?? 0, x.at(-1) ?? 1]);
  const range = [from ?? Math.min(...ends), until ?? Math.max(...ends)] as const;
  const isCut = from !== undefined || until !== undefined;
  return {
    title: chart.title,
    x: { ...axes[axis], log: false, ...(isCut && range[0] < range[1] ? { range } : {}) },
    y: { ...chart.y, log: false },
    series: eachSeed ? series.map((one, slot) => ({ ...one, slot: slot + 1 })) : series,
    reference: 0,
    caption: [chart.about, equalSentence(axis), seedSentence(differences, eachSeed)].join(' '),
    metadata: { chart: chart.id, command, runs: runs.map(({ id, config }) => ({ id, config })) },
  };
}

function lineOf(seeds: readonly (readonly Point[])[], i: number): Omit<FigureSeries, 'label' | 'x'> & { x: number[] } {
  const band = bandOver(seeds);
  const edge = (sign: number) => band.map(({ mean, deviation }) => mean + sign * deviation);
  return {
    slot: i + 1,
    dashed: false,
    x: band.map(({ x }) => x),
    y: band.map(({ mean }) => mean),
    ...(seeds.length > 1 ? { band: { low: edge(-1), high: edge(1) } } : {}),
  };
}

function equalSentence(axis: Axis): string {
  const { title } = axes[axis];
  if (axis === 'epoch' || axis === 'step') return `At equal ${title.toLowerCase()}s.`;
  const equal = axis === 'images' ? 'At as many samples seen' : `At equal ${title.toLowerCase()}`;
  return `${equal}, the baseline’s value interpolated linearly.`;
}

function seedSentence(differences: readonly MethodDifference[], eachSeed: boolean): string {
  const most = Math.max(...differences.map(({ seeds }) => seeds.length));
  if (most < 2) return 'One seed.';
  if (eachSeed) return 'A line for each seed.';
  const isEqual = differences.every(({ seeds }) => seeds.length === most);
  const counts = differences.map(({ label, seeds }) => `${label}: ${seeds.length}`);
  return `Mean ± standard deviation (n − 1) over ${isEqual ? `${most} seeds` : `the seeds (${counts.join('; ')})`}.`;
}

/** Percent over the axis. */
function accuracyOf({ state }: ExportedRun, axis: Axis): Point[] {
  const inPercent = ({ x, y }: Point) => ({ x, y: 100 * y });
  if (axis === 'epoch' || axis === 'time' || axis === 'flops') return pointsOf(state, 'top1', axis).map(inPercent);
  // Samples grow evenly with the steps.
  const { lastStep } = state;
  const each = axis === 'step' ? 1 : lastStep && lastStep.step > 0 ? lastStep.images / lastStep.step : Number.NaN;
  const stepOf = new Map(state.epochs.map(({ epoch, step }) => [epoch, step]));
  return pointsOf(state, 'top1', 'epoch').flatMap(({ x, y }) => {
    const at = (stepOf.get(x) ?? Number.NaN) * each;
    return Number.isFinite(at) ? [inPercent({ x: at, y })] : [];
  });
}
