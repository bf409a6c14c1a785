/** A labelled select whose options may change while it keeps its value and its focus. */
import { element } from '../dom.ts';

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export class SelectField {
  readonly root: HTMLLabelElement;
  readonly #select = element('select');
  #made = '';

  constructor(label: string, changed: () => void, choices: readonly Choice[] = []) {
    this.root = element('label', { class: 'field' }, element('span', {}, label), this.#select);
    this.#select.addEventListener('change', changed);
    this.setChoices(choices);
  }

  get value(): string {
    return this.#select.value;
  }

  set value(value: string) {
    this.#select.value = value;
  }

  /** A value that is no more gives way to the first. */
  setChoices(choices: readonly Choice[]): void {
    const made = JSON.stringify(choices);
    if (made === this.#made) return;
    this.#made = made;
    const { value } = this.#select;
    this.#select.replaceChildren(...choices.map((choice) => element('option', { value: choice.value }, choice.label)));
    if (choices.some((choice) => choice.value === value)) this.#select.value = value;
  }
}
