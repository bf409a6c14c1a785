/** Events survive the way through a file: numbers that JSON lacks, torn lines, fields of a later version. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEvent, encodeEvent, type RunEvent, summarySchema } from '../../src/core/events.ts';
import { anyEvent, startEvent, stepEvent } from './examples.ts';

test('every event comes back as it was', () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      expect(decodeEvent(encodeEvent(event))).toEqual(event);
    }),
  );
});

describe('numbers that JSON does not have', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    test(String(value), () => {
      const event = stepEvent(3, { loss: { total: value, main: value }, grad: { total: value, main: 1 } });
      const line = encodeEvent(event);
      expect(line).toContain(`"total":"${value}"`);
      expect(decodeEvent(line)).toEqual(event);
    });
  }
  test('stand only where they may', () => {
    const line = encodeEvent({ ...stepEvent(3), step: Number.NaN });
    expect(decodeEvent(line)).toBeUndefined();
    expect(decodeEvent(encodeEvent(stepEvent(3)).replace(/"total":[^,}]+/, '"total":"many"'))).toBeUndefined();
  });
});

test('a torn line is no event, wherever it was cut', () => {
  const line = encodeEvent(stepEvent(3));
  for (let length = 0; length < line.length; length++) expect(decodeEvent(line.slice(0, length))).toBeUndefined();
});

describe('what is read', () => {
  const read = (change: object) => decodeEvent(JSON.stringify({ ...stepEvent(3), ...change }));
  test('passes over fields that it does not know', () => expect(read({ luck: 7 })).toEqual(stepEvent(3)));
  test.each<[string, object]>([
    ['another version', { v: 2 }],
    ['a type of a later version', { type: 'galaxy' }],
    ['a negative step', { step: -1 }],
    ['half a step', { step: 1.5 }],
    ['no run', { run: undefined }],
  ])('refuses %s', (_, change) => expect(read(change)).toBeUndefined());
  test('is eager and float32 where an older version did not say', () => {
    const { executorReason: _, precision: __, ...older } = startEvent();
    expect(read(older)).toMatchObject({ type: 'start', precision: 'float32', executorReason: '' });
    const cost = { seconds: 1, cpuSeconds: 1, images: 1, flops: 1, peakMemoryBytes: 1 };
    expect(summarySchema.parse({ state: 'finished', steps: 1, epochs: 1, cost })).toMatchObject({
      executor: 'eager',
      precision: 'float32',
    });
  });
  test.each(['null', '7', '[]', '{}', 'step', ''])('takes %j for no event', (line) => {
    expect(decodeEvent(line)).toBeUndefined();
  });
});

test('an event is one line', () => {
  const message = 'The first line.\nThe second.';
  const event: RunEvent = { v: 1, run: 'r', attempt: 0, t: 1, type: 'warning', message };
  expect(encodeEvent(event)).not.toContain('\n');
  expect(decodeEvent(encodeEvent(event))).toEqual(event);
});
