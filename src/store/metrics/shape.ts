/** Reads lines that differ from one before in their numbers only, without parsing them as JSON. */

/** A line taken apart: the bytes between its numbers, and what each number is called. */
export interface Shape {
  readonly type: string;
  /** One more than there are numbers. */
  readonly literals: readonly Uint8Array[];
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
  const own = Uint8Array.from(line); // the reader's buffer is filled anew
  const text = Buffer.from(own).toString('latin1');
  const literals: Uint8Array[] = [];
  let from = 0;
  let found = 0;
  // Strings are passed over whole; what is left of digits are the numbers.
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g)) {
    if (match[0].startsWith('"')) continue;
    if (Number(match[0]) !== values[found++]) return undefined;
    literals.push(own.slice(from, match.index));
    from = match.index + match[0].length;
  }
  if (found !== values.length || new Set(paths).size !== paths.length) return undefined;
  literals.push(own.slice(from));
  return { type, literals, paths, values: new Float64Array(found) };
}

/** Reads the line from `start` to `end` into the shape's values; false where it has another shape. */
export function matches(shape: Shape, bytes: Buffer, start: number, end: number): boolean {
  const { literals, values } = shape;
  let at = start;
  for (let i = 0; i < literals.length; i++) {
    const literal = literals[i];
    if (!literal || at + literal.length > end) return false;
    for (let j = 0; j < literal.length; j++) if (bytes[at + j] !== literal[j]) return false;
    at += literal.length;
    if (i === values.length) break;
    const from = at;
    const negative = bytes[at] === 0x2d;
    if (negative) at++;
    let mantissa = 0;
    let decimals = -1;
    let digits = 0;
    const first = bytes[at] ?? 0;
    for (; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0x30 && byte <= 0x39) {
        mantissa = mantissa * 10 + (byte - 0x30);
        digits++;
        if (decimals >= 0) decimals++;
      } else if (byte === 0x2e && decimals < 0 && digits > 0) decimals = 0;
      else break;
    }
    if (digits === 0 || decimals === 0) return false; // no number of JSON
    const hasExponent = bytes[at] === 0x65 || bytes[at] === 0x45;
    const second = bytes[negative ? from + 2 : from + 1] ?? 0;
    if (first === 0x30 && second >= 0x30 && second <= 0x39) return false;
    // Both parts are exact up to here, so one division rounds as reading the text does.
    if (!hasExponent && mantissa <= Number.MAX_SAFE_INTEGER && decimals <= 22) {
      const value = decimals > 0 ? mantissa / (POWERS[decimals] ?? 1) : mantissa;
      values[i] = negative ? -value : value;
      continue;
    }
    if (hasExponent) while (at < end && isNumberByte(bytes[at] ?? 0)) at++;
    const text = bytes.toString('latin1', from, at);
    // What has no exponent was looked at digit by digit.
    if (hasExponent && !/^-?\d+(?:\.\d+)?[eE][-+]?\d+$/.test(text)) return false;
    values[i] = Number(text);
  }
  return at === end;
}

const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const isNumberByte = (byte: number) =>
  (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e || byte === 0x65 || byte === 0x45;
