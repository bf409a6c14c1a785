/** What there is to say of a run, as titled lists of names and values: for the summary page. */
import { computesOn, percent, titleOf } from '../core/comparison.ts';
import { bytes, duration, significant } from '../core/format.ts';
import { t } from '../core/l10n.ts';
import type { RunOutline } from './runOutline.ts';

export interface FactGroup {
  readonly id: string;
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

export function summaryFacts(run: RunOutline): FactGroup[] {
  const groups: FactGroup[] = [
    { id: 'results', title: t('Results'), facts: results(run) },
    { id: 'cost', title: t('Cost'), facts: cost(run) },
    { id: 'about', title: t('What was trained'), facts: about(run) },
    { id: 'hashes', title: t('To tell it apart'), facts: hashes(run) },
  ];
  return groups.filter(({ facts }) => facts.length > 0);
}

type Facts = FactGroup['facts'];

function results({ state, summary }: RunOutline): Facts {
  const newest = state.epochs.findLast(({ validation }) => validation);
  const final = summary?.final ?? newest?.validation;
  const best = summary?.best ?? bestOf(state.epochs);
  const train = summary?.train ?? state.epochs.at(-1)?.train;
  const at = summary?.final || !newest ? '' : t(' (epoch {0})', newest.epoch);
  return [
    ...(final
      ? ([
          [t('Top-1, validation') + at, t('{0} of {1} samples', percent(final.top1), count(final.samples))],
          [t('Loss, validation') + at, significant(final.loss)],
        ] satisfies Facts)
      : []),
    ...(final?.maskedTop1 === undefined ? [] : [[t('Top-1, masked inputs') + at, percent(final.maskedTop1)] as const]),
    ...(best ? [[t('Best top-1'), t('{0}, epoch {1}', percent(best.top1), best.epoch)] as const] : []),
    ...(train
      ? ([
          [t('Top-1, training'), percent(train.top1)],
          [t('Loss, training'), significant(train.loss)],
        ] satisfies Facts)
      : []),
  ];
}

function bestOf(epochs: RunOutline['state']['epochs']) {
  const validated = epochs.flatMap(({ epoch, validation }) => (validation ? [{ epoch, top1: validation.top1 }] : []));
  return validated.sort((a, b) => b.top1 - a.top1)[0];
}

function cost({ state, summary }: RunOutline): Facts {
  const { start } = state;
  const reached = summary ?? { epochs: state.epochs.at(-1)?.epoch ?? 0 };
  const epochs = start ? t('{0} of {1}', count(Math.floor(reached.epochs)), count(start.epochs)) : '';
  return [
    ...(epochs ? [[t('Epochs'), epochs] as const] : []),
    [t('Time'), duration(summary?.cost.seconds ?? state.t)],
    ...(summary
      ? ([
          [t('Processor time'), duration(summary.cost.cpuSeconds)],
          [t('Samples seen'), count(summary.cost.images)],
          [t('Compute'), `${significant(summary.cost.flops)} FLOP`],
          [t('Peak memory'), bytes(summary.cost.peakMemoryBytes)],
        ] satisfies Facts)
      : []),
  ];
}

function about({ state: { start } }: RunOutline): Facts {
  if (!start) return [];
  return [
    [t('Method'), titleOf(start.method)],
    [t('Model'), t('{0}, {1} parameters', start.model, count(start.parameters))],
    [t('Data set'), titleOf(start.dataset)],
    [t('Seed'), String(start.seed)],
    [t('Computed on'), computesOn(start)],
    [t('Begun'), new Date(start.at).toLocaleString()],
    ...(start.attempt > 0 ? [[t('Attempt'), String(start.attempt + 1)] as const] : []),
  ];
}

function hashes({ id, folder, state: { start } }: RunOutline): Facts {
  return [
    [t('Run id'), id],
    ...(start?.pair === undefined ? [] : [[t('Pair'), start.pair] as const]),
    ...(start
      ? ([
          [t('Initial weights'), start.initHash],
          [t('First batches'), start.batchHash],
          [t('Data'), start.dataHash],
        ] satisfies Facts)
      : []),
    [t('Folder'), folder],
  ];
}

const count = (value: number) => value.toLocaleString('en');
