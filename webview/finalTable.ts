/** What a pair came to: the two runs side by side, once both are over. */
import { titleOf } from '../src/core/comparison.ts';
import type { Summary } from '../src/core/events.ts';
import { bytes, duration, significant } from '../src/core/format.ts';
import { t } from '../src/core/l10n.ts';
import { isOver } from '../src/core/run.ts';
import { withPrefix } from './charts/ticks.ts';
import { element } from './dom.ts';
import { runsOf, type ShownPair } from './state.ts';

interface Row {
  readonly label: string;
  /** How it was computed. */
  readonly how: string;
  readonly value: (summary: Summary) => string | undefined;
}

const percentage = (fraction: number | undefined) =>
  fraction === undefined ? undefined : `${(100 * fraction).toFixed(2)} %`;

const rows: readonly Row[] = [
  {
    label: t('Accuracy'),
    how: t('top-1'),
    value: ({ final }) => percentage(final?.top1),
  },
  {
    label: t('Masked accuracy'),
    how: t('with patches hidden'),
    value: ({ final }) => percentage(final?.maskedTop1),
  },
  { label: t('Validation loss'), how: t('cross-entropy'), value: ({ final }) => final && significant(final.loss, 4) },
  {
    label: t('Best on the way'),
    how: t('top-1, and its epoch'),
    value: ({ best }) => best && `${(100 * best.top1).toFixed(2)} % (${best.epoch})`,
  },
  {
    label: t('Training accuracy'),
    how: t('top-1, last epoch, augmented'),
    value: ({ train }) => percentage(train?.top1),
  },
  { label: t('Time'), how: t('wall clock'), value: ({ cost }) => duration(cost.seconds) },
  {
    label: t('Compute'),
    how: t('operations, analytic'),
    value: ({ cost }) => `${withPrefix(cost.flops)}FLOP`,
  },
  { label: t('Samples seen'), how: t('with repeats'), value: ({ cost }) => cost.images.toLocaleString('en') },
  { label: t('Peak memory'), how: t('of the process'), value: ({ cost }) => bytes(cost.peakMemoryBytes) },
];

/** The table, or nothing while a run goes on or where none has a summary. */
export function finalTable(pair: ShownPair): HTMLElement[] {
  const shown = runsOf(pair);
  const summaries = shown.map(({ run }) => run.end?.summary);
  if (!shown.every(({ run }) => isOver(run)) || !summaries.some(Boolean)) return [];
  const cells = rows
    .map((row) => ({ ...row, values: summaries.map((summary) => summary && row.value(summary)) }))
    .filter(({ values }) => values.some((value) => value !== undefined));
  const head = shown.map(({ handle }) => element('th', { scope: 'col' }, titleOf(handle.method)));
  return [
    element(
      'section',
      { id: 'result' },
      element('h2', { id: 'result-title' }, caption(summaries)),
      element(
        'table',
        { 'aria-labelledby': 'result-title' },
        element('thead', {}, element('tr', {}, element('td', {}), ...head)),
        element(
          'tbody',
          {},
          ...cells.map(({ label, how, values }) =>
            element(
              'tr',
              {},
              element('th', { scope: 'row' }, label, element('small', {}, how)),
              ...values.map((value) => element('td', {}, value ?? '–')),
            ),
          ),
        ),
      ),
    ),
  ];
}

function caption(summaries: readonly (Summary | undefined)[]): string {
  const samples = [
    ...new Set(summaries.map((summary) => summary?.final?.samples).filter((count) => count !== undefined)),
  ];
  const [first] = samples;
  if (first === undefined) return t('Result (ended before the first validation)');
  return samples.length === 1
    ? t('Result (last validation, {0} samples; one seed)', first.toLocaleString('en'))
    : t('Result (last validation; one seed)');
}
