/** The header of the run table: a click sorts, with Shift as the second key. */
import { t } from '../../src/core/l10n.ts';
import { element } from '../dom.ts';
import type { Column } from './columns.ts';
import { shortText, tooltip } from './shortText.ts';
import type { Sorting } from './sortRows.ts';
import { starColumn } from './tableModel.ts';

export class GridHead {
  readonly row = element('tr', { 'aria-rowindex': 1 });
  readonly #sort: (column: Column, isSecond: boolean) => void;
  readonly #down: () => void;
  #columns: readonly Column[] = [];
  #drawn = '';
  /** The one header that the tab key reaches; arrow keys go on from there. */
  #current = 'name';
  readonly #pen = document.createElement('canvas').getContext('2d');

  /** `down` moves the focus to the rows. */
  constructor(sort: (column: Column, isSecond: boolean) => void, down: () => void) {
    this.#sort = sort;
    this.#down = down;
    this.row.addEventListener('click', (event) => {
      const column = this.#columnAt(event.target);
      if (!column) return;
      this.#current = column.id;
      this.#sort(column, event.shiftKey);
    });
    this.row.addEventListener('keydown', (event) => this.#key(event));
  }

  focus(): void {
    this.#button(this.#current)?.focus();
  }

  update(columns: readonly Column[], sorting: Sorting): void {
    this.#columns = [starColumn, ...columns];
    if (!this.#columns.some(({ id }) => id === this.#current)) this.#current = 'name';
    const drawn = JSON.stringify([columns, sorting]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = this.row.contains(document.activeElement);
    const star = this.#cell(starColumn, sorting);
    star.classList.add('rows-lead');
    const shown = element('th', { scope: 'col', class: 'rows-lead' }, hiddenText(t('Shown in the charts')));
    const sample = element('th', { scope: 'col', class: 'rows-lead' }, hiddenText(t('Line')));
    this.row.replaceChildren(star, shown, sample, ...columns.map((column) => this.#cell(column, sorting)));
    if (focused) this.focus();
  }

  /** What a title needs, with the arrow of a sorted column; in pixels. */
  widthOf({ title, unit }: Column): number {
    const { fontFamily, fontSize } = getComputedStyle(document.body);
    const text = shortText(unit === undefined ? title : `${title} ${unit}`);
    if (!this.#pen) return 0;
    this.#pen.font = `600 ${fontSize} ${fontFamily}`;
    return Math.min(MOST_WIDTH, Math.ceil(this.#pen.measureText(text).width) + AROUND_TITLE);
  }

  #cell(column: Column, sorting: Sorting): HTMLTableCellElement {
    const index = sorting.findIndex((key) => key.column === column.id);
    const direction = sorting[index]?.direction;
    const arrow = direction === 'ascending' ? '▲' : '▼';
    const order = sorting.length > 1 ? String(index + 1) : '';
    const isStar = column === starColumn;
    const about = isStar ? t('Starred runs.') : column.about;
    const unit = column.unit === undefined ? [] : [element('span', { class: 'rows-unit' }, ` ${column.unit}`)];
    const button = element(
      'button',
      {
        class: 'rows-sort',
        tabindex: column.id === this.#current ? 0 : -1,
        title: `${tooltip(about)}\n${t('Click: sort. Shift: as the second key.')}`,
      },
      element(
        'span',
        { class: 'rows-ellipsis' },
        ...(isStar ? [sign('★', t('Star'))] : [shortText(column.title), ...unit]),
      ),
      ...(direction ? [element('span', { class: 'rows-arrow', 'aria-hidden': 'true' }, arrow + order)] : []),
    );
    button.dataset.column = column.id;
    return element(
      'th',
      {
        scope: 'col',
        class:
          [column.isNumber ? 'rows-number' : '', column.id === 'name' ? 'rows-name' : ''].join(' ').trim() || undefined,
        'aria-sort': direction ?? 'none',
      },
      button,
    );
  }

  #key(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === 'ArrowDown') this.#down();
    else if (by === undefined) return;
    else {
      const index = this.#columns.findIndex(({ id }) => id === this.#current);
      const next = this.#columns[Math.min(this.#columns.length - 1, Math.max(0, index + by))];
      if (!next) return;
      this.#button(this.#current)?.setAttribute('tabindex', '-1');
      this.#current = next.id;
      this.#button(next.id)?.setAttribute('tabindex', '0');
      this.focus();
    }
    event.preventDefault();
  }

  #columnAt(target: EventTarget | null): Column | undefined {
    const id = target instanceof Element ? target.closest<HTMLElement>('.rows-sort')?.dataset.column : undefined;
    return this.#columns.find((column) => column.id === id);
  }

  #button(id: string): HTMLElement | undefined {
    return [...this.row.querySelectorAll<HTMLElement>('.rows-sort')].find(({ dataset }) => dataset.column === id);
  }
}

/** Of a column whose title is long; and padding and arrow. */
const MOST_WIDTH = 240;
const AROUND_TITLE = 31;

const hiddenText = (text: string) => element('span', { class: 'rows-hidden' }, text);
const sign = (shown: string, spoken: string) =>
  element('span', {}, element('span', { 'aria-hidden': 'true' }, shown), hiddenText(spoken));
