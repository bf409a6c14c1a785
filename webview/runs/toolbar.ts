/** The bar above the run table: filter, columns, and what can be done with the selected runs. */
import { t } from '../../src/core/l10n.ts';
import { element, setText } from '../dom.ts';

export interface ToolbarActions {
  filter(text: string): void;
  group(): void;
  showSelected(): void;
  compareConfigs(): void;
  exportRuns(): void;
}

export interface ToolbarContent {
  readonly filter: string;
  readonly problem: string | undefined;
  readonly isGrouped: boolean;
  /** How many are listed of how many. */
  readonly count: number;
  readonly all: number;
  /** What the limit or the selection says. */
  readonly note: string;
  readonly canShowSelected: boolean;
  readonly canCompare: boolean;
  readonly canExport: boolean;
}

/** Describes the table, too. */
export const KEYS_ID = 'rows-keys';

export class Toolbar {
  readonly root: HTMLElement;
  readonly #filter: HTMLInputElement;
  readonly #problem = element('span', { id: 'rows-filter-problem', class: 'rows-problem' });
  readonly #count = element('span', { class: 'rows-count' });
  readonly #note = element('span', { class: 'rows-muted' });
  readonly #group: HTMLButtonElement;
  readonly #show: HTMLButtonElement;
  readonly #compare: HTMLButtonElement;
  readonly #export: HTMLButtonElement;

  constructor(actions: ToolbarActions, columns: HTMLElement) {
    this.#filter = element('input', {
      class: 'rows-input rows-filter',
      type: 'search',
      spellcheck: 'false',
      placeholder: t('Filter: words, method:masksub, top1>80, state:failed, is:starred'),
      title: filterHelp(),
      'aria-label': t('Filter the runs'),
      'aria-describedby': 'rows-filter-problem',
    });
    this.#filter.addEventListener('input', () => actions.filter(this.#filter.value));
    this.#filter.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || this.#filter.value === '') return;
      event.stopPropagation();
      this.#filter.value = '';
      actions.filter('');
    });
    this.#group = button(t('Group'), t('Put the runs under their experiments, pairs together.'), actions.group);
    this.#show = button(
      t('Show selected'),
      t('Show the selected runs in the charts, and no others.'),
      actions.showSelected,
    );
    this.#compare = button(
      t('Compare configs'),
      t(
        'Compare the configs of two runs in the editor: the two that are selected (Ctrl+click, Shift+arrow), or else the two that are ticked.',
      ),
      actions.compareConfigs,
    );
    this.#export = button(
      t('Export…'),
      t('Export the selected runs, or else those in the charts.'),
      actions.exportRuns,
    );
    this.root = element(
      'div',
      { class: 'rows-bar' },
      element(
        'div',
        { class: 'rows-bar-line' },
        this.#filter,
        this.#group,
        columns,
        this.#show,
        this.#compare,
        this.#export,
      ),
      element(
        'div',
        { class: 'rows-bar-line' },
        element('div', { class: 'rows-bar-line', role: 'status' }, this.#count, this.#problem, this.#note),
        element('span', { id: KEYS_ID, class: 'rows-muted rows-keys' }, keysHelp()),
      ),
    );
  }

  focus(): void {
    this.#filter.focus();
  }

  update(content: ToolbarContent): void {
    const { filter, problem, isGrouped, count, all, note } = content;
    if (this.#filter.value !== filter) this.#filter.value = filter;
    this.#filter.setAttribute('aria-invalid', String(problem !== undefined));
    setText(this.#problem, problem ?? '');
    setText(this.#count, countText(count, all));
    setText(this.#note, note);
    this.#group.setAttribute('aria-pressed', String(isGrouped));
    this.#show.disabled = !content.canShowSelected;
    this.#compare.disabled = !content.canCompare;
    this.#export.disabled = !content.canExport;
  }
}

const keysHelp = () => t('↑ ↓ move, Space shows in the charts, Enter opens the details, S stars');

function countText(count: number, all: number): string {
  if (count !== all) return t('{0} of {1} runs', count, all);
  return all === 1 ? t('1 run') : t('{0} runs', all);
}

function filterHelp(): string {
  return [
    t('Words are looked for in names, tags, notes, methods, data sets and models.'),
    t('key:value holds the value; key=value is it; key>number, >=, <, <= and != compare.'),
    t(
      'A key is a column (top1, best, loss, seed, epochs, tags …) or a key of the config (learningRate, train.epochs).',
    ),
    t('state:failed, is:starred, is:shown, is:problem.'),
    t('"quotes" hold spaces, - turns a term round. All terms must hold.'),
  ].join('\n');
}

function button(title: string, about: string, work: () => void): HTMLButtonElement {
  const made = element('button', { class: 'rows-button', title: about }, title);
  made.addEventListener('click', work);
  return made;
}
