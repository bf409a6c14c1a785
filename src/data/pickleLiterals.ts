/** How pickles write numbers and text. */

import { Malformed } from './pickleMachine.ts';

/** Longer numbers are in no file of weights or images, and take ages to read. */
const maxDigits = 1000;

/** Protocol 1 and below write False as 00 and True as 01. */
export function integerOrTruth(text: string): number | bigint | boolean {
  return text === '00' || text === '01' ? text === '01' : integer(text);
}

export function integer(text: string): number | bigint {
  if (text.length > maxDigits || !/^\s*[+-]?\d+\s*$/.test(text)) throw new Malformed('there is no number');
  return narrowed(BigInt(text.trim().replace(/^\+/, '')));
}

/** Little-endian, of any length. */
export function twosComplement(bytes: Uint8Array): number | bigint {
  if (bytes.length > maxDigits) throw new Malformed(`there is a number of ${bytes.length} bytes`);
  const digits = [...bytes].reverse().map((byte) => byte.toString(16).padStart(2, '0'));
  return narrowed(BigInt.asIntN(8 * bytes.length, BigInt(`0x0${digits.join('')}`)));
}

const narrowed = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

export function float(text: string): number {
  if (text.length > maxDigits) throw new Malformed('there is no number');
  const named = /^\s*([+-]?)(inf|nan)(inity)?\s*$/i.exec(text);
  if (named) return named[2]?.toLowerCase() === 'nan' ? Number.NaN : named[1] === '-' ? -Infinity : Infinity;
  if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text)) throw new Malformed('there is no number');
  return Number(text);
}

export function memoIndex(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Malformed('there is no number of a remembered value');
  return Number(text);
}

/** Python's own notation of a string of bytes. */
export function unquoted(text: string): string {
  const quoted = /^(['"])([\s\S]*)\1\s*$/.exec(text);
  if (!quoted) throw new Malformed('a string has no quotes');
  const named: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', f: '\f', v: '\v' };
  return (quoted[2] ?? '').replace(/\\(x([\da-fA-F]{2})|[0-7]{1,3}|[\s\S])/g, (_, escaped: string, digits?: string) => {
    if (digits !== undefined) return String.fromCharCode(Number.parseInt(digits, 16));
    if (/^[0-7]/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped, 8) & 0xff);
    return named[escaped] ?? escaped;
  });
}

export const rawUnicode = (text: string) =>
  text.replace(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8}))/g, (whole, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? '', 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

export const latin1 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
export const utf8 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

/** A byte per character. */
export const latin1Bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
