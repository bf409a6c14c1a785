/** A text that is saved when its field is left or Enter is pressed; Escape brings back what was there. */

export class EditField {
  readonly #field: HTMLInputElement | HTMLTextAreaElement;
  readonly #save: (text: string) => void;
  #saved = '';

  /** In a field of several lines Shift+Enter makes a new one. */
  constructor(field: HTMLInputElement | HTMLTextAreaElement, save: (text: string) => void) {
    this.#field = field;
    this.#save = save;
    field.addEventListener('blur', () => this.commit());
    field.addEventListener('keydown', (event) => {
      const { key, shiftKey, isComposing } = event as KeyboardEvent;
      if (key === 'Enter' && !shiftKey && !isComposing) {
        event.preventDefault();
        this.commit();
      } else if (key === 'Escape' && field.value !== this.#saved) {
        event.stopPropagation(); // the next one closes what holds the field
        field.value = this.#saved;
      }
    });
  }

  /** What is saved now. A text that is being typed stays until it is saved or given up. */
  set(text: string): void {
    const isTyping = document.activeElement === this.#field && this.#field.value !== this.#saved;
    this.#saved = text;
    if (!isTyping && this.#field.value !== text) this.#field.value = text;
  }

  commit(): void {
    if (this.#field.value === this.#saved) return;
    this.#saved = this.#field.value;
    this.#save(this.#field.value);
  }
}
