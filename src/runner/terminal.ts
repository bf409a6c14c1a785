/** What a person sees in the terminal: progress of the runs, and the table at the end. */
import { computesOn, describePair, describeSeeds, percent, type SeedsComparison, titleOf } from '../core/comparison.ts';
import type { RunEvent } from '../core/events.ts';
import { bytes, duration, significant } from '../core/format.ts';
import { type RunState, secondsLeft } from '../core/run.ts';
import { table } from './table.ts';

/** Lines of progress for the terminal: one at each start, and one whenever all runs have been validated anew. */
export function progressLines(event: RunEvent, runs: ReadonlyMap<string, RunState>): string[] {
  if (event.type === 'start') {
    const from = event.fromStep === undefined ? '' : ` Goes on after step ${event.fromStep}.`;
    return [
      `${titleOf(event.method)} (seed ${event.seed}): ${event.parameters.toLocaleString('en')} parameters, ${event.steps} steps, on ${computesOn(event)}. ${event.backendReason} ${event.executorReason}`.trimEnd() +
        from,
    ];
  }
  if (event.type === 'warning') return [`Warning: ${event.message}`];
  if (event.type !== 'epoch' || !event.validation) return [];
  const run = runs.get(event.run);
  const pair = [...runs.values()].filter(
    (other) => other.start?.pair === run?.start?.pair && other.start?.seed === run?.start?.seed,
  );
  if (pair.some((other) => !other.epochs.some((epoch) => epoch.epoch === event.epoch && epoch.validation))) return [];
  const left = Math.max(...pair.map((other) => secondsLeft(other) ?? 0));
  const columns = pair.map((other) => {
    const epoch = other.epochs.find((candidate) => candidate.epoch === event.epoch);
    return `${titleOf(other.start?.method ?? '')}: loss ${significant(epoch?.train.loss ?? Number.NaN)}, validation ${percent(epoch?.validation?.top1 ?? Number.NaN)}`;
  });
  const epochs = run?.start?.epochs ?? 0;
  const rest = left > 0 ? `   ${duration(left)} left` : '';
  return [`epoch ${String(event.epoch).padStart(String(epochs).length)}/${epochs}   ${columns.join('   ')}${rest}`];
}

const headings = [
  'run',
  'seed',
  'state',
  'epochs',
  'top-1',
  'loss',
  'masked top-1',
  'train top-1',
  'time',
  'TFLOPs',
  'peak memory',
];

/** One row for each run, then the comparison in words. */
export function comparisonTable(runs: Iterable<RunState>, comparison: SeedsComparison | undefined): string {
  const all = [...runs];
  const rows = all.map((run) => {
    const summary = run.end?.summary;
    const number = (value: number | undefined, format: (value: number) => string) =>
      value === undefined ? '–' : format(value);
    return [
      titleOf(run.start?.method ?? run.id),
      String(run.start?.seed ?? '–'),
      run.state,
      number(summary?.epochs, (value) => significant(value)),
      number(summary?.final?.top1, percent),
      number(summary?.final?.loss, significant),
      number(summary?.final?.maskedTop1, percent),
      number(summary?.train?.top1, percent),
      number(summary?.cost.seconds, duration),
      number(summary?.cost.flops, (value) => significant(value / 1e12)),
      number(summary?.cost.peakMemoryBytes, bytes),
    ];
  });
  const foot = [...computed(all), ...verdict(all, comparison)];
  return [table(headings, rows), ...(foot.length > 0 ? ['', ...foot] : [])].join('\n');
}

function verdict(runs: readonly RunState[], comparison: SeedsComparison | undefined): string[] {
  const method = runs.find((run) => run.start?.role === 'method')?.start?.method;
  const first = comparison?.pairs[0];
  if (!comparison || !method || !first) return [];
  const same = comparison.pairs.every((pair) => pair.sameWeights && pair.sameBatches);
  const proof = same
    ? 'Same initial weights and same batches in both runs: the hashes agree.'
    : 'Warning: initial weights or batches differ between the runs; this is no fair comparison.';
  const words = comparison.pairs.length > 1 ? describeSeeds(comparison, method) : describePair(first, method);
  return [words, proof];
}

/** On what the runs computed: in one sentence where it was the same for all. */
function computed(runs: readonly RunState[]): string[] {
  const started = runs.map(({ start }) => start).filter((start) => start !== undefined);
  const all = [...new Set(started.map(computesOn))];
  if (all.length < 2) return all.map((on) => `Computed on ${on}.`);
  const each = started.map((start) => `${titleOf(start.method)} (seed ${start.seed}) on ${computesOn(start)}`);
  return [`Computed differently, so times and memory do not compare: ${each.join('; ')}.`];
}
