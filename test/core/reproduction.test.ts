/** A run made again is compared number by number, however long it is. */
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { compareRepeated } from '../../src/core/reproduction.ts';
import { epochEvent, startEvent, stepEvent } from './examples.ts';

const compared = (before: Iterable<RunEvent>, now: Iterable<RunEvent>) =>
  compareRepeated({ facts: {}, events: before }, { facts: {}, events: now });
const loss = (step: number, main: number) => stepEvent(step, { loss: { total: 1.5, main, sub: 1 } });

describe('of a run and its repetition', () => {
  const events = [startEvent(), stepEvent(10), epochEvent(1, {}), stepEvent(20), epochEvent(2)];
  test('equal numbers are counted', () => {
    // 7 of a step, 2 of an epoch and 3 of its validation
    expect(compared(events, events)).toEqual({ compared: 21, equal: 21, missing: 0, reasons: [] });
  });
  test('the first and the largest deviation are named', () => {
    const again = [startEvent({ dataHash: 'other' }), loss(10, 2.2), ...events.slice(2, 3), loss(20, 4)];
    const result = compared(events, again);
    expect(result).toMatchObject({ compared: 19, equal: 17, missing: 2, first: { name: 'loss.main', step: 10 } });
    expect(result.largest).toEqual({ name: 'loss.main', step: 20, deviation: 0.5 });
    expect(result.reasons).toEqual([['data', 'sha256:c', 'other']]);
  });
  test('what one of them lacks is missing, wherever', () => {
    expect(compared([stepEvent(1), stepEvent(3)], [stepEvent(2), stepEvent(3), stepEvent(4)])).toMatchObject({
      ...{ compared: 7, equal: 7, missing: 21 },
    });
  });
});

test('both are read in step, so that neither need be in memory', () => {
  const read = [0, 0];
  let apart = 0;
  function* events(side: 0 | 1): Generator<RunEvent> {
    for (let step = 1; step <= 1000; step++) {
      read[side] = step;
      apart = Math.max(apart, Math.abs((read[0] ?? 0) - (read[1] ?? 0)));
      yield stepEvent(step);
    }
  }
  expect(compared(events(0), events(1)).equal).toBe(7000);
  expect(apart).toBeLessThan(4);
});
