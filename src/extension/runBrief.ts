/** Runs as compact English text for a language model: each with its numbers, and pairs with their difference. */
import { describePair, percent, titleOf } from '../core/comparison.ts';
import { experimentOf } from '../core/experiment.ts';
import { flattenConfig } from '../core/flatten.ts';
import { duration, significant } from '../core/format.ts';
import { judgeSet, pairSets, pairsAmong } from '../core/pairSets.ts';
import type { RunOutline } from './runOutline.ts';

/** So many epochs of a run are told, evenly chosen, first and last among them. */
const MOST_EPOCHS = 12;

/** One run: what it is, how it stands, what it came to. */
export function briefOf({ id, folder, state, summary, config }: RunOutline): string {
  const { start, end, epochs, warnings } = state;
  const lines = [
    `run ${id}`,
    `state: ${state.state}${end ? ` (${end.message})` : ''}`,
    ...(start
      ? [
          `method: ${titleOf(start.method)} (${start.role}), model: ${start.model}, ${start.parameters} parameters, data set: ${start.dataset}, seed: ${start.seed}`,
          `progress: epoch ${summary?.epochs ?? epochs.at(-1)?.epoch ?? 0} of ${start.epochs}, ${duration(state.t)} so far`,
        ]
      : ['It has not begun to train.']),
    ...(summary?.final
      ? [
          `final validation: top-1 ${percent(summary.final.top1)}, loss ${significant(summary.final.loss)}, ${summary.final.samples} samples${summary.final.maskedTop1 === undefined ? '' : `, masked inputs top-1 ${percent(summary.final.maskedTop1)}`}`,
        ]
      : []),
    ...(summary
      ? [
          `cost: ${duration(summary.cost.seconds)}, ${significant(summary.cost.flops)} FLOP, ${summary.cost.images} samples seen`,
        ]
      : []),
    ...(epochs.length > 0
      ? ['epoch: training loss, training top-1, validation loss, validation top-1', ...some(epochs).map(epochLine)]
      : []),
    ...(warnings.length > 0
      ? [`warnings (${warnings.length}): ${warnings.slice(0, 5).join(' | ').slice(0, 1000)}`]
      : []),
    ...(start?.role === 'method'
      ? [`method config: ${JSON.stringify(field(config, 'method') ?? {}).slice(0, 500)}`]
      : []),
    `folder: ${folder}`,
  ];
  return lines.join('\n');
}

function epochLine({ epoch, train, validation }: RunOutline['state']['epochs'][number]): string {
  const told = validation ? `${significant(validation.loss)}, ${percent(validation.top1)}` : '–, –';
  return `${epoch}: ${significant(train.loss)}, ${percent(train.top1)}, ${told}`;
}

function some<T>(all: readonly T[]): T[] {
  if (all.length <= MOST_EPOCHS) return [...all];
  const step = (all.length - 1) / (MOST_EPOCHS - 1);
  return Array.from({ length: MOST_EPOCHS }, (_, i) => all[Math.round(i * step)]).filter((one) => one !== undefined);
}

/** Several runs: a row each, then for each config its pairs, a seed once, and whether the effect is real. */
export function compareBrief(runs: readonly RunOutline[]): string {
  const rows = runs.map(({ id, state, summary }) => {
    const newest = summary?.final ?? state.epochs.findLast(({ validation }) => validation)?.validation;
    const cost = summary ? `, ${significant(summary.cost.flops)} FLOP` : '';
    return `${id} | ${titleOf(state.start?.method ?? '?')} | seed ${state.start?.seed ?? '?'} | ${state.state} | top-1 ${newest ? percent(newest.top1) : '–'} | ${duration(summary?.cost.seconds ?? state.t)}${cost}`;
  });
  const pairs = pairsAmong(
    runs.map(({ id, folder, state, config }) => ({
      folder,
      experiment: experimentOf({ id, pair: state.start?.pair }),
      state,
      config: flattenConfig(config),
    })),
  );
  const sets = pairSets(pairs)
    .map((set) => ({ ...set, ...judgeSet(set) }))
    .filter(({ judged }) => judged.length > 0);
  const said = sets.flatMap(({ methodName, experiments, judged, reality: { verdict, sentences }, repeated }) => {
    const title = [titleOf(methodName), ...(sets.length > 1 ? [`of ${experiments.join(', ')}`] : [])].join(' ');
    return [
      ...judged.map(
        ({ comparison }) =>
          `seed ${comparison.seed}: ${describePair(comparison, methodName)}${proof(comparison)}${sets.length > 1 ? ` (${comparison.pair})` : ''}`,
      ),
      `Is it real (${title}, paired over seeds)? ${verdict}. ${sentences.join(' ')}`,
      ...(repeated > 0 ? [`${repeated} more of these pairs repeat a seed and are left out.`] : []),
    ];
  });
  const none =
    'No baseline and method of one pair are among these runs with a common validated epoch, so no difference is told.';
  return ['run | method | seed | state | validation | cost', ...rows, '', ...(said.length > 0 ? said : [none])].join(
    '\n',
  );
}

function proof(pair: { readonly sameWeights: boolean; readonly sameBatches: boolean }): string {
  if (pair.sameWeights && pair.sameBatches) return '';
  return ' Caution: the two did not start from the same weights and batches.';
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
