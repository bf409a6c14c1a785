/** The table itself: draws only the lines that are on the screen, and answers to mouse and keys. */
import { t } from '../../src/core/l10n.ts';
import type { Who } from '../charts/lines.ts';
import { element } from '../dom.ts';
import type { Theme } from '../theme.ts';
import { groupCells, LEAD_WIDTHS, runCells } from './cells.ts';
import type { Column } from './columns.ts';
import { GridHead } from './gridHead.ts';
import { Selection } from './selection.ts';
import type { Sorting } from './sortRows.ts';
import { KEYS_ID } from './toolbar.ts';
import { keyOf, type Line, visibleRange } from './viewRows.ts';

export interface GridActions {
  sort(column: Column, isSecond: boolean): void;
  toggleShown(id: string): void;
  toggleStar(id: string): void;
  open(id: string): void;
  /** `fold` or not: nothing turns it round. */
  fold(experiment: string, fold?: boolean): void;
  /** The active line or the selection is another one. */
  selected(): void;
}

export interface GridContent {
  readonly lines: readonly Line[];
  readonly columns: readonly Column[];
  readonly sorting: Sorting;
  readonly isGrouped: boolean;
  readonly shown: ReadonlySet<string>;
  readonly canToggle: (id: string) => boolean;
  readonly looks: ReadonlyMap<string, Who>;
  readonly theme: Theme;
}

/** In pixels, as in the style sheet. */
const LINE_HEIGHT = 23;
const HEAD_HEIGHT = 26;
const NAME_MOST = 420;

interface Drawn {
  readonly tr: HTMLTableRowElement;
  readonly signature: string;
}

export class RunGrid {
  readonly root = element('div', { class: 'rows-scroll' });
  readonly selection = new Selection();
  readonly #actions: GridActions;
  readonly #head: GridHead;
  readonly #columns = element('colgroup');
  readonly #body = element('tbody');
  readonly #table: HTMLTableElement;
  readonly #above = spacer();
  readonly #below = spacer();
  #drawn = new Map<string, Drawn>();
  #content: GridContent | undefined;
  #range = { from: 0, to: 0 };
  #look = '';
  #widths = '';
  #nextId = 0;

  constructor(actions: GridActions) {
    this.#actions = actions;
    this.#head = new GridHead(actions.sort, () => this.#table.focus());
    this.#table = element(
      'table',
      {
        class: 'rows-grid',
        tabindex: 0,
        'aria-multiselectable': 'true',
        'aria-label': t('Runs'),
        'aria-describedby': KEYS_ID,
      },
      this.#columns,
      element('thead', {}, this.#head.row),
      this.#body,
    );
    this.root.append(this.#table);
    this.root.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#table.addEventListener('keydown', (event) => this.#key(event));
    this.#table.addEventListener('focus', () => this.#activateFirst());
    // The focus stays with the table: rows come and go under it.
    this.#body.addEventListener('mousedown', (event) => {
      event.preventDefault();
      this.#table.focus({ preventScroll: true });
    });
    this.#body.addEventListener('click', (event) => this.#click(event));
    this.#body.addEventListener('dblclick', (event) => {
      const line = this.#lineAt(event);
      if (line?.kind === 'run') this.#actions.open(line.row.id);
    });
  }

  get content(): GridContent | undefined {
    return this.#content;
  }

  focus(): void {
    this.#table.focus();
  }

  update(content: GridContent): void {
    const before = this.#content;
    this.#content = content;
    this.selection.keep(content.lines);
    this.#head.update(content.columns, content.sorting);
    if (before?.columns !== content.columns) this.layOut();
    this.#table.setAttribute('role', content.isGrouped ? 'treegrid' : 'grid');
    this.#table.setAttribute('aria-rowcount', String(content.lines.length + 1));
    this.#table.setAttribute('aria-colcount', String(content.columns.length + LEAD_WIDTHS.length));
    // What every row depends on and its own values do not tell.
    const { dark, highContrast, baseline, method } = content.theme;
    this.#look = [content.columns.map(({ id }) => id).join(), dark, highContrast, baseline, method].join('|');
    this.#draw();
  }

  /** After a change of the columns or of the page's width. */
  layOut(): void {
    const columns = this.#content?.columns ?? [];
    const widths = [...LEAD_WIDTHS, ...columns.map((column) => Math.max(column.width, this.#head.widthOf(column)))];
    const total = widths.reduce((sum, width) => sum + width, 0);
    const room = Math.max(0, this.root.clientWidth - total);
    const name = LEAD_WIDTHS.length;
    const given = Math.min(room, NAME_MOST - (widths[name] ?? 0));
    widths[name] = (widths[name] ?? 0) + given;
    if (widths.join() === this.#widths) return;
    this.#widths = widths.join();
    const cols = widths.map((width) => {
      const col = element('col');
      col.style.width = `${width}px`;
      return col;
    });
    this.#columns.replaceChildren(...cols);
    this.#table.style.width = `${total + given}px`;
  }

  #scrolled(): void {
    const range = this.#visible();
    if (range.from !== this.#range.from || range.to !== this.#range.to) this.#draw();
  }

  #visible(): { from: number; to: number } {
    const count = this.#content?.lines.length ?? 0;
    return visibleRange(count, this.root.scrollTop, this.root.clientHeight || window.innerHeight, LINE_HEIGHT);
  }

  /** Rows that are as they were stay the same elements, so that nothing flickers and no click is lost. */
  #draw(): void {
    const content = this.#content;
    if (!content) return;
    this.#range = this.#visible();
    const { from, to } = this.#range;
    const drawn = new Map<string, Drawn>();
    const rows = content.lines.slice(from, to).map((line, i) => {
      const made = this.#row(line, content);
      drawn.set(keyOf(line), made);
      made.tr.setAttribute('aria-rowindex', String(from + i + 2));
      return made.tr;
    });
    this.#drawn = drawn;
    setHeight(this.#above, from * LINE_HEIGHT);
    setHeight(this.#below, (content.lines.length - to) * LINE_HEIGHT);
    const next = [this.#above, ...rows, this.#below];
    const now = this.#body.children;
    if (next.length !== now.length || next.some((row, i) => row !== now[i])) this.#body.replaceChildren(...next);
    this.#mark();
  }

  #row(line: Line, content: GridContent): Drawn {
    const key = keyOf(line);
    const known = this.#drawn.get(key);
    const signature = `${this.#look}|${signatureOf(line, content)}`;
    if (known?.signature === signature) return known;
    const { columns, theme, isGrouped } = content;
    const cells =
      line.kind === 'group'
        ? groupCells(line, columns.length + LEAD_WIDTHS.length)
        : runCells(line.row, columns, {
            isShown: content.shown.has(line.row.id),
            canToggle: content.canToggle(line.row.id),
            who: content.looks.get(line.row.id),
            theme,
          });
    const tr = element(
      'tr',
      {
        id: known?.tr.id ?? `rows-line-${this.#nextId++}`,
        class: line.kind === 'group' ? 'rows-group' : `rows-run${line.row.state === 'failed' ? ' rows-failed' : ''}`,
        'data-run': line.kind === 'group' ? undefined : line.row.id,
        'aria-level': isGrouped ? (line.kind === 'group' ? 1 : 2) : undefined,
        'aria-expanded': line.kind === 'group' ? String(!line.isFolded) : undefined,
      },
      ...cells,
    );
    tr.dataset.key = key;
    return { tr, signature };
  }

  #mark(): void {
    const { active } = this.selection;
    for (const [key, { tr }] of this.#drawn) {
      tr.classList.toggle('rows-active', key === active);
      tr.setAttribute('aria-selected', String(this.selection.has(key)));
    }
    const id = active === undefined ? undefined : this.#drawn.get(active)?.tr.id;
    if (id === undefined) this.#table.removeAttribute('aria-activedescendant');
    else this.#table.setAttribute('aria-activedescendant', id);
  }

  #lineAt({ target }: MouseEvent): Line | undefined {
    const key = target instanceof Element ? target.closest<HTMLElement>('tr')?.dataset.key : undefined;
    return key === undefined ? undefined : this.#content?.lines.find((line) => keyOf(line) === key);
  }

  #click(event: MouseEvent): void {
    const line = this.#lineAt(event);
    if (!line || !(event.target instanceof Element)) return;
    const isStar = event.target.closest('.rows-star') !== null;
    const isBox = event.target.closest('.rows-shown') !== null;
    if (isBox) event.preventDefault(); // ticked once the page has said so
    if (line.kind === 'run' && isStar) this.#actions.toggleStar(line.row.id);
    else if (line.kind === 'run' && isBox) this.#actions.toggleShown(line.row.id);
    else if (line.kind === 'group') this.#actions.fold(line.experiment);
    const mode = event.shiftKey ? 'extend' : event.ctrlKey || event.metaKey ? 'toggle' : 'only';
    this.#select(line, isStar || isBox ? 'only' : mode);
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.#table || !this.#content) return;
    const { lines } = this.#content;
    const index = lines.findIndex((line) => keyOf(line) === this.selection.active);
    const line = lines[index];
    const page = Math.max(1, Math.floor((this.root.clientHeight - HEAD_HEIGHT) / LINE_HEIGHT) - 1);
    const targets: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: lines.length - 1,
    };
    const target = targets[event.key];
    const isModified = event.ctrlKey || event.metaKey || event.altKey;
    if (target !== undefined && !isModified) {
      if (event.key === 'ArrowUp' && index <= 0) this.#head.focus();
      const next = lines[Math.min(lines.length - 1, Math.max(0, target))];
      if (next) this.#select(next, event.shiftKey ? 'extend' : 'only');
      this.#reveal();
    } else if (event.key === ' ' && event.ctrlKey && line) {
      this.#select(line, 'toggle');
    } else if (isModified || !line || !this.#act(event.key, line)) {
      return;
    }
    event.preventDefault();
  }

  /** What a key does with the active line; false for one that does nothing. */
  #act(key: string, line: Line): boolean {
    const { fold, open, toggleShown, toggleStar } = this.#actions;
    const isSide = key === 'ArrowLeft' || key === 'ArrowRight';
    if (line.kind === 'group') {
      if (key === ' ' || key === 'Enter') fold(line.experiment);
      else if (isSide) fold(line.experiment, key === 'ArrowLeft');
      else return false;
    } else if (key === ' ') toggleShown(line.row.id);
    else if (key === 'Enter') open(line.row.id);
    else if (key.toLowerCase() === 's') toggleStar(line.row.id);
    else if (isSide) this.root.scrollLeft += key === 'ArrowLeft' ? -80 : 80;
    else return false;
    return true;
  }

  #select(line: Line, mode: 'only' | 'toggle' | 'extend'): void {
    this.selection.select(line, mode, this.#content?.lines ?? []);
    this.#mark();
    this.#actions.selected();
  }

  #activateFirst(): void {
    const { lines } = this.#content ?? { lines: [] };
    const first = lines[Math.ceil(this.root.scrollTop / LINE_HEIGHT)] ?? lines[0];
    if (this.selection.active === undefined && first) this.#select(first, 'only');
  }

  #reveal(): void {
    const index = this.#content?.lines.findIndex((line) => keyOf(line) === this.selection.active) ?? -1;
    if (index < 0) return;
    const top = index * LINE_HEIGHT;
    const height = this.root.clientHeight - HEAD_HEIGHT;
    if (top < this.root.scrollTop) this.root.scrollTop = top;
    else if (top + LINE_HEIGHT > this.root.scrollTop + height) this.root.scrollTop = top + LINE_HEIGHT - height;
    this.#scrolled();
    this.#mark();
  }
}

/** Everything that a row's cells are made of. */
function signatureOf(line: Line, { columns, shown, canToggle, looks }: GridContent): string {
  if (line.kind === 'group') return JSON.stringify(line);
  const { row } = line;
  const own = [row.star, shown.has(row.id), canToggle(row.id), looks.get(row.id), row.state, row.problem, row.tags];
  return JSON.stringify([own, columns.map((column) => column.text(column.value(row)))]);
}

function spacer(): HTMLTableRowElement {
  return element('tr', { class: 'rows-space', 'aria-hidden': 'true' });
}

/** Through the object model: the page's policy allows no style in markup. */
function setHeight(row: HTMLTableRowElement, height: number): void {
  row.style.height = `${Math.max(0, height)}px`;
}
