/** The menu of the run table's columns: those that come by themselves, and every other one to add. */
import { t } from '../../src/core/l10n.ts';
import { element } from '../dom.ts';
import { configKeyOf } from './columns.ts';
import { shortText, tooltip } from './shortText.ts';
import type { TableModel } from './tableModel.ts';

export class ColumnMenu {
  readonly root: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #panel: HTMLElement;
  readonly #search: HTMLInputElement;
  readonly #list = element('div', { class: 'rows-menu-list' });
  readonly #toggle: (id: string) => void;
  #model: TableModel | undefined;
  #drawn = '';

  /** `toggle` shows or hides a column; `reset` leaves the choice to the table again. */
  constructor(toggle: (id: string) => void, reset: () => void) {
    this.#toggle = toggle;
    this.#button = element(
      'button',
      { class: 'rows-button', 'aria-expanded': 'false', 'aria-controls': 'rows-columns' },
      t('Columns'),
      element('span', { 'aria-hidden': 'true' }, ' ▾'),
    );
    this.#search = element('input', {
      class: 'rows-input',
      type: 'search',
      'aria-label': t('Find a column'),
      placeholder: t('Find a column'),
    });
    const all = element('button', { class: 'rows-button' }, t('Automatic'));
    all.title = t('Columns as they come by themselves: the config keys in which the listed runs differ.');
    this.#panel = element(
      'div',
      { id: 'rows-columns', class: 'rows-menu', role: 'group', 'aria-label': t('Columns'), hidden: true },
      element('div', { class: 'rows-menu-bar' }, this.#search, all),
      this.#list,
    );
    this.root = element('div', { class: 'rows-menu-place' }, this.#button, this.#panel);
    all.addEventListener('click', reset);
    this.#button.addEventListener('click', () => this.#open(this.#panel.hidden === true));
    this.#search.addEventListener('input', () => this.#draw());
    this.#list.addEventListener('change', ({ target }) => {
      if (target instanceof HTMLInputElement) this.#toggle(target.value);
    });
    this.root.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || this.#panel.hidden) return;
      event.stopPropagation();
      this.#open(false);
      this.#button.focus();
    });
    this.root.addEventListener('focusout', ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && !this.root.contains(relatedTarget)) this.#open(false);
    });
    document.addEventListener('pointerdown', ({ target }) => {
      if (!this.#panel.hidden && target instanceof Node && !this.root.contains(target)) this.#open(false);
    });
  }

  update(model: TableModel): void {
    this.#model = model;
    if (!this.#panel.hidden) this.#draw();
  }

  #open(open: boolean): void {
    this.#panel.hidden = !open;
    this.#button.setAttribute('aria-expanded', String(open));
    if (!open) return;
    this.#search.value = '';
    this.#draw();
    this.#search.focus();
  }

  #draw(): void {
    const model = this.#model;
    if (!model) return;
    const shown = new Set(model.columns.map(({ id }) => id));
    const wanted = this.#search.value.trim().toLowerCase();
    const found = model.choice.filter(
      ({ id, title, about }) => id !== 'name' && `${id} ${title} ${about}`.toLowerCase().includes(wanted),
    );
    const isDifference = (id: string) => configKeyOf(id) !== undefined && model.automatic.has(id);
    const groups = [
      { title: t('Runs'), columns: found.filter(({ id }) => configKeyOf(id) === undefined) },
      { title: t('Config keys that differ'), columns: found.filter(({ id }) => isDifference(id)) },
      {
        title: t('Other config keys'),
        columns: found.filter(({ id }) => configKeyOf(id) !== undefined && !isDifference(id)),
      },
    ].filter(({ columns }) => columns.length > 0);
    const drawn = JSON.stringify([groups.map(({ columns }) => columns.map(({ id }) => id)), [...shown]]);
    if (drawn === this.#drawn && this.#list.childElementCount > 0) return;
    this.#drawn = drawn;
    const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement.value : undefined;
    const isInList = this.#list.contains(document.activeElement);
    const sections = groups.map(({ title, columns }) =>
      element(
        'fieldset',
        {},
        element('legend', {}, title),
        ...columns.map(({ id, title: name, unit }) => {
          const box = element('input', { type: 'checkbox', value: id });
          box.checked = shown.has(id);
          const label = configKeyOf(id) ?? [name, unit].filter(Boolean).join(' ');
          return element(
            'label',
            { title: tooltip(label) },
            box,
            element('bdi', { class: 'rows-ellipsis' }, shortText(label)),
          );
        }),
      ),
    );
    this.#list.replaceChildren(
      ...(sections.length > 0 ? sections : [element('p', { class: 'rows-muted' }, t('No such column.'))]),
    );
    if (!isInList) return;
    for (const box of this.#list.querySelectorAll('input')) if (box.value === focused) box.focus();
  }
}
