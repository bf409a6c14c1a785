/** Pairs of one config over seeds: what a paired test may take together, also where they were trained at different times. */
import { comparePair, type PairComparison } from './comparison.ts';
import type { FlatConfig } from './flatten.ts';
import type { RunState } from './run.ts';
import { isItReal, type Reality } from './significance.ts';

export interface SeedPair {
  readonly key: string;
  /** Id of its experiment, and the name that its config gives it. */
  readonly experiment: string;
  readonly name: string;
  readonly methodName: string;
  readonly seed: number;
  readonly baseline: RunState;
  readonly method: RunState;
  /** The method's; without it only pairs of one experiment are taken together. */
  readonly config?: FlatConfig | undefined;
}

export interface PairSet<P extends SeedPair = SeedPair> {
  readonly key: string;
  readonly name: string;
  readonly methodName: string;
  readonly experiments: readonly string[];
  /** By seed, each once. */
  readonly pairs: readonly P[];
  /** Pairs left out because another has their seed: the same draws twice are no further evidence. */
  readonly repeated: number;
}

export interface JudgedPair {
  readonly pair: SeedPair;
  readonly comparison: PairComparison;
  readonly isFinished: boolean;
}

export interface JudgedSet {
  readonly reality: Reality;
  /** Where each pair that was validated stands; only those that are finished were tested. */
  readonly judged: readonly JudgedPair[];
}

/**
 * Keys of a config that differ between seeds and repetitions of one experiment, or don't change what is computed. The hash of the data
 * is none of them: other data at the same path are another experiment.
 */
export const isAside = (key: string) =>
  /^(name|pair|train\.seed|compare(\..*)?|run\.(?!precision$).*|versions(\..*)?|machine(\..*)?)$/.test(key);

/** What pairing needs of a run. */
export interface PairableRun {
  readonly folder: string;
  readonly experiment: string;
  readonly state: RunState;
  readonly config?: FlatConfig | undefined;
}

/** Each method's run with the baseline of its `pair`, that of the same folder where copies lie in others; a run alone has none. */
export function pairsAmong<R extends PairableRun>(
  runs: readonly R[],
): (SeedPair & { readonly runs: readonly [R, R] })[] {
  const baselines = new Map<string, R[]>();
  for (const run of runs) {
    const key = keyOf(run);
    if (run.state.start?.role === 'baseline' && key !== undefined)
      baselines.set(key, [...(baselines.get(key) ?? []), run]);
  }
  return runs.flatMap((run) => {
    const { start } = run.state;
    const candidates = baselines.get(keyOf(run) ?? '') ?? [];
    const baseline = candidates.find(({ folder }) => parentOf(folder) === parentOf(run.folder)) ?? candidates[0];
    if (start?.role !== 'method' || !baseline) return [];
    return [
      {
        key: start.pair ?? run.state.id,
        experiment: run.experiment,
        name: start.name,
        methodName: start.method,
        seed: start.seed,
        baseline: baseline.state,
        method: run.state,
        config: run.config && Object.keys(run.config).length > 0 ? run.config : undefined,
        runs: [baseline, run] as const,
      },
    ];
  });
}

/** The pairs by what their configs have in common, in the order of the first of each. */
export function pairSets<P extends SeedPair>(pairs: readonly P[]): PairSet<P>[] {
  const sets = new Map<string, P[]>();
  for (const pair of pairs) {
    const key = JSON.stringify([pair.methodName, pair.config ? signatureOf(pair.config) : pair.experiment]);
    sets.set(key, [...(sets.get(key) ?? []), pair]);
  }
  return [...sets].flatMap(([key, members]) => {
    const [first] = members;
    if (!first) return [];
    const bySeed = new Map<number, P>();
    for (const pair of members) {
      const other = bySeed.get(pair.seed);
      if (!other || isPreferred(pair, other)) bySeed.set(pair.seed, pair);
    }
    return [
      {
        key,
        name: first.name,
        methodName: first.methodName,
        experiments: [...new Set(members.map(({ experiment }) => experiment))],
        pairs: [...bySeed.values()].sort((a, b) => a.seed - b.seed),
        repeated: members.length - bySeed.size,
      },
    ];
  });
}

/** Tests the finished pairs of a set. */
export function judgeSet({ pairs }: Pick<PairSet, 'pairs'>): JudgedSet {
  const judged = pairs.flatMap((pair) => {
    const comparison = comparePair(pair.baseline, pair.method);
    return comparison ? [{ pair, comparison, isFinished: isFinished(pair) }] : [];
  });
  const finished = judged.filter((one) => one.isFinished);
  const reality = isItReal(
    finished.map(({ comparison }) => comparison.difference),
    {
      unfinished: pairs.filter((pair) => !isFinished(pair)).length,
      ...(finished[0] && finished.length === 1 ? { noise: finished[0].comparison.noise } : {}),
    },
  );
  return { reality, judged };
}

/** Both at their end: every seed is then compared at the same epoch. */
export const isFinished = ({ baseline, method }: Pick<SeedPair, 'baseline' | 'method'>) =>
  baseline.state === 'finished' && method.state === 'finished';

const parentOf = (folder: string) => folder.replace(/[/\\][^/\\]*$/, '');

function keyOf({ experiment, state: { start } }: PairableRun): string | undefined {
  return start?.pair === undefined ? undefined : JSON.stringify([experiment, start.pair, start.seed]);
}

function signatureOf(config: FlatConfig): string {
  const keys = Object.keys(config).filter((key) => !isAside(key));
  return JSON.stringify(keys.sort().map((key) => [key, config[key]]));
}

/** A finished one before one that is not, then the later. */
function isPreferred(pair: SeedPair, other: SeedPair): boolean {
  if (isFinished(pair) !== isFinished(other)) return isFinished(pair);
  return (pair.method.start?.at ?? '') > (other.method.start?.at ?? '');
}
