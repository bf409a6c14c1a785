/** Small controls of this page: buttons, a choice of few, a section with its heading. */
import { element } from '../dom.ts';
import { agreementText } from './sampleFacts.ts';

export interface ChoiceOption<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly about?: string;
}

/** One of a few, all in sight: a group of buttons of which one is pressed. */
export class ChoiceGroup<T extends string> {
  readonly root: HTMLElement;
  readonly #buttons = new Map<T, HTMLButtonElement>();
  #value: T;

  constructor(title: string, options: readonly ChoiceOption<T>[], value: T, changed: () => void) {
    this.#value = value;
    for (const option of options) {
      const made = element('button', { type: 'button', title: option.about }, option.label);
      made.addEventListener('click', () => {
        this.#value = option.value;
        this.#mark();
        changed();
      });
      this.#buttons.set(option.value, made);
    }
    this.root = element('span', { class: 'choices', role: 'group', 'aria-label': title }, ...this.#buttons.values());
    this.#mark();
  }

  get value(): T {
    return this.#value;
  }

  /** Another label for one of the options. */
  label(value: T, label: string): void {
    const made = this.#buttons.get(value);
    if (made && made.textContent !== label) made.textContent = label;
  }

  /** Takes an option out of the choice, and puts it back. */
  hide(value: T, hidden: boolean): void {
    const made = this.#buttons.get(value);
    if (made) made.hidden = hidden;
  }

  #mark(): void {
    for (const [value, made] of this.#buttons) made.setAttribute('aria-pressed', String(value === this.#value));
  }
}

/** A part of the page under a heading that the navigation leads to. */
export function partOf(id: string, title: string, ...children: (Node | string)[]): HTMLElement {
  const heading = element('h2', { id: `explain-${id}-title`, tabindex: -1 }, title);
  return element(
    'section',
    { id: `explain-${id}`, class: 'part', 'aria-labelledby': heading.id },
    heading,
    ...children,
  );
}

/** Text for screen readers beside a sign that all others see. */
export const spokenOnly = (text: string): HTMLElement => element('span', { class: 'spoken' }, text);

/** A sign and a word: never a colour alone. */
export function verdict(
  good: boolean,
  word: string,
  signs: readonly [good: string, bad: string] = ['✓', '✗'],
): HTMLElement {
  return element(
    'span',
    { class: good ? 'verdict-good' : 'verdict-bad' },
    element('span', { class: 'sign', 'aria-hidden': 'true' }, good ? signs[0] : signs[1]),
    word,
  );
}

/** Whether the branches agree. */
export const agreement = (agrees: boolean): HTMLElement => verdict(agrees, agreementText(agrees), ['=', '≠']);
