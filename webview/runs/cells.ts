/** The cells of a line of the run table. */
import { t } from '../../src/core/l10n.ts';
import type { RunRow } from '../../src/core/runRow.ts';
import { sample } from '../charts/legend.ts';
import type { Who } from '../charts/lines.ts';
import { styleOf } from '../charts/styles.ts';
import { element } from '../dom.ts';
import { stateIcons } from '../states.ts';
import type { Theme } from '../theme.ts';
import type { Column } from './columns.ts';
import { shortText, tooltip } from './shortText.ts';
import type { GroupLine } from './viewRows.ts';

/** What of a run its row shows beside its values. */
export interface Looks {
  readonly isShown: boolean;
  /** False where no more runs may be shown, or this is the last one. */
  readonly canToggle: boolean;
  readonly who: Who | undefined;
  readonly theme: Theme;
}

/** The columns before those with values: star, shown, and the sample of its line. */
export const LEAD_WIDTHS = [26, 26, 38] as const;

export function runCells(row: RunRow, columns: readonly Column[], looks: Looks): HTMLTableCellElement[] {
  const { star, name } = row;
  const starButton = element(
    'button',
    { class: 'rows-star', tabindex: -1, 'aria-pressed': String(star), 'aria-label': t('Star of {0}', shortText(name)) },
    star ? '★' : '☆',
  );
  const box = element('input', {
    ...{
      type: 'checkbox',
      class: 'rows-shown',
      tabindex: -1,
      'aria-label': t('Show {0} in the charts', shortText(name)),
    },
    disabled: !looks.canToggle,
  });
  box.checked = looks.isShown;
  const line = looks.who === undefined ? [] : [sample(styleOf({ who: looks.who, second: false }, looks.theme))];
  return [
    element('td', { class: 'rows-lead' }, starButton),
    element('td', { class: 'rows-lead' }, box),
    element('td', { class: 'rows-lead' }, ...line),
    ...columns.map((column) => valueCell(row, column)),
  ];
}

export function groupCells(group: GroupLine, columnCount: number): HTMLTableCellElement[] {
  const { name, experiment, count, isFolded } = group;
  const title = element(
    'span',
    { class: 'rows-group-title' },
    element('span', { class: 'rows-twist', 'aria-hidden': 'true' }, isFolded ? '▸' : '▾'),
    element('strong', { title: tooltip(name) }, element('bdi', {}, shortText(name))),
    element('span', { class: 'rows-muted' }, count === 1 ? t('1 run') : t('{0} runs', count)),
    element(
      'span',
      { class: 'rows-muted rows-ellipsis', title: tooltip(experiment) },
      element('bdi', {}, shortText(experiment)),
    ),
  );
  return [element('td', { class: 'rows-group-cell', colspan: columnCount }, title)];
}

function valueCell(row: RunRow, column: Column): HTMLTableCellElement {
  const text = column.text(column.value(row));
  if (column.id === 'name') return nameCell(row, text);
  const title = tooltip(column.id === 'state' && row.problem ? `${text}: ${row.problem}` : text);
  const attributes = { class: column.isNumber ? 'rows-number' : undefined, title: title || undefined };
  if (column.id === 'state') {
    const icon = element('span', { class: 'rows-icon', 'aria-hidden': 'true' }, stateIcons[row.state]);
    return element('td', { ...attributes, class: `rows-state rows-is-${row.state}` }, icon, text);
  }
  if (column.id === 'tags') {
    const tags = row.tags
      .slice(0, 12)
      .map((tag) => element('span', { class: 'rows-tag' }, element('bdi', {}, shortText(tag))));
    return element('td', attributes, ...tags);
  }
  // Signs that turn the direction of writing shall not reach beyond their cell.
  return element('td', attributes, column.isNumber ? text : element('bdi', {}, shortText(text)));
}

function nameCell(row: RunRow, text: string): HTMLTableCellElement {
  const title = [text, row.id, row.problem]
    .filter(Boolean)
    .map((part) => tooltip(part ?? ''))
    .join('\n');
  const mark = element(
    'span',
    { class: 'rows-mark', role: 'img', 'aria-label': t('Problem: {0}', tooltip(row.problem ?? '')) },
    '⚠',
  );
  const name = element('bdi', { class: 'rows-ellipsis' }, shortText(text) || '–');
  return element(
    'th',
    { scope: 'row', class: 'rows-name', title },
    element('span', { class: 'rows-name-line' }, name, ...(row.problem ? [mark] : [])),
  );
}
