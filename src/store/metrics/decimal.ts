/** Reads numbers as JSON writes them, each to the double that `Number` gives, without making a string of most. */

/** Powers of ten that a double holds exactly, and these split into halves whose products are exact (Dekker, 1971). */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const SPLIT = 2 ** 27 + 1;
const HIGH = POWERS.map((power) => power * SPLIT - (power * SPLIT - power));
const LOW = POWERS.map((power, i) => power - (HIGH[i] ?? 0));

/** Digits that fit into an integer of 32 bits. */
const PART = 9;
const WORDS: readonly (readonly [string, number])[] = [
  ['"NaN"', Number.NaN],
  ['"Infinity"', Number.POSITIVE_INFINITY],
  ['"-Infinity"', Number.NEGATIVE_INFINITY],
];

/** Reads the number at `at` into `into[i]`; returns where it ends, or −1 where there is none. A line feed must come after it. */
export function decimal(bytes: Uint8Array, at: number, into: Float64Array, i: number): number {
  const from = at;
  let byte = bytes[at] ?? 0;
  if (byte === 0x22) return word(bytes, at, into, i);
  const isNegative = byte === 0x2d;
  if (isNegative) byte = bytes[++at] ?? 0;
  // Significant digits, nine and nine: what is beyond needs `Number`.
  let high = 0;
  let low = 0;
  let digits = 0;
  const first = at;
  for (let digit = byte - 0x30; digit >= 0 && digit <= 9; digit = byte - 0x30) {
    if (digits < PART) high = (Math.imul(high, 10) + digit) | 0;
    else low = (Math.imul(low, 10) + digit) | 0;
    if (high !== 0) digits++;
    byte = bytes[++at] ?? 0;
  }
  const whole = at - first;
  if (whole === 0 || (whole > 1 && bytes[first] === 0x30)) return -1;
  let decimals = 0;
  if (byte === 0x2e) {
    byte = bytes[++at] ?? 0;
    const point = at;
    for (let digit = byte - 0x30; digit >= 0 && digit <= 9; digit = byte - 0x30) {
      if (digits < PART) high = (Math.imul(high, 10) + digit) | 0;
      else low = (Math.imul(low, 10) + digit) | 0;
      if (high !== 0) digits++;
      byte = bytes[++at] ?? 0;
    }
    decimals = at - point;
    if (decimals === 0) return -1;
  }
  if (byte === 0x65 || byte === 0x45) return withExponent(bytes, from, at, into, i);
  const value =
    digits <= 2 * PART && decimals <= 22 ? quotient(high, low, Math.max(0, digits - PART), decimals) : Number.NaN;
  into[i] = Number.isNaN(value) ? Number(textOf(bytes, from, at)) : isNegative ? -value : value;
  return at;
}

/**
 * (high · 10^lowDigits + low) / 10^decimals, rounded once; NaN where it lies so near to the middle of two doubles that this would
 * need more digits. Products and sums are kept with their rounding errors (Dekker, "A floating-point technique for extending the
 * available precision", Numerische Mathematik 18, 1971).
 */
function quotient(high: number, low: number, lowDigits: number, decimals: number): number {
  const shift = POWERS[lowDigits] ?? 1;
  const divisor = POWERS[decimals] ?? 1;
  // Both are exact: 15 and 30 bits times 30.
  const a = (high >> 15) * shift * 32768;
  const b = (high & 32767) * shift + low;
  const sum = a + b;
  const lost = b - (sum - a);
  if (decimals === 0) return sum;
  const near = sum / divisor;
  if (lost === 0) return near;
  const c = near * SPLIT;
  const nearHigh = c - (c - near);
  const nearLow = near - nearHigh;
  const divisorHigh = HIGH[decimals] ?? 0;
  const divisorLow = LOW[decimals] ?? 0;
  const product = near * divisor;
  const error = nearHigh * divisorHigh - product + nearHigh * divisorLow + nearLow * divisorHigh + nearLow * divisorLow;
  const more = (sum - product - error + lost) / divisor;
  const rounded = near + more;
  const rest = more - (rounded - near);
  return rounded + rest * (1 + 1e-6) === rounded ? rounded : Number.NaN;
}

function withExponent(bytes: Uint8Array, from: number, mantissa: number, into: Float64Array, i: number): number {
  let at = mantissa + 1;
  if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
  const first = at;
  while ((bytes[at] ?? 0) >= 0x30 && (bytes[at] ?? 0) <= 0x39) at++;
  if (at === first) return -1;
  into[i] = Number(textOf(bytes, from, at));
  return at;
}

/** JSON has no NaN or infinities: they travel as strings. */
function word(bytes: Uint8Array, at: number, into: Float64Array, i: number): number {
  for (const [text, value] of WORDS) {
    let same = 0;
    while (same < text.length && bytes[at + same] === text.charCodeAt(same)) same++;
    if (same < text.length) continue;
    into[i] = value;
    return at + same;
  }
  return -1;
}

const textOf = (bytes: Uint8Array, from: number, to: number) =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
