/** What is said of some runs in words and tables: the verdict, final figures and cost, how the configs differ, what to be careful about. */
import {
  compareSeeds,
  computesOn,
  describePair,
  describeSeeds,
  type PairComparison,
  percent,
  titleOf,
} from '../../core/comparison.ts';
import { flattenConfig } from '../../core/flatten.ts';
import { bytes, duration, listed, significant } from '../../core/format.ts';
import { type JudgedSet, judgeSet, pairSets, pairsAmong } from '../../core/pairSets.ts';
import { isOver } from '../../core/run.ts';
import { describeState } from './figureOf.ts';
import type { ExportedRun } from './runs.ts';

export interface Table {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The difference in words, a sentence for each method of an experiment: over the pairs that have finished, where one has. */
export function verdicts(runs: readonly ExportedRun[]): string[] {
  return [...pairsByMethod(runs).values()].flatMap(({ method, judged, pairs, name }) => {
    const finished = judged.judged.filter(({ isFinished }) => isFinished).map(({ comparison }) => comparison);
    const told = finished.length > 0 ? finished : pairs;
    const [first] = told;
    if (!first) return [];
    const sentence = told.length > 1 ? describeSeeds(compareSeeds(told), method) : describePair(first, method);
    const so = finished.length > 0 ? '' : ' No pair has finished yet.';
    return [`${name === undefined ? '' : `${name}: `}${sentence}${so}`];
  });
}

/** Whether each method's difference is more than chance between seeds, by a paired test over the pairs that have finished. */
export function reality(runs: readonly ExportedRun[]): string[] {
  return [...pairsByMethod(runs).values()].flatMap(({ judged }) =>
    judged.judged.length === 0 ? [] : judged.reality.sentences,
  );
}

/** Final figures and what they cost, a row for each run. */
export function figuresTable(runs: readonly ExportedRun[]): Table {
  return {
    headings: [
      'Run',
      'Method',
      'Seed',
      'State',
      'Epochs',
      'Top-1',
      'Best top-1',
      'Masked top-1',
      'Loss',
      'Time',
      'Samples seen',
      'Operations',
      'Peak memory',
    ],
    rows: runs.map(({ id, state, summary }) => {
      const last = state.epochs.findLast(({ validation }) => validation !== undefined)?.validation;
      const final = summary?.final ?? last;
      const best = summary?.best ?? bestOf(state.epochs);
      const shown = (value: number | undefined, format: (value: number) => string) =>
        value === undefined ? '–' : format(value);
      return [
        id,
        titleOf(state.start?.method ?? '–'),
        shown(state.start?.seed, String),
        isOver(state) ? state.state : `${state.state}, so far`,
        `${shown(state.epochs.at(-1)?.epoch, String)} of ${shown(state.start?.epochs, String)}`,
        shown(final?.top1, percent),
        best === undefined ? '–' : `${percent(best.top1)} (epoch ${best.epoch})`,
        shown(final?.maskedTop1, percent),
        shown(final?.loss, significant),
        shown(summary?.cost.seconds ?? state.t, duration),
        shown(summary?.cost.images, (value) => value.toLocaleString('en')),
        shown(summary?.cost.flops, operations),
        shown(summary?.cost.peakMemoryBytes, bytes),
      ];
    }),
  };
}

/** What the runner writes into a config for each run, and other keys say. */
const written = ['pair', 'compare.seeds'];

/** The keys in which the configs differ, a column for each run. */
export function configDifferences(runs: readonly ExportedRun[]): Table {
  const configs = runs.map(({ config }) => flattenConfig(config));
  const keys = [...new Set(configs.flatMap((config) => Object.keys(config)))].filter((key) => !written.includes(key));
  const rows = keys
    .map((key) => [key, ...configs.map((config) => (config[key] === undefined ? '–' : String(config[key])))])
    .filter(([, ...values]) => new Set(values).size > 1);
  return { headings: ['Key', ...runs.map(({ id }) => id)], rows };
}

/** What whoever reads the numbers should know. */
export function caveats(runs: readonly ExportedRun[]): string[] {
  const methods = [...pairsByMethod(runs).values()];
  const pairs = methods.flatMap((one) => one.pairs);
  const seeds = new Set(runs.map(({ state }) => state.start?.seed)).size;
  const unequal = pairs.filter((pair) => !pair.sameWeights || !pair.sameBatches);
  const computed = new Set(runs.flatMap(({ state }) => (state.start ? [computesOn(state.start)] : [])));
  const warnings = runs.flatMap(({ id, state }) => state.warnings.map((warning) => `${id}: ${warning}`));
  return [
    ...runs
      .filter(({ state }) => state.state !== 'finished')
      .map((run) => [describeState(run), run.state.end?.message ?? ''].join(' ').trim()),
    seeds === 1 ? 'One seed: how much the result varies from seed to seed is not known.' : '',
    pairs.length > 0 && unequal.length === 0
      ? 'Each method began with the weights of its baseline and saw the same batches: the hashes agree.'
      : '',
    unequal.length > 0
      ? `Initial weights or batches differ within ${listed(
          unequal.map(({ pair }) => pair),
          4,
        )}: no fair comparison.`
      : '',
    pairs.length === 0 && runs.length > 1 ? 'There is no pair of a method and its baseline among these runs.' : '',
    ...costSentences(methods),
    'The best top-1 was chosen on the validation set that it is measured on, so it is too high rather than too low.',
    computed.size > 1 ? `Computed differently, so times and memory do not compare: ${[...computed].join('; ')}.` : '',
    ...(warnings.length > 0 ? [`Warnings of the runs: ${listed(warnings, 6, ' ')}`] : []),
  ].filter((sentence) => sentence !== '');
}

export interface MethodPairs {
  readonly method: string;
  /** The names of its experiments, where there are several. */
  readonly name: string | undefined;
  readonly judged: JudgedSet;
  readonly pairs: readonly PairComparison[];
  readonly members: readonly { readonly baseline: ExportedRun; readonly method: ExportedRun }[];
}

/** The runs of each method with their baselines, seed by seed and each seed once, those of one config together. */
export function pairsByMethod(runs: readonly ExportedRun[]): Map<string, MethodPairs> {
  const experiments = new Set(runs.map(({ experiment }) => experiment));
  const pairs = pairsAmong(runs.map((run) => ({ ...run, of: run, config: flattenConfig(run.config) })));
  return new Map(
    pairSets(pairs).map((set) => {
      const judged = judgeSet(set);
      return [
        set.key,
        {
          method: set.methodName,
          name: experiments.size > 1 ? set.experiments.join(', ') : undefined,
          judged,
          pairs: judged.judged.map(({ comparison }) => comparison),
          members: set.pairs.map(({ runs: [baseline, method] }) => ({ baseline: baseline.of, method: method.of })),
        },
      ];
    }),
  );
}

/** 4.07e11 → "407 GFLOP". */
function operations(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z'];
  const i = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return `${significant(value / 1000 ** i)} ${units[i]}FLOP`;
}

function costSentences(methods: readonly MethodPairs[]): string[] {
  return methods.flatMap(({ method, members }) => {
    const costs = members.flatMap(({ baseline, method: run }) =>
      baseline.summary && run.summary ? [[baseline.summary.cost, run.summary.cost] as const] : [],
    );
    if (costs.length === 0) return [];
    const ratio = (of: 'seconds' | 'flops') => {
      const [a, b] = [0, 1].map((i) => costs.reduce((sum, pair) => sum + (pair[i as 0 | 1][of] ?? 0), 0));
      return significant((b ?? 0) / (a ?? 1));
    };
    return [
      `${titleOf(method)} took ${ratio('seconds')} times the time and ${ratio('flops')} times the operations of its baseline; the verdict is at equal epochs.`,
    ];
  });
}

function bestOf(epochs: ExportedRun['state']['epochs']): { epoch: number; top1: number } | undefined {
  let best: { epoch: number; top1: number } | undefined;
  for (const { epoch, validation } of epochs) {
    if (validation && !(validation.top1 <= (best?.top1 ?? Number.NEGATIVE_INFINITY))) {
      best = { epoch, top1: validation.top1 };
    }
  }
  return best;
}
