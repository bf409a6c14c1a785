/** Reads lines that differ from one before in their numbers only, without parsing them as JSON. */
import { decimal } from './decimal.ts';

/** A line taken apart: the bytes between its numbers, and what each number is called. */
export interface Shape {
  readonly type: string;
  /** Lengths of the texts between the numbers, one more than there are numbers. */
  readonly lengths: Int32Array;
  /** These texts: as many bytes as fill words of four, in the order of the processor-independent `DataView`, then the rest. */
  readonly words: Int32Array;
  readonly rest: Uint8Array;
  readonly paths: readonly string[];
  /** What the numbers of the line read last are. */
  readonly values: Float64Array;
}

/** Names and values of the numbers of a parsed event, in the order of the line; `texts` are those that are no number at all, and count as NaN. */
export function leavesOf(event: object): { paths: string[]; values: number[]; isPlain: boolean; texts: Set<string> } {
  const texts = new Set<string>();
  const paths: string[] = [];
  const values: number[] = [];
  let isPlain = true;
  const visit = (prefix: string, value: unknown, depth: number): void => {
    if (typeof value === 'number') {
      paths.push(prefix);
      values.push(value);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if (depth > 8) return;
      for (const [key, inner] of Object.entries(value)) {
        if (/^\d+$/.test(key)) isPlain = false; // JavaScript sorts such keys
        visit(prefix === '' ? key : `${prefix}.${key}`, inner, depth + 1);
      }
    } else if (prefix !== 'type' && prefix !== 'run') {
      isPlain = false;
      if (typeof value !== 'string' || !isWord(value)) texts.add(prefix);
      paths.push(prefix);
      values.push(typeof value === 'string' && isWord(value) ? Number(value) : Number.NaN);
    }
  };
  visit('', event, 0);
  return { paths, values, isPlain, texts };
}

const isWord = (text: string) => text === 'NaN' || text === 'Infinity' || text === '-Infinity';

/** The shape of a line, or nothing where its numbers cannot be told from its text alone. */
export function shapeOf(
  line: Uint8Array,
  type: string,
  paths: readonly string[],
  values: readonly number[],
): Shape | undefined {
  const text = Buffer.from(line).toString('latin1');
  const literals: string[] = [];
  let from = 0;
  let found = 0;
  // Strings are passed over whole, but for those that stand for numbers; what is left of digits are the others.
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(?=\s*(:)?)|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g)) {
    const isKey = match[1] !== undefined;
    const inner = match[0].startsWith('"') ? match[0].slice(1, -1) : undefined;
    if (inner !== undefined && (isKey || !isWord(inner))) continue;
    if (!Object.is(Number(inner ?? match[0]), values[found++])) return undefined;
    literals.push(text.slice(from, match.index));
    from = match.index + match[0].length;
  }
  if (found !== values.length || new Set(paths).size !== paths.length) return undefined;
  literals.push(text.slice(from));
  const words: number[] = [];
  const rest: number[] = [];
  for (const literal of literals) {
    const bytes = Buffer.from(literal, 'latin1');
    const whole = bytes.length - (bytes.length % 4);
    for (let i = 0; i < whole; i += 4) words.push(bytes.readInt32LE(i));
    rest.push(...bytes.subarray(whole));
  }
  return {
    type,
    lengths: Int32Array.from(literals, ({ length }) => length),
    words: Int32Array.from(words),
    rest: Uint8Array.from(rest),
    paths,
    values: new Float64Array(found),
  };
}

/**
 * Reads the line from `start` to `end`, where its line feed is, into the shape's values; false where it has another shape. `view` is
 * of the same bytes.
 */
export function matches(shape: Shape, bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
  const { lengths, words, rest, values } = shape;
  let at = start;
  let word = 0;
  let byte = 0;
  for (let i = 0; i < lengths.length; i++) {
    const length = lengths[i] ?? 0;
    const stop = at + length;
    if (stop > end) return false;
    for (const whole = at + (length & ~3); at < whole; at += 4) {
      if (view.getInt32(at, true) !== words[word++]) return false;
    }
    for (; at < stop; at++) if (bytes[at] !== rest[byte++]) return false;
    if (i === values.length) break;
    at = decimal(bytes, at, values, i);
    if (at < 0) return false;
  }
  return at === end;
}
