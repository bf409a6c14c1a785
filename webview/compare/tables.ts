/** The tables of the page Compare: what each level of accuracy costs, groups of runs, and the numbers of the chart. */
import { type BandPoint, type ComparedAxis, comparedAxes, type LevelRow, valueAt } from '../../src/core/comparing.ts';
import { titleOf } from '../../src/core/comparison.ts';
import { duration, significant } from '../../src/core/format.ts';
import { t } from '../../src/core/l10n.ts';
import { withPrefix } from '../charts/ticks.ts';
import { element } from '../dom.ts';
import { type DifferenceView, type GroupRow, METHOD_KEY } from './model.ts';

/** Most rows of the chart's table; more of them are thinned evenly. */
const MOST_ROWS = 200;

export function levelsTable(rows: readonly LevelRow[], methodName: string): HTMLElement {
  const method = titleOf(methodName);
  const group = (axis: ComparedAxis) => element('th', { scope: 'colgroup', colspan: 3 }, costTitle(axis));
  const heads = comparedAxes.flatMap(() => [
    element('th', { scope: 'col', class: 'group' }, t('Baseline')),
    element('th', { scope: 'col' }, method),
    element('th', { scope: 'col' }, t('Ratio')),
  ]);
  return element(
    'table',
    { class: 'numbers levels', 'aria-labelledby': 'levels-title' },
    element(
      'thead',
      {},
      element('tr', {}, element('td', {}), ...comparedAxes.map(group), element('td', {})),
      element(
        'tr',
        {},
        element('th', { scope: 'col', class: 'text' }, t('Accuracy')),
        ...heads,
        element('th', { scope: 'col' }, t('Pairs')),
      ),
    ),
    element('tbody', {}, ...rows.map(levelRow)),
  );
}

function levelRow({ level, reach, both, pairs }: LevelRow): HTMLElement {
  const cells = comparedAxes.flatMap((axis) => {
    const found = reach?.[axis];
    if (!found) return [element('td', { class: 'group' }, '–'), element('td', {}, '–'), element('td', {}, '–')];
    const isSaved = found.ratio >= 1.005;
    return [
      element('td', { class: 'group' }, costText(axis, found.baseline)),
      element('td', {}, costText(axis, found.method)),
      element(
        'td',
        { class: isSaved ? 'ratio saved' : 'ratio' },
        Number.isNaN(found.ratio) ? '–' : `×${found.ratio.toFixed(2)}`,
      ),
    ];
  });
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, `${Math.round(100 * level)}\u00a0%`),
    ...cells,
    element('td', { class: 'group' }, both === pairs ? String(pairs) : t('{0} of {1}', both, pairs)),
  );
}

function costTitle(axis: ComparedAxis): string {
  switch (axis) {
    case 'epoch':
      return t('Epochs');
    case 'time':
      return t('Time');
    case 'flops':
      return t('Compute');
  }
}

/** A place on an axis as tables say it. */
export function costText(axis: ComparedAxis, x: number): string {
  switch (axis) {
    case 'epoch':
      return String(Number(x.toFixed(1)));
    case 'time':
      return duration(x);
    case 'flops':
      return Number.isFinite(x) ? `${withPrefix(x)}FLOP` : '–';
  }
}

export function groupsTable(rows: readonly GroupRow[], key: string): HTMLElement {
  const best = Math.max(...rows.filter(({ validated }) => validated > 0).map(({ top1 }) => top1));
  const isByMethod = key === METHOD_KEY;
  const labels = [t('Runs'), t('Accuracy'), t('Deviation'), t('To baseline, points'), t('Deviation')];
  return element(
    'table',
    { class: 'numbers groups', 'aria-labelledby': 'groups-title' },
    element(
      'thead',
      {},
      element('tr', {}, ...[key, ...(isByMethod ? [] : [t('Method')])].map(textHead), ...labels.map(head)),
    ),
    element(
      'tbody',
      {},
      ...rows.map((row) =>
        element(
          'tr',
          { class: row.top1 === best ? 'best' : undefined },
          element('th', { scope: 'row' }, groupName(row, isByMethod)),
          ...(isByMethod ? [] : [element('td', { class: 'text' }, titleOf(row.methodName))]),
          cell(row.validated === row.runs ? String(row.runs) : t('{0} of {1}', row.validated, row.runs)),
          cell(row.validated === 0 ? '–' : `${(100 * row.top1).toFixed(2)}\u00a0%`),
          cell(spread(100 * row.deviation)),
          cell(row.differences === 0 ? '–' : signed({ isAccuracy: true }, row.difference)),
          cell(spread(row.differenceDeviation)),
        ),
      ),
    ),
  );
}

function groupName({ value, methodName }: GroupRow, isByMethod: boolean): string {
  if (isByMethod) return titleOf(methodName);
  return value === undefined ? t('not set') : shortened(String(value));
}

const spread = (deviation: number) => (Number.isNaN(deviation) ? '–' : `± ${deviation.toFixed(2)}`);

/** The numbers of the chart: mean, deviation and count, and each seed. */
export function differenceTable(view: DifferenceView, axis: ComparedAxis, title: string): HTMLElement {
  const every = Math.ceil(view.band.length / MOST_ROWS);
  const shown = view.band.filter((_point, i) => (view.band.length - 1 - i) % every === 0);
  const rows = every > 1 ? t('{0}: {1} of {2} rows', title, shown.length, view.band.length) : title;
  const caption = axis === 'epoch' ? rows : t('{0}; seeds between their validations interpolated', rows);
  const heads = [t('Mean'), t('Deviation'), t('Seeds'), ...view.seeds.map(({ seed }) => t('Seed {0}', seed))];
  const row = ({ x, mean, deviation, count }: BandPoint) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, costText(axis, x)),
      ...[signed(view, mean), Number.isNaN(deviation) ? '–' : `± ${amount(view, deviation)}`, String(count)].map(cell),
      ...view.seeds.map(({ points }) => {
        const value = valueAt(points, x);
        return cell(value === undefined ? '–' : signed(view, value));
      }),
    );
  return element(
    'table',
    { class: 'numbers' },
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, textHead(costTitle(axis)), ...heads.map(head))),
    element('tbody', {}, ...shown.map(row)),
  );
}

/** A difference with its sign: points with two decimals, losses with three significant digits. */
export function signed(view: Pick<DifferenceView, 'isAccuracy'>, value: number): string {
  return `${value < 0 ? '−' : '+'}${amount(view, Math.abs(value))}`;
}

export function amount({ isAccuracy }: Pick<DifferenceView, 'isAccuracy'>, value: number): string {
  return isAccuracy ? value.toFixed(2) : significant(value);
}

const head = (text: string) => element('th', { scope: 'col' }, shortened(text));
const textHead = (text: string) => element('th', { scope: 'col', class: 'text' }, shortened(text));
const cell = (text: string) => element('td', {}, text);
const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 59)}…` : text);
