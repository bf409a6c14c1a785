/** The line above the charts: axis, smoothing, zoom, and charts to add. */
import { t } from '../../src/core/l10n.ts';
import type { Axis } from '../../src/core/metricQuery.ts';
import { button, element } from '../dom.ts';
import type { ExtraScalar } from './catalog.ts';
import { axisOrder, smoothings } from './saved.ts';
import { axisTitle } from './ticks.ts';
import { share } from './words.ts';

export interface ToolbarActions {
  readonly setAxis: (axis: Axis) => void;
  readonly setSmoothing: (smoothing: number) => void;
  readonly setSecond: (on: boolean) => void;
  readonly whole: () => void;
  readonly undo: () => void;
  readonly redo: () => void;
  readonly add: (scalar: ExtraScalar) => void;
}

export interface ToolbarState {
  readonly axis: Axis;
  readonly smoothing: number;
  /** Nothing where there is no choice: few runs. */
  readonly second: boolean | undefined;
  readonly isZoomed: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Scalars that have no chart of their own yet. */
  readonly scalars: readonly ExtraScalar[];
}

export class Toolbar {
  readonly root: HTMLElement;
  readonly #axis: HTMLSelectElement;
  readonly #smoothing: HTMLInputElement;
  readonly #smoothingText = element('output', {});
  readonly #second = element('input', { type: 'checkbox' });
  readonly #secondLabel = element('label', {}, this.#second, t('sub-branches'));
  readonly #whole: HTMLButtonElement;
  readonly #undo: HTMLButtonElement;
  readonly #redo: HTMLButtonElement;
  readonly #add = element('select', { id: 'add-chart', 'aria-label': t('Add chart') });
  #offered: readonly ExtraScalar[] = [];
  #offers = '';

  constructor(actions: ToolbarActions) {
    const options = axisOrder.map((axis) => element('option', { value: axis }, axisTitle(axis)));
    this.#axis = element('select', { id: 'x-axis' }, ...options);
    this.#axis.addEventListener('change', () => actions.setAxis(this.#axis.value as Axis));
    this.#smoothing = element('input', { type: 'range', id: 'smoothing', min: 0, max: smoothings.length - 1, step: 1 });
    this.#smoothing.addEventListener('input', () =>
      actions.setSmoothing(smoothings[Number(this.#smoothing.value)] ?? 0),
    );
    this.#second.addEventListener('change', () => actions.setSecond(this.#second.checked));
    this.#add.addEventListener('change', () => {
      const chosen = this.#offered[Number(this.#add.value)];
      this.#add.value = '';
      if (chosen) actions.add(chosen);
    });
    this.#whole = button(t('Whole'), t('Show the whole axis (0, or a double click)'), actions.whole);
    this.#undo = button('↶', t('Undo the last zoom (Backspace)'), actions.undo);
    this.#redo = button('↷', t('Redo the zoom (Shift+Backspace)'), actions.redo);
    this.root = element(
      'div',
      { class: 'chart-bar', role: 'group', 'aria-label': t('All charts') },
      element('label', {}, t('X axis'), this.#axis),
      element(
        'label',
        { title: t('Half-life of the average, as a share of the x axis') },
        t('Smoothing'),
        this.#smoothing,
        this.#smoothingText,
      ),
      this.#secondLabel,
      element('span', { class: 'zoom' }, this.#whole, this.#undo, this.#redo),
      this.#add,
    );
  }

  show(state: ToolbarState): void {
    const { axis, smoothing, second, isZoomed, canUndo, canRedo, scalars } = state;
    this.#axis.value = axis;
    const index = smoothings.indexOf(smoothing as (typeof smoothings)[number]);
    this.#smoothing.value = String(Math.max(0, index));
    const text = smoothing === 0 ? t('off') : share(smoothing);
    if (this.#smoothingText.textContent !== text) this.#smoothingText.textContent = text;
    this.#smoothing.setAttribute('aria-valuetext', text);
    this.#secondLabel.hidden = second === undefined;
    this.#second.checked = second ?? true;
    this.#whole.disabled = !isZoomed;
    this.#undo.disabled = !canUndo;
    this.#redo.disabled = !canRedo;
    this.#offer(scalars);
  }

  #offer(scalars: readonly ExtraScalar[]): void {
    const offers = JSON.stringify(scalars);
    if (offers === this.#offers) return;
    this.#offers = offers;
    this.#offered = scalars;
    const groups = (['steps', 'epochs'] as const).map((table) =>
      element(
        'optgroup',
        { label: table === 'steps' ? t('per step') : t('per epoch') },
        ...scalars.flatMap((scalar, i) =>
          scalar.table === table ? [element('option', { value: i }, scalar.name)] : [],
        ),
      ),
    );
    this.#add.replaceChildren(element('option', { value: '', selected: true }, t('Add chart…')), ...groups);
    this.#add.disabled = scalars.length === 0;
  }
}
