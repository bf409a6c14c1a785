/** The cursor that all charts share: an epoch that a person points at, or none. */
export class Cursor {
  #epoch: number | undefined;
  readonly #listeners: (() => void)[] = [];

  get epoch(): number | undefined {
    return this.#epoch;
  }

  move(epoch: number | undefined): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    for (const listener of this.#listeners) listener();
  }

  onMove(listener: () => void): void {
    this.#listeners.push(listener);
  }
}
