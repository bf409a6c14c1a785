/** The page Runs: every run of the workspace in one table, to sort, filter, mark, choose and compare. */
import { t } from '../../src/core/l10n.ts';
import type { FromDashboard } from '../../src/core/messages.ts';
import type { Annotation, RunRow } from '../../src/core/runRow.ts';
import { MOST_RUNS } from '../../src/core/runRow.ts';
import { element } from '../dom.ts';
import { looksOf } from '../looks.ts';
import type { Page } from '../page.ts';
import { type DashboardState, emptyState } from '../state.ts';
import { readTheme, watchTheme } from '../theme.ts';
import { ColumnMenu } from './columnMenu.ts';
import { RunDetails } from './details.ts';
import { RunGrid } from './runGrid.ts';

import { toggled } from './selection.ts';
import { nextSorting } from './sortRows.ts';
import { type TableModel, tableModel } from './tableModel.ts';
import { Toolbar } from './toolbar.ts';
import { firstView, type ViewState, viewFrom } from './viewState.ts';

export class RunsPage implements Page {
  readonly id = 'runs';
  readonly title = t('Runs');
  readonly root: HTMLElement;
  readonly #send: (message: FromDashboard) => void;
  readonly #changed: (() => void) | undefined;
  readonly #grid: RunGrid;
  readonly #details: RunDetails;
  readonly #toolbar: Toolbar;
  readonly #menu: ColumnMenu;
  readonly #empty = element('div', { class: 'rows-empty', hidden: true });
  #view: ViewState = firstView;
  #state: DashboardState = emptyState;
  #wanted = false;
  /** False until the first rows have come. */
  #told = false;
  /** What a person changed and the extension has not confirmed yet. */
  #annotated = new Map<string, Partial<Annotation>>();
  #selecting: readonly string[] | undefined;
  #unconfirmed: ReturnType<typeof setTimeout> | undefined;
  #model: TableModel | undefined;
  #opened: string | undefined;
  #theme = readTheme();

  /** `changed` is called when `saved` is another one. */
  constructor({ send, changed }: { readonly send: (message: FromDashboard) => void; readonly changed?: () => void }) {
    this.#send = send;
    this.#changed = changed;
    this.#grid = new RunGrid({
      sort: (column, isSecond) => this.#arrange({ sorting: nextSorting(this.#view.sorting, column, isSecond) }),
      toggleShown: (id) => this.#toggleShown(id),
      toggleStar: (id) => this.#toggleStar(id),
      open: (id) => this.#open(id),
      fold: (experiment, fold) => this.#fold(experiment, fold),
      selected: () => this.#selected(),
    });
    this.#details = new RunDetails({
      send,
      annotate: (id, change) => this.#annotate(id, change),
      close: () => this.#open(undefined),
    });
    this.#menu = new ColumnMenu(
      (id) => this.#toggleColumn(id),
      () => this.#arrange({ added: [], removed: [] }),
    );
    this.#toolbar = new Toolbar(
      {
        filter: (filter) => this.#arrange({ filter }),
        group: () => this.#arrange({ isGrouped: !this.#view.isGrouped }),
        showSelected: () => this.#select(this.#selectedRuns()),
        compareConfigs: () => this.#compare(),
        exportRuns: () => send({ type: 'export', runs: this.#runsToExport(), charts: [], axis: 'step' }),
      },
      this.#menu.root,
    );
    const body = element('div', { class: 'rows-body' }, this.#grid.root, this.#empty, this.#details.root);
    this.root = element('div', { class: 'rows-page' }, this.#toolbar.root, body);
    watchTheme(() => {
      this.#theme = readTheme();
      this.#draw();
    });
    window.addEventListener('resize', () => this.#fit());
    // Also when the page comes to the front: until then it has no size.
    new ResizeObserver(() => this.#fit()).observe(this.root);
  }

  /** How a person arranged the table, to be kept over a reload. */
  get saved(): ViewState {
    return this.#view;
  }

  restore(saved: unknown): void {
    this.#view = viewFrom(saved);
  }

  update(state: DashboardState): void {
    if (!this.#wanted) {
      this.#wanted = true;
      this.#send({ type: 'rows', wanted: true });
    }
    const before = this.#state;
    this.#state = state;
    const isNew = before.rows !== state.rows;
    const isOther = before.handles !== state.handles || before.slots !== state.slots || before.picked !== state.picked;
    if (isNew) {
      this.#told = true;
      this.#annotated.clear();
    }
    if (before.handles !== state.handles) this.#confirm();
    if (isNew || isOther || this.#model === undefined) this.#draw();
  }

  #rows(): readonly RunRow[] {
    if (this.#annotated.size === 0) return this.#state.rows;
    return this.#state.rows.map((row) => ({ ...row, ...this.#annotated.get(row.id) }));
  }

  #shown(): ReadonlySet<string> {
    return new Set(this.#selecting ?? this.#state.handles.map(({ id }) => id));
  }

  #draw(): void {
    const rows = this.#rows();
    const shown = this.#shown();
    const model = tableModel(rows, this.#view, shown);
    this.#model = model;
    this.#grid.update({
      lines: model.lines,
      columns: model.columns,
      sorting: this.#view.sorting,
      isGrouped: this.#view.isGrouped,
      shown,
      canToggle: (id) => (shown.has(id) ? shown.size > 1 : shown.size < MOST_RUNS),
      looks: looksOf(this.#state),
      theme: this.#theme,
    });
    this.#menu.update(model);
    const isEmpty = model.rows.length === 0;
    this.#grid.root.hidden = isEmpty;
    this.#empty.hidden = !isEmpty || !this.#told;
    if (isEmpty) this.#explainEmpty(rows.length);
    this.#details.show(rows.find(({ id }) => id === this.#opened));
    this.#tell();
    this.#fit();
  }

  #tell(): void {
    const selected = this.#selectedRuns();
    const shown = this.#shown();
    const isFull = shown.size >= MOST_RUNS;
    const notes = [
      selected.length > 1 ? t('{0} selected.', selected.length) : '',
      selected.length > MOST_RUNS ? t('At most {0} can be shown in the charts.', MOST_RUNS) : '',
      isFull ? t('{0} in the charts: untick one to show another.', shown.size) : '',
    ];
    this.#toolbar.update({
      filter: this.#view.filter,
      problem: this.#model?.problem,
      isGrouped: this.#view.isGrouped,
      count: this.#model?.rows.length ?? 0,
      all: this.#state.rows.length,
      note: notes.filter(Boolean).join(' '),
      canShowSelected: selected.length > 0 && selected.length <= MOST_RUNS,
      canCompare: this.#pair() !== undefined,
      canExport: this.#runsToExport().length > 0,
    });
  }

  #explainEmpty(count: number): void {
    if (count === 0) {
      const start = element('button', { class: 'rows-button rows-primary' }, t('Start MaskSub run'));
      start.addEventListener('click', () => this.#send({ type: 'start' }));
      this.#empty.replaceChildren(element('p', {}, t('No run yet. Runs of this workspace are listed here.')), start);
      return;
    }
    const clear = element('button', { class: 'rows-button rows-primary' }, t('Clear the filter'));
    clear.addEventListener('click', () => {
      this.#arrange({ filter: '' });
      this.#toolbar.focus();
    });
    this.#empty.replaceChildren(element('p', {}, t('None of {0} runs matches the filter.', count)), clear);
  }

  /** The table scrolls by itself, so that its header and the bar stay in sight. */
  #fit(): void {
    const { root } = this.#grid;
    if (root.hidden || root.offsetParent === null) return;
    const room = window.innerHeight - (root.getBoundingClientRect().top + window.scrollY) - BELOW;
    const isStacked = !this.#details.root.hidden && this.#details.root.offsetTop > root.offsetTop;
    root.style.maxHeight = `${Math.max(LEAST_HEIGHT, isStacked ? room - this.#details.root.offsetHeight : room)}px`;
    this.#grid.layOut();
  }

  #arrange(change: Partial<ViewState>): void {
    this.#view = { ...this.#view, ...change };
    this.#draw();
    this.#changed?.();
  }

  #fold(experiment: string, fold?: boolean): void {
    const folded = new Set(this.#view.folded);
    const next = fold ?? !folded.has(experiment);
    if (next) folded.add(experiment);
    else folded.delete(experiment);
    const known = new Set(this.#state.rows.map((row) => row.experiment));
    this.#arrange({ folded: [...folded].filter((id) => known.has(id)) });
  }

  #toggleColumn(id: string): void {
    const isAutomatic = this.#model?.automatic.has(id) ?? false;
    const { added, removed } = this.#view;
    if (isAutomatic) this.#arrange({ removed: [...toggled(new Set(removed), id)] });
    else this.#arrange({ added: [...toggled(new Set(added), id)] });
  }

  #toggleShown(id: string): void {
    const shown = this.#shown();
    const next = toggled(shown, id);
    if (next.size >= 1 && next.size <= MOST_RUNS) this.#select([...next]);
  }

  /** What was ticked last stays while the answers to earlier ticks come. */
  #confirm(): void {
    const ids = new Set(this.#state.handles.map(({ id }) => id));
    if (ids.size === this.#selecting?.length && this.#selecting.every((id) => ids.has(id))) this.#selecting = undefined;
  }

  #select(runs: readonly string[]): void {
    this.#selecting = runs;
    clearTimeout(this.#unconfirmed);
    this.#unconfirmed = setTimeout(() => {
      this.#selecting = undefined; // one of them is gone: what is shown counts
      this.#draw();
    }, CONFIRMED_MS);
    this.#send({ type: 'select', runs: [...runs] });
    this.#draw();
  }

  #toggleStar(id: string): void {
    const row = this.#rows().find((candidate) => candidate.id === id);
    if (row) this.#annotate(id, { star: !row.star });
  }

  #annotate(id: string, { star, tags, notes }: Partial<Annotation>): void {
    const change = {
      ...(star === undefined ? {} : { star }),
      ...(tags === undefined ? {} : { tags: [...tags] }),
      ...(notes === undefined ? {} : { notes }),
    };
    this.#annotated.set(id, { ...this.#annotated.get(id), ...change });
    this.#send({ type: 'annotate', run: id, ...change });
    this.#draw();
  }

  #open(id: string | undefined): void {
    this.#opened = id;
    this.#draw();
    if (id === undefined) this.#grid.focus();
    else this.#details.focus();
  }

  /** Open details follow the line that the keys act on. */
  #selected(): void {
    const { active } = this.#grid.selection;
    const id = active?.startsWith('run:') ? active.slice('run:'.length) : undefined;
    if (this.#opened !== undefined && id !== undefined && id !== this.#opened) {
      this.#opened = id;
      this.#details.show(this.#rows().find((row) => row.id === id));
    }
    this.#tell();
  }

  #selectedRuns(): string[] {
    return this.#grid.selection.runs(this.#model?.lines ?? []);
  }

  /** Two selected runs, or else two that are ticked. */
  #pair(): readonly [string, string] | undefined {
    const selected = this.#selectedRuns();
    const [a, b, ...others] = selected.length >= 2 ? selected : [...this.#shown()];
    return a === undefined || b === undefined || others.length > 0 ? undefined : [a, b];
  }

  #compare(): void {
    const [a, b] = this.#pair() ?? [];
    if (a !== undefined && b !== undefined) this.#send({ type: 'diffConfigs', a, b });
  }

  #runsToExport(): string[] {
    const selected = this.#selectedRuns();
    return selected.length > 1 ? selected : [...this.#shown()];
  }
}

/** A selection is shown within so many milliseconds, or not at all. */
const CONFIRMED_MS = 3000;
/** In pixels: below the table, and the least that a table is worth. */
const BELOW = 28;
const LEAST_HEIGHT = 220;
