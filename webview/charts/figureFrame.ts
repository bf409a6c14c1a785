/** The figure around a chart: title, unit, badge, its own switches, the place of the drawing, and the table beside it. */
import { t } from '../../src/core/l10n.ts';
import { button, element, setText } from '../dom.ts';
import type { ChartHost } from './chartFigure.ts';
import { keyAction } from './keys.ts';
import type { ChartOptions } from './saved.ts';

export interface FrameOptions {
  readonly id: string;
  readonly title: string;
  /** A sentence on the chart, where the pointer rests on the title. */
  readonly about: string;
  readonly unit: string;
  /** Which switches it has beside export and width. */
  readonly switches: readonly ('log' | 'clip' | 'table')[];
  /** Defaults of the switches. */
  readonly log: boolean;
}

type Switch = 'log' | 'clip' | 'table' | 'wide';

export class FigureFrame {
  readonly figure: HTMLElement;
  /** Takes the focus and the keys. */
  readonly plot = element('div', {
    class: 'plot',
    tabindex: 0,
    role: 'application',
    'aria-roledescription': t('chart'),
  });
  readonly #table = element('div');
  readonly controls = element('span', { class: 'controls' });
  readonly #unit: HTMLElement;
  readonly #badge = element('span', { class: 'badge' });
  readonly #jump = element('button', { type: 'button', class: 'jump', hidden: true }, t('first ×'));
  readonly #placeholder = element('p', { class: 'placeholder' });
  readonly #switches = new Map<Switch, HTMLButtonElement>();
  readonly #host: ChartHost;
  readonly #log: boolean;

  constructor({ id, title, about, unit, switches, log }: FrameOptions, host: ChartHost, jump: () => void) {
    this.#host = host;
    this.#log = log;
    this.#unit = element('span', { class: 'unit', title: unit }, unit);
    const toggles = ([...switches, 'wide'] as const).map((name) => this.#switch(name, title));
    const take = button('⤓', t('Export {0}', title), host.exportChart);
    const remove = host.remove ? [button('✕', t('Remove {0}', title), host.remove)] : [];
    this.#jump.addEventListener('click', jump);
    this.#jump.title = t('Zoom to the first value that is not finite');
    this.figure = element(
      'figure',
      { id: `chart-${id}`, 'data-points': 0 },
      element(
        'figcaption',
        {},
        element(
          'span',
          { class: 'first' },
          element('span', { class: 'chart-title', title: `${title}. ${about}` }, title),
          element('span', { class: 'tools' }, this.controls, ...toggles, take, ...remove),
        ),
        element('span', { class: 'second' }, this.#unit, this.#badge, this.#jump),
      ),
      this.plot,
      this.#table,
    );
    this.plot.append(this.#placeholder);
    this.plot.addEventListener('keydown', (event) => {
      const action = keyAction(event);
      if (!action || event.target !== this.plot) return;
      event.preventDefault();
      event.stopPropagation();
      host.act(action);
    });
    this.showSwitches();
  }

  setUnit(text: string): void {
    setText(this.#unit, text);
  }

  setBadge(text: string, details: string, canJump: boolean): void {
    setText(this.#badge, text);
    if (this.#badge.title !== details) this.#badge.title = details;
    this.#jump.hidden = !canJump;
  }

  /** Text in place of the drawing; nothing: the drawing. */
  setPlaceholder(text: string | undefined): void {
    this.figure.classList.toggle('without-points', text !== undefined);
    setText(this.#placeholder, text ?? '');
  }

  /** The table in place of the drawing; nothing: the drawing. Keeps how far a table that was there is scrolled. */
  showTable(table: HTMLElement | undefined): void {
    const before = this.#table.firstElementChild;
    const [top, hadFocus] = [before?.scrollTop ?? 0, before !== null && before === document.activeElement];
    this.figure.classList.toggle('with-table', table !== undefined);
    this.#table.replaceChildren(...(table ? [table] : []));
    if (!table) return;
    table.scrollTop = top;
    if (hadFocus) table.focus();
  }

  setPoints(points: number): void {
    const text = String(points);
    if (this.figure.dataset.points !== text) this.figure.dataset.points = text;
  }

  /** `values`: short, for the figure; `whole`: what the chart is and shows, for the drawing. */
  setNames(values: string, whole: string): void {
    if (this.figure.getAttribute('aria-label') !== values) this.figure.setAttribute('aria-label', values);
    if (this.plot.getAttribute('aria-label') !== whole) this.plot.setAttribute('aria-label', whole);
  }

  showSwitches(): void {
    const options = this.#host.options();
    for (const [name, place] of this.#switches) place.setAttribute('aria-pressed', String(this.#isOn(options, name)));
    this.figure.classList.toggle('wide', options.wide ?? false);
  }

  #isOn(options: ChartOptions, name: Switch): boolean {
    return options[name] ?? (name === 'log' && this.#log);
  }

  #switch(name: Switch, title: string): HTMLButtonElement {
    const { sign, about } = switchTexts(name, title);
    const made = button(sign, about, () => {
      const options = this.#host.options();
      this.#host.choose({ ...options, [name]: !this.#isOn(options, name) });
      this.showSwitches();
    });
    this.#switches.set(name, made);
    return made;
  }
}

function switchTexts(name: Switch, title: string): { sign: string; about: string } {
  switch (name) {
    case 'log':
      return { sign: t('log'), about: t('log: a logarithmic y axis for {0}', title) };
    case 'clip':
      return { sign: t('clip'), about: t('clip: outliers do not stretch the y axis of {0}', title) };
    case 'table':
      return { sign: t('table'), about: t('table: show {0} as one', title) };
    case 'wide':
      return { sign: '↔', about: t('Show {0} over the full width', title) };
  }
}
