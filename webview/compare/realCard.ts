/** The card `Is it real?`: the verdict in a word, why, and the interval of the mean difference with the seeds as dots. */
import { percent, titleOf } from '../../src/core/comparison.ts';
import { significant } from '../../src/core/format.ts';
import { t } from '../../src/core/l10n.ts';
import type { JudgedPair, JudgedSet, PairSet } from '../../src/core/pairSets.ts';
import { ALPHA, points, pText, type Reality, type Verdict } from '../../src/core/significance.ts';
import { linearTicks, yLabels } from '../charts/ticks.ts';
import { element } from '../dom.ts';
import { stacked } from './model.ts';

/** `comparisons`: how many the page offers; whoever looks through many finds one by chance. */
export function realCard(set: PairSet, { reality, judged }: JudgedSet, comparisons: number): Node[] {
  const { verdict, sentences } = reality;
  const [first, ...more] = sentences;
  return [
    element(
      'div',
      { class: `verdict-word ${verdict.replace(' ', '-')}` },
      element('strong', {}, wordOf(verdict)),
      element('span', {}, t('{0} against its baseline', titleOf(set.methodName))),
    ),
    element(
      'div',
      { class: 'reasons' },
      ...(first === undefined ? [] : [element('p', {}, first)]),
      ...(reality.test.n === 0 ? judged : []).map((one) => element('p', { class: 'more' }, soFarText(one))),
      ...more.map((sentence) => element('p', { class: 'more' }, sentence)),
      ...(comparisons > 1 && reality.test.n > 1 ? [element('p', { class: 'more' }, manyText(comparisons))] : []),
      ...(set.repeated > 0 ? [element('p', { class: 'more' }, repeatedText(set.repeated))] : []),
      ...(set.experiments.length > 1
        ? [
            element(
              'p',
              { class: 'more' },
              t(
                'Seeds of {0} experiments with the same config: {1}.',
                set.experiments.length,
                set.experiments.join(', '),
              ),
            ),
          ]
        : []),
    ),
    ...(judged.length > 0 ? [intervalDrawing(reality, judged), facts(reality)] : []),
  ];
}

function wordOf(verdict: Verdict): string {
  switch (verdict) {
    case 'better':
      return t('Yes');
    case 'worse':
      return t('Yes, worse');
    case 'not yet':
      return t('Not yet');
    case 'no difference':
      return t('No difference');
  }
}

/** Bonferroni's correction. */
const manyText = (comparisons: number) =>
  t(
    'This is one of {0} comparisons shown: to allow for looking at all of them, ask for p < {1}.',
    comparisons,
    significant(ALPHA / comparisons, 2),
  );

const soFarText = ({ comparison: { seed, difference, epoch, noise } }: JudgedPair) =>
  t(
    'So far, seed {0}: {1} points at epoch {2}; sampling noise of the validation set ±{3}.',
    seed,
    points(difference),
    epoch,
    noise.toFixed(2),
  );

function repeatedText(count: number): string {
  return count === 1
    ? t('1 pair with a seed that is here already is left out: the same draws again are no evidence.')
    : t('{0} pairs with seeds that are here already are left out: the same draws again are no evidence.', count);
}

/** The numbers once more, to be found at a glance. */
function facts({ test, needed, more }: Reality): HTMLElement {
  const entries: [string, string][] = [
    [t('Mean difference'), Number.isNaN(test.mean) ? '–' : t('{0} points', points(test.mean))],
    [t('Seeds finished'), String(test.n)],
    [t('p, two-sided'), Number.isNaN(test.p) ? '–' : pText(test.p)],
    [t('Effect, dz'), Number.isNaN(test.effect) ? '–' : points(test.effect)],
    [t('More seeds needed'), more === undefined || needed === undefined ? '–' : String(more)],
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...entries.map(([label, value]) => element('div', {}, element('dt', {}, label), element('dd', {}, value))),
  );
}

/** Zero, the 95 % interval, the mean, and a dot for each seed, on one line of points. */
function intervalDrawing({ test }: Reality, judged: JudgedSet['judged']): HTMLElement {
  const hasInterval = Number.isFinite(test.low) && test.high > test.low;
  const values = [
    0,
    ...judged.map(({ comparison }) => comparison.difference),
    ...(hasInterval ? [test.low, test.high] : []),
  ];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.08 * (high - low) || 1;
  const [from, to] = [low - room, high + room];
  const at = (value: number) => `${((100 * (value - from)) / (to - from)).toFixed(2)}%`;
  const placed = (className: string, value: number, title?: string) => {
    const made = element('span', { class: className, title });
    made.style.left = at(value);
    return made;
  };
  const ticks = linearTicks(from, to, 5);
  const labels = yLabels(ticks, false);
  const bar = placed('interval', test.low);
  bar.style.width = `${((100 * (test.high - test.low)) / (to - from)).toFixed(2)}%`;
  const heights = stacked(judged.map(({ comparison }) => (comparison.difference - from) / (to - from)));
  const dots = judged.map(({ pair, comparison, isFinished }, i) => {
    const { difference, method, baseline } = comparison;
    const text = t(
      'Seed {0}: {1} points ({2} against {3})',
      pair.seed,
      points(difference),
      percent(method),
      percent(baseline),
    );
    const dot = placed(
      isFinished ? 'dot' : 'dot unfinished',
      difference,
      isFinished ? text : t('{0}, not finished', text),
    );
    dot.style.bottom = `${5 + 7 * (heights[i] ?? 0)}px`;
    return dot;
  });
  return element(
    'div',
    { class: 'drawing' },
    element(
      'div',
      { class: 'track', role: 'img', 'aria-label': spoken(test, hasInterval, judged) },
      placed('zero', 0),
      ...(hasInterval ? [bar, placed('mean', test.mean)] : []),
      ...dots,
      ...ticks.map((tick, i) => {
        const label = placed('tick', tick);
        label.textContent = labels[i] ?? '';
        return label;
      }),
    ),
    element('p', { class: 'key' }, keyText(hasInterval, judged)),
  );
}

function keyText(hasInterval: boolean, judged: JudgedSet['judged']): string {
  const parts = [
    ...(hasInterval ? [t('bar: 95 % interval of the mean')] : []),
    t('dot: a seed'),
    ...(judged.some(({ isFinished }) => !isFinished) ? [t('hollow: not finished')] : []),
  ];
  return t('Difference in validation accuracy, points; {0}', parts.join(', '));
}

function spoken({ mean, low, high }: Reality['test'], hasInterval: boolean, judged: JudgedSet['judged']): string {
  const seeds = judged
    .map(({ pair, comparison }) => t('seed {0}: {1}', pair.seed, points(comparison.difference)))
    .join(', ');
  return hasInterval
    ? t('Mean difference {0} points, 95 % interval {1} to {2}; {3}', points(mean), points(low), points(high), seeds)
    : t('Difference in points; {0}', seeds);
}
