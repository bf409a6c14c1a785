/** Numbers of a log are read to the last bit, and nothing else is taken for one. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimal } from '../../../src/store/metrics/decimal.ts';

function read(text: string): { value: number; end: number } {
  const into = new Float64Array(1);
  const end = decimal(Buffer.from(`${text},\n`), 0, into, 0);
  return { value: into[0] ?? 0, end };
}

test('what JSON writes comes back as it was', () => {
  const float = fc.float({ noNaN: true, noDefaultInfinity: true });
  const double = fc.double({ noNaN: true, noDefaultInfinity: true });
  const near = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.oneof(float, double, near, fc.integer(), fc.maxSafeInteger()), (value) => {
      const text = JSON.stringify(value);
      expect(read(text)).toEqual({ value: Number(text), end: text.length });
    }),
    { numRuns: 20_000 },
  );
});

test('digits in any number round as Number rounds them, also halfway between two doubles', () => {
  const digits = fc.stringMatching(/^(0|[1-9]\d{0,24})(\.\d{1,28})?$/);
  // 2^53 + 1 and the like: the nearest doubles are equally far.
  const halfway = fc
    .tuple(fc.integer({ min: 0, max: 2 ** 20 }), fc.constantFrom('', '.0', '.000', '.00001', '.5'))
    .map(([odd, rest]) => `${BigInt(2 ** 53) + BigInt(2 * odd + 1)}${rest}`);
  fc.assert(
    fc.property(fc.oneof(digits, halfway), fc.boolean(), (text, isNegative) => {
      const signed = isNegative ? `-${text}` : text;
      expect(read(signed)).toEqual({ value: Number(signed), end: signed.length });
    }),
    { numRuns: 20_000 },
  );
});

test.each(['', '-', '.5', '5.', '01', '-01', '+1', '1e', '1e+', 'NaN', '"NaN', '"nan"', '"Infinity', 'x', '-"NaN"'])(
  '%j is no number',
  (text) => expect(read(text).end).toBe(-1),
);

test('the strings that stand for numbers JSON lacks are read', () => {
  expect(read('"NaN"')).toEqual({ value: Number.NaN, end: 5 });
  expect(read('"Infinity"')).toEqual({ value: Number.POSITIVE_INFINITY, end: 10 });
  expect(read('"-Infinity"')).toEqual({ value: Number.NEGATIVE_INFINITY, end: 11 });
});
