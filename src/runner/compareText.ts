/** A comparison as text for the terminal, and as the JSON of `masksub compare --json`. */
import { type ComparedAxis, comparedAxes, differenceOver, levelRows, type Point, pointsOf } from '../core/comparing.ts';
import { percent, titleOf } from '../core/comparison.ts';
import { configValue, type FlatConfig } from '../core/flatten.ts';
import { duration, significant } from '../core/format.ts';
import { judgeSet, type PairSet, type SeedPair } from '../core/pairSets.ts';
import { ALPHA, points, type Verdict } from '../core/significance.ts';
import { mean, standardDeviation } from '../core/statistics.ts';
import { table } from './table.ts';

export interface RunGroupRow {
  readonly value: string | number | boolean | null;
  readonly method: string;
  readonly runs: number;
  /** Those with a validation; mean and deviation are over their last. */
  readonly validated: number;
  readonly top1: number;
  readonly deviation: number;
}

const verdicts: Readonly<Record<Verdict, string>> = {
  better: 'Yes.',
  worse: 'Yes, but for the worse.',
  'not yet': 'Not yet.',
  'no difference': 'There is no difference.',
};
const axisTitles: Readonly<Record<ComparedAxis, string>> = {
  epoch: 'at equal epochs',
  time: 'at equal time',
  flops: 'at equal compute',
};

/** A set of pairs as JSON. */
export function setReport(set: PairSet) {
  const { reality, judged } = judgeSet(set);
  return {
    name: set.name,
    method: set.methodName,
    experiments: set.experiments,
    repeatedSeeds: set.repeated,
    isItReal: reality,
    pairs: set.pairs.map((pair) => ({
      pair: pair.key,
      seed: pair.seed,
      baseline: pair.baseline.id,
      method: pair.method.id,
      isFinished: judged.find((one) => one.pair === pair)?.isFinished ?? false,
      comparison: judged.find((one) => one.pair === pair)?.comparison ?? null,
      /** Of top-1, in points, where both last have data. */
      difference: Object.fromEntries(comparedAxes.map((axis) => [axis, lastDifference(pair, axis) ?? null])),
    })),
    levels: levelRows(set.pairs),
  };
}

/** A set of pairs for a person. */
export function setLines(set: PairSet, comparisons: number): string[] {
  const { reality } = judgeSet(set);
  const seeds = set.pairs.map(({ seed }) => seed).join(', ');
  return [
    `${plain(set.name)}: ${plain(titleOf(set.methodName))} against its baseline, ${set.pairs.length === 1 ? 'seed' : 'seeds'} ${seeds}` +
      (set.experiments.length > 1 ? `, of ${set.experiments.length} experiments` : ''),
    ...(set.repeated > 0 ? [`${set.repeated} more of a seed that is here already left out.`] : []),
    '',
    `Is it real? ${verdicts[reality.verdict]}`,
    ...reality.sentences.map((sentence) => `  ${sentence}`),
    ...(comparisons > 1 && reality.test.n > 1
      ? [
          `  This is one of ${comparisons} comparisons: to allow for looking at all of them, ask for p < ${significant(ALPHA / comparisons, 2)}.`,
        ]
      : []),
    '',
    'Difference in validation accuracy, in points, where both last have data (the baseline interpolated linearly)',
    differenceTable(set.pairs),
    ...levelLines(set.pairs),
  ];
}

export function groupLines(key: string, groups: readonly RunGroupRow[]): string[] {
  const rows = groups.map(({ value, method, runs, validated, top1, deviation }) => [
    value === null ? '–' : plain(String(value)),
    plain(titleOf(method)),
    validated === runs ? String(runs) : `${validated} of ${runs}`,
    validated === 0 ? '–' : percent(top1),
    Number.isNaN(deviation) ? '–' : `± ${(100 * deviation).toFixed(2)}`,
  ]);
  return [
    `By ${plain(key)} (top-1 of the last validation: mean and sample standard deviation)`,
    table([plain(key), 'method', 'runs', 'top-1', 'deviation'], rows),
  ];
}

/** The keys in which the configs differ, with a column for each different set of values. */
export function configLines(
  runs: readonly { readonly id: string; readonly config: FlatConfig }[],
  keys: readonly string[],
): string[] {
  if (keys.length === 0) return ['The configs differ in nothing but seeds, names and where they ran.'];
  const columns = new Map<string, { readonly config: FlatConfig; readonly ids: string[] }>();
  for (const { id, config } of runs) {
    const values = JSON.stringify(keys.map((key) => configValue(config, key) ?? null));
    const column = columns.get(values);
    if (column) column.ids.push(id);
    else columns.set(values, { config, ids: [id] });
  }
  const all = [...columns.values()];
  const rows = keys.map((key) => [plain(key), ...all.map(({ config }) => short(configValue(config, key)))]);
  return [
    'The configs differ in',
    table(['key', ...all.map((_column, i) => letter(i))], rows),
    ...all.map(({ ids }, i) => `${letter(i)}: ${ids.map(plain).join(', ')}`),
  ];
}

function differenceTable(pairs: readonly SeedPair[]): string {
  const found = pairs.map((pair) => comparedAxes.map((axis) => lastDifference(pair, axis)));
  const rows = pairs.map((pair, i) => [
    String(pair.seed),
    pair.method.state === pair.baseline.state
      ? pair.method.state
      : `${pair.method.state}, baseline ${pair.baseline.state}`,
    ...comparedAxes.map((axis, at) => {
      const last = found[i]?.[at];
      return last ? `${points(last.y)} (${placed(axis, last.x)})` : '–';
    }),
  ]);
  const summary = comparedAxes.map((_axis, at) => {
    const values = found.map((differences) => differences[at]?.y).filter((value) => value !== undefined);
    return values.length < 2
      ? '–'
      : `${points(mean(values))} ± ${standardDeviation(values).toFixed(2)} (${values.length})`;
  });
  return table(
    ['seed', 'state', ...comparedAxes.map((axis) => axisTitles[axis])],
    pairs.length > 1 ? [...rows, ['mean', '', ...summary]] : rows,
  );
}

function levelLines(pairs: readonly SeedPair[]): string[] {
  const levels = levelRows(pairs);
  if (levels.length === 0) return [];
  const rows = levels.map(({ level, both, reach }) => [
    `${Math.round(100 * level)} %`,
    ...comparedAxes.map((axis) =>
      reach
        ? `${placed(axis, reach[axis].baseline)} → ${placed(axis, reach[axis].method)} (×${significant(reach[axis].ratio)})`
        : '–',
    ),
    `${both} of ${pairs.length}`,
  ]);
  return [
    '',
    'First validation with this accuracy: baseline → method, means over the pairs where both reach it (× above 1: the method needs less)',
    table(['level', 'epochs', 'time', 'compute', 'pairs'], rows),
  ];
}

/** In points, at the last x that both have. */
function lastDifference({ baseline, method }: SeedPair, axis: ComparedAxis): Point | undefined {
  const difference = differenceOver(pointsOf(baseline, 'top1', axis), pointsOf(method, 'top1', axis));
  const last = difference.at(-1);
  return last && { x: last.x, y: 100 * last.y };
}

function placed(axis: ComparedAxis, x: number): string {
  if (axis === 'time') return duration(x);
  return axis === 'epoch' ? `epoch ${Number(x.toFixed(1))}` : `${significant(x / 1e12)} TFLOP`;
}

function short(value: string | number | boolean | undefined): string {
  if (value === undefined) return '–';
  const text = plain(String(value));
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

const letter = (i: number) => (i < 26 ? String.fromCharCode(65 + i) : String(i + 1));
/** What comes from a file cannot steer the terminal. */
const plain = (text: string) => text.replaceAll(/\p{Cc}/gu, '�');
