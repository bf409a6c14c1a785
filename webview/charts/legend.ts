/** A chart's legend, with the values at the cursor. */
import { element } from '../dom.ts';

export interface ReadOut {
  readonly label: string;
  readonly color: string;
  readonly dashed: boolean;
  readonly value: string;
}

export function legend(readOuts: readonly ReadOut[]): HTMLLIElement[] {
  return readOuts.map(({ label, color, dashed, value }) =>
    element('li', {}, sample(color, dashed), element('span', {}, label), element('b', {}, value)),
  );
}

/** A piece of the line. */
export function sample(color: string, dashed: boolean): HTMLElement {
  const style = `border-top-color: ${color}; border-top-style: ${dashed ? 'dashed' : 'solid'}`;
  return element('span', { class: 'sample', style, 'aria-hidden': 'true' });
}
