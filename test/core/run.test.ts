/** The state of a run is what its events told, however many of them come at once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { emptyRun, eventsThatCount, isOver, reduceRun, reduceRunAll, secondsLeft } from '../../src/core/run.ts';
import { anyEvent, epochEvent, startEvent, stepEvent } from './examples.ts';

const envelope = { v: 1, run: 'run', attempt: 0 } as const;
const states = [
  ['starting', []],
  ['running', [startEvent()]],
  ['running', [startEvent(), stepEvent(1), epochEvent(1)]],
  ['stopping', [startEvent(), { ...envelope, t: 2, type: 'state', state: 'stopping' }]],
  ['stopped', [startEvent(), { ...envelope, t: 2, type: 'end', state: 'stopped', message: '' }]],
  ['failed', [startEvent(), { ...envelope, t: 2, type: 'end', state: 'failed', message: '' }]],
] as const satisfies readonly (readonly [string, readonly RunEvent[]])[];

test('all events at once give what one after the other gives, in any pieces', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), fc.nat(), (events, at) => {
      const oneByOne = events.reduce(reduceRun, emptyRun('run'));
      expect(reduceRunAll(emptyRun('run'), events)).toEqual(oneByOne);
      const cut = events.length === 0 ? 0 : at % events.length;
      const first = reduceRunAll(emptyRun('run'), events.slice(0, cut));
      expect(reduceRunAll(first, events.slice(cut))).toEqual(oneByOne);
    }),
  );
});

test('reducing changes no earlier state', () => {
  const before = reduceRunAll(emptyRun('run'), [startEvent(), stepEvent(1), epochEvent(1)]);
  const copy = structuredClone(before);
  reduceRunAll(before, [stepEvent(2), epochEvent(2), { ...envelope, t: 3, type: 'warning', message: 'slow' }]);
  expect(before).toEqual(copy);
});

describe('the state', () => {
  for (const [state, events] of states) {
    const over = state === 'stopped' || state === 'failed';
    test(`after ${events.map((event) => event.type).join(', ') || 'nothing'} is ${state}`, () => {
      const run = reduceRunAll(emptyRun('run'), events);
      expect(run.state).toBe(state);
      expect(isOver(run)).toBe(over);
    });
  }
  test('lost is over, too', () => expect(isOver({ state: 'lost' })).toBe(true));
});

test('everything that is shown is kept', () => {
  const run = reduceRunAll(emptyRun('run'), [
    startEvent(),
    stepEvent(1),
    { ...envelope, t: 5, type: 'layers', step: 1, grad: { main: { head: 1 } } },
    { ...envelope, t: 6, type: 'checkpoint', step: 1, file: 'checkpoints/a' },
    { ...envelope, t: 7, type: 'checkpoint', step: 2, file: 'checkpoints/b' },
    { ...envelope, t: 8, type: 'warning', message: 'slow' },
    stepEvent(9),
    epochEvent(1, { top1: 0.7 }),
  ]);
  expect([run.firstStep?.step, run.lastStep?.step]).toEqual([1, 9]);
  expect(run.epochs[0]?.validation?.top1).toBe(0.7);
  expect(run.warnings).toEqual(['slow']);
  expect(run.lastCheckpoint).toBe('checkpoints/b');
  expect(run.t).toBe(10);
});

describe('a run that goes on', () => {
  const end: RunEvent = { ...envelope, t: 50, type: 'end', state: 'stopped', message: '' };
  const layers = (step: number): RunEvent => ({
    ...envelope,
    t: step,
    type: 'layers',
    step,
    grad: { main: { head: 1 } },
  });
  const first = [startEvent(), stepEvent(10), layers(10), epochEvent(1), stepEvent(20), layers(20), epochEvent(2), end];
  const again = (fromStep: number) => startEvent({ attempt: 1, t: 60, fromStep });

  test('forgets what it did after the checkpoint that it goes on from', () => {
    const run = reduceRunAll(emptyRun('run'), [...first, again(15), stepEvent(20, { t: 70 })]);
    expect(run.lastStep).toMatchObject({ step: 20, t: 70 });
    expect(run.epochs.map(({ epoch }) => epoch)).toEqual([1]);
    expect(run).toMatchObject({ state: 'running', end: undefined, t: 70, start: { attempt: 1, fromStep: 15 } });
  });
  test('keeps what it did up to that step', () => {
    const run = reduceRunAll(emptyRun('run'), [...first, again(20)]);
    expect(run.lastStep?.step).toBe(20);
    expect(run.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });
  test('of its events those count that were not done again', () => {
    const counting = eventsThatCount([...first, again(15), stepEvent(20, { t: 70 })]);
    const steps = counting.flatMap((event) => (event.type === 'step' ? [[event.step, event.t]] : []));
    expect(steps).toEqual([
      [10, 10],
      [20, 70],
    ]);
    expect(counting.filter(({ type }) => type === 'layers')).toHaveLength(1);
  });
});

describe('the time left', () => {
  const left = (...events: RunEvent[]) => secondsLeft(reduceRunAll(emptyRun('run'), events));
  test('is the rest of the steps at the pace so far', () => {
    expect(left(startEvent(), stepEvent(10, { t: 20 }), stepEvent(20, { t: 40 }))).toBeCloseTo(160);
  });
  test('does not count what went before the first step', () => {
    expect(left(startEvent(), stepEvent(1, { t: 100 }), stepEvent(11, { t: 110 }))).toBeCloseTo(89);
  });
  test('is unknown before the first step, and after the end', () => {
    expect(left(startEvent())).toBeUndefined();
    const end: RunEvent = { ...envelope, t: 50, type: 'end', state: 'stopped', message: '' };
    expect(left(startEvent(), stepEvent(10), end)).toBeUndefined();
  });
});
