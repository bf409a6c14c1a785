/** Which lines of the run table are selected, and which one the keys act on. */
import { keyOf, type Line } from './viewRows.ts';

export class Selection {
  #keys: ReadonlySet<string> = new Set();
  #active: string | undefined;
  /** Where a range begins. */
  #anchor: string | undefined;

  /** The key of the line that the keys act on. */
  get active(): string | undefined {
    return this.#active;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Ids of the selected runs, in the order of the lines. */
  runs(lines: readonly Line[]): string[] {
    return lines.flatMap((line) => (line.kind === 'run' && this.#keys.has(keyOf(line)) ? [line.row.id] : []));
  }

  /** `only` this line; `toggle` it beside the others; `extend` from where the last range began up to it. */
  select(line: Line, mode: 'only' | 'toggle' | 'extend', lines: readonly Line[]): void {
    const key = keyOf(line);
    if (mode === 'only') this.#keys = new Set([key]);
    else if (mode === 'toggle') this.#keys = toggled(this.#keys, key);
    else this.#keys = new Set(range(lines.map(keyOf), this.#anchor ?? key, key));
    this.#active = key;
    if (mode !== 'extend') this.#anchor = key;
  }

  /** Forgets lines that are not there any more. */
  keep(lines: readonly Line[]): void {
    const keys = new Set(lines.map(keyOf));
    this.#keys = new Set([...this.#keys].filter((key) => keys.has(key)));
    if (this.#active !== undefined && !keys.has(this.#active)) this.#active = undefined;
    if (this.#anchor !== undefined && !keys.has(this.#anchor)) this.#anchor = this.#active;
  }
}

/** The set with that value, or without it where it had it. */
export function toggled<T>(set: ReadonlySet<T>, value: T): Set<T> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}

function range(keys: readonly string[], a: string, b: string): string[] {
  const [i, j] = [keys.indexOf(a), keys.indexOf(b)];
  return keys.slice(Math.min(i, j), Math.max(i, j) + 1);
}
