/** A chart's legend: a sample of each line, its name, and its value at the cursor; each a button that hides the line. */
import { t } from '../../src/core/l10n.ts';
import type { Marker } from '../../src/core/runStyles.ts';
import { element } from '../dom.ts';
import type { LineStyle } from './styles.ts';

export interface LegendEntry {
  readonly key: string;
  readonly label: string;
  readonly style: LineStyle;
  readonly shown: boolean;
}

export class Legend {
  readonly root = element('ul', { class: 'legend' });
  readonly #toggle: (key: string) => void;
  #values: HTMLElement[] = [];
  #made = '';

  constructor(toggle: (key: string) => void) {
    this.#toggle = toggle;
  }

  /** Made anew only where the lines changed: a button that has the focus keeps it. */
  show(entries: readonly LegendEntry[]): void {
    const made = JSON.stringify(entries);
    if (made === this.#made) return;
    this.#made = made;
    const focused = [...this.root.querySelectorAll('button')].indexOf(document.activeElement as HTMLButtonElement);
    this.#values = entries.map(() => element('b'));
    this.root.classList.toggle('dense', entries.length > 4);
    this.root.replaceChildren(...entries.map((entry, i) => this.#item(entry, this.#values[i] ?? element('b'))));
    if (focused >= 0) this.root.querySelectorAll('button')[focused]?.focus();
  }

  /** In the order of the entries. */
  setValues(values: readonly string[]): void {
    values.forEach((value, i) => {
      const place = this.#values[i];
      if (place && place.textContent !== value) place.textContent = value;
    });
  }

  #item({ key, label, style, shown }: LegendEntry, value: HTMLElement): HTMLElement {
    const button = element(
      'button',
      { type: 'button', 'aria-pressed': String(shown), title: shown ? t('Hide {0}', label) : t('Show {0}', label) },
      sample(style),
      element('span', { class: 'label' }, label),
      value,
    );
    button.addEventListener('click', () => this.#toggle(key));
    return element('li', {}, button);
  }
}

const SVG = 'http://www.w3.org/2000/svg';

/** A piece of the line with its marker. */
export function sample({ color, dash, marker, width }: LineStyle): Element {
  const svg = svgElement('svg', {
    width: 24,
    height: 10,
    viewBox: '0 0 24 10',
    'aria-hidden': 'true',
    class: 'sample',
  });
  const dashes = dash.length > 0 ? { 'stroke-dasharray': dash.join(' ') } : {};
  svg.append(
    svgElement('line', { x1: 0, x2: 24, y1: 5, y2: 5, stroke: color, 'stroke-width': width + 0.25, ...dashes }),
  );
  if (marker)
    svg.append(
      svgElement('path', { d: shapes[marker], fill: color, stroke: color, 'stroke-width': marker === 'cross' ? 2 : 0 }),
    );
  return svg;
}

/** The markers of `draw.ts` around (12, 5). */
const shapes: Readonly<Record<Marker, string>> = {
  circle: 'M8.3 5a3.7 3.7 0 1 0 7.4 0a3.7 3.7 0 1 0 -7.4 0',
  square: 'M8.8 1.8h6.4v6.4h-6.4z',
  triangle: 'M12 .8l4 7.2h-8z',
  triangleDown: 'M12 9.2l-4 -7.2h8z',
  diamond: 'M12 .5l4 4.5l-4 4.5l-4 -4.5z',
  cross: 'M8.5 1.5l7 7M8.5 8.5l7 -7',
  star: 'M12 .2l1.2 3.3h3.5l-2.8 2.1l1 3.4l-2.9 -2l-2.9 2l1 -3.4l-2.8 -2.1h3.5z',
  bar: 'M8 3.4h8v3.2h-8z',
};

function svgElement(tag: string, attributes: Readonly<Record<string, string | number>>): Element {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}
