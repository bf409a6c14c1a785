/** What the eye finds first: the difference between method and baseline as it stands, in a number and in words. */
import { comparePair, compareSeeds, describePair, describeSeeds, percent, titleOf } from '../src/core/comparison.ts';
import { t } from '../src/core/l10n.ts';
import { isOver } from '../src/core/run.ts';
import { element } from './dom.ts';
import { comparisonsOf, runsOf, type ShownPair } from './state.ts';

export interface Verdict {
  /** The number, without its unit; nothing before there is one. */
  readonly figure?: string;
  readonly unit: string;
  /** Beyond noise or not. */
  readonly clear: boolean;
  readonly sentences: readonly string[];
}

export function verdictOf(pair: ShownPair, pairs: readonly ShownPair[]): Verdict {
  const { baseline, method } = pair;
  if (!baseline || !method) return aloneVerdict(pair);
  const comparison = comparePair(baseline.run, method.run);
  if (!comparison) {
    const none = [baseline, method].some(({ run }) => isOver(run));
    const text = none ? t('There is no epoch at which both runs were validated.') : waitingText(pair);
    return { unit: '', clear: false, sentences: [text] };
  }
  const { difference, noise } = comparison;
  const all = comparisonsOf(pairs.filter(isFinished));
  const name = method.handle.method;
  return {
    figure: `${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(1)}`,
    unit: t('points'),
    clear: Math.abs(difference) >= noise && difference !== 0,
    sentences: [describePair(comparison, name), ...(all.length > 1 ? [describeSeeds(compareSeeds(all), name)] : [])],
  };
}

/** Only then every seed is compared at the same epoch and on all validation samples. */
const isFinished = (pair: ShownPair) => runsOf(pair).every(({ run }) => run.state === 'finished');

export function verdictView(verdict: Verdict): Node[] {
  const { figure, unit, clear, sentences } = verdict;
  const number = element(
    'div',
    { class: `difference${clear ? '' : ' unclear'}`, 'aria-hidden': 'true' },
    element('strong', {}, figure ?? ''),
    element('span', {}, unit),
  );
  const words = sentences.map((sentence) => element('p', {}, sentence.replaceAll(' %', '\u00a0%')));
  return [...(figure === undefined ? [] : [number]), element('div', { class: 'words' }, ...words)];
}

function waitingText(pair: ShownPair): string {
  return runsOf(pair).some(({ run }) => run.start)
    ? t('The difference in accuracy shows here after the first validation of both runs.')
    : t('Loading the engine and the data…');
}

function aloneVerdict(pair: ShownPair): Verdict {
  const [shown] = runsOf(pair);
  const last = shown?.run.epochs.findLast(({ validation }) => validation);
  if (!shown || !last?.validation) return { unit: '', clear: false, sentences: [waitingText(pair)] };
  const title = titleOf(shown.handle.method);
  return {
    figure: (100 * last.validation.top1).toFixed(1),
    unit: '%',
    clear: true,
    sentences: [
      t(
        '{0} classifies {1} right at epoch {2}. It has no baseline to be compared with.',
        title,
        percent(last.validation.top1),
        last.epoch,
      ),
    ],
  };
}
