/** The tabs of the dashboard: one page in front, chosen by click, arrow keys, or the extension. */
import { t } from '../src/core/l10n.ts';
import { element } from './dom.ts';
import type { Page } from './page.ts';

export class Tabs {
  readonly list = element('div', { class: 'tabs', role: 'tablist', 'aria-label': t('Pages of the dashboard') });
  readonly panels = element('div', { class: 'pages' });
  readonly #pages: readonly Page[];
  readonly #onChange: (page: Page) => void;
  #front: Page;

  constructor(pages: readonly [Page, ...Page[]], onChange: (page: Page) => void) {
    this.#pages = pages;
    this.#onChange = onChange;
    this.#front = pages[0];
    for (const page of pages) {
      const tab = element(
        'button',
        { id: `tab-${page.id}`, role: 'tab', 'aria-controls': `page-${page.id}` },
        page.title,
      );
      tab.addEventListener('click', () => this.show(page.id));
      this.list.append(tab);
      this.panels.append(
        element('div', { id: `page-${page.id}`, role: 'tabpanel', 'aria-labelledby': `tab-${page.id}` }, page.root),
      );
    }
    this.list.addEventListener('keydown', (event) => this.#walk(event));
    this.#mark();
  }

  get front(): Page {
    return this.#front;
  }

  /** Brings the page of that id to the front; an unknown one changes nothing. */
  show(id: string): void {
    const page = this.#pages.find((candidate) => candidate.id === id);
    if (!page || page === this.#front) return;
    this.#front = page;
    this.#mark();
    this.#onChange(page);
  }

  #walk(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const { length } = this.#pages;
    const next = this.#pages[(this.#pages.indexOf(this.#front) + by + length) % length];
    if (!next) return;
    this.show(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  }

  #mark(): void {
    for (const { id } of this.#pages) {
      const isFront = id === this.#front.id;
      const tab = this.list.querySelector<HTMLElement>(`#tab-${id}`);
      tab?.setAttribute('aria-selected', String(isFront));
      tab?.setAttribute('tabindex', isFront ? '0' : '-1');
      const panel = this.panels.querySelector<HTMLElement>(`#page-${id}`);
      if (panel) panel.hidden = !isFront;
    }
  }
}
