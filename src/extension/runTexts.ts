/** What the run list says: of a run its progress or result, of an experiment how method and baseline stand to each other. */
import { comparePair, percent, titleOf } from '../core/comparison.ts';
import { t } from '../core/l10n.ts';
import { isOver, type RunState, stateTitle } from '../core/run.ts';
import { mean } from '../core/statistics.ts';
import type { RunListing } from '../store/runReader.ts';
import { type Experiment, isLiving } from './experiments.ts';
import { statusText } from './statusText.ts';

/** What is known beyond the listing: of a living run its events, of one that is over the top-1 that it came to. */
export interface Standing {
  readonly living?: RunState;
  readonly top1?: number;
}

/** `Running · epoch 3 of 10, 2 min left · 71.2 %`, or `Finished · 80.4 %`. */
export function runDescription(run: Pick<RunListing, 'state'>, standing: Standing): string {
  const { living } = standing;
  const top1 = newestTop1(standing);
  const parts = [
    stateTitle(run.state),
    !isOver(run) && living?.start ? statusText([living]) : '',
    top1 === undefined ? '' : percent(top1),
  ];
  return parts.filter(Boolean).join(' · ');
}

/** `Finished · +1.2 points`: the mean over the pairs of method minus baseline, each at the newest epoch that both have reached. */
export function experimentDescription(
  experiment: Pick<Experiment, 'state' | 'runs'>,
  standingOf: (run: RunListing) => Standing,
): string {
  const living = experiment.runs.flatMap((run) => standingOf(run).living ?? []);
  const difference = differenceOf(experiment.runs, standingOf);
  const parts = [
    stateTitle(experiment.state),
    isLiving(experiment.runs) && living.some(({ start }) => start) ? statusText(living) : '',
    difference ?? '',
  ];
  return parts.filter(Boolean).join(' · ');
}

function differenceOf(runs: readonly RunListing[], standingOf: (run: RunListing) => Standing): string | undefined {
  const baselines = new Map(runs.filter(({ role }) => role === 'baseline').map((run) => [run.pair, run]));
  const differences = runs.flatMap((run) => {
    const baseline = run.role === 'method' && run.pair !== undefined ? baselines.get(run.pair) : undefined;
    const points = baseline && pointsBetween(standingOf(baseline), standingOf(run));
    return points === undefined ? [] : [points];
  });
  if (differences.length === 0) return undefined;
  const points = signed(mean(differences));
  return differences.length === 1
    ? t('{0} points', points)
    : t('{0} points over {1} seeds', points, differences.length);
}

/** Percentage points between two runs at one epoch; nothing while one of them is behind the other's end. */
function pointsBetween(baseline: Standing, method: Standing): number | undefined {
  if (baseline.living && method.living) return comparePair(baseline.living, method.living)?.difference;
  if (baseline.top1 === undefined || method.top1 === undefined) return undefined;
  return 100 * (method.top1 - baseline.top1);
}

/** The label of a run within its experiment. */
export const runLabel = (run: Pick<RunListing, 'method' | 'seed'>) => t('{0}, seed {1}', titleOf(run.method), run.seed);

function newestTop1({ living, top1 }: Standing): number | undefined {
  return top1 ?? living?.epochs.findLast(({ validation }) => validation)?.validation?.top1;
}

/** What rounds to 0 has no sign that would mean something. */
function signed(value: number): string {
  const digits = Math.abs(value).toFixed(1);
  return `${digits === '0.0' ? '±' : value < 0 ? '−' : '+'}${digits}`;
}
