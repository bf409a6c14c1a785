/** Numbers reach the dashboard as they are, those that JSON lacks too. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromWire, toWire } from '../../src/core/wire.ts';

test('NaN and infinities arrive as numbers, texts of that name as texts', () => {
  const message = { loss: Number.NaN, grads: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5], name: 'NaN' };
  expect(fromWire(toWire(message))).toEqual(message);
});

test('any number arrives', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      const [got] = fromWire(toWire([value])) as [number];
      expect(got).toBe(Object.is(value, -0) ? 0 : value); // JSON knows no −0
    }),
  );
});
