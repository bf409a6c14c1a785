/** What the dashboard shows follows from the messages, whatever their order. */
import { describe, expect, test } from 'vitest';
import type { RunHandle, ToDashboard } from '../../src/core/messages.ts';
import {
  applyMessage,
  chartedRuns,
  type DashboardState,
  emptyState,
  everyRun,
  isLiving,
  pairsOf,
  runsOf,
  shownPair,
} from '../../webview/state.ts';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';

const handle = (seed: number, method: 'baseline' | 'masksub', lost = false): RunHandle => ({
  id: `exp-s${seed}-${method}`,
  name: 'fashion-vit',
  method,
  role: method === 'baseline' ? 'baseline' : 'method',
  pair: `exp-s${seed}`,
  experiment: 'exp',
  seed,
  lost,
});
const seeds = [0, 1].flatMap((seed) => [handle(seed, 'baseline'), handle(seed, 'masksub')]);
const stateAfter = (...messages: ToDashboard[]) => messages.reduce<DashboardState>(applyMessage, emptyState);
const begun = (seed: number, at: string): ToDashboard => ({
  type: 'events',
  run: `exp-s${seed}-masksub`,
  events: [startEvent({ seed, at })],
});
const end = { v: 1, run: '', attempt: 0, t: 9, type: 'end', state: 'finished', message: '' } as const;

test('before it is told anything there is nothing to show', () => {
  expect(shownPair(emptyState)).toBeUndefined();
  expect(stateAfter({ type: 'show', runs: [] }).told).toBe(true);
});

test('a pair that has not begun is shown as starting, the method first', () => {
  const state = stateAfter({ type: 'show', runs: seeds });
  const pair = shownPair(state);
  expect(pair && runsOf(pair).map(({ handle, run }) => [handle.method, run.state])).toEqual([
    ['masksub', 'starting'],
    ['baseline', 'starting'],
  ]);
  expect(isLiving(state)).toBe(true);
});

describe('of several seeds', () => {
  test('the one that began last is shown', () => {
    const both = stateAfter(
      { type: 'show', runs: seeds },
      begun(0, '2026-01-01T00:00:00Z'),
      begun(1, '2026-01-01T01:00:00Z'),
    );
    expect(pairsOf(both).map(({ seed }) => seed)).toEqual([0, 1]);
    expect(shownPair(both)?.seed).toBe(1);
  });

  test('a picked one stays while more of the experiment arrive, and goes with the experiment', () => {
    const picked = { ...stateAfter({ type: 'show', runs: seeds.slice(0, 2) }, begun(0, 'a')), picked: 'exp-s0' };
    const messages: ToDashboard[] = [{ type: 'show', runs: seeds }, begun(1, 'b')];
    const grown = messages.reduce<DashboardState>(applyMessage, picked);
    expect(shownPair(grown)?.seed).toBe(0);
    const other = applyMessage(grown, {
      type: 'show',
      runs: [{ ...handle(0, 'masksub'), id: 'other-s0-masksub', pair: 'other-s0' }],
    });
    expect(other.picked).toBeUndefined();
  });
});

describe('several experiments at once', () => {
  const other = handle(0, 'masksub');
  const runs = [...seeds, { ...other, id: 'other-s0-masksub', pair: 'other-s0', experiment: 'other' }];

  test('all runs are drawn, until a pair is picked', () => {
    const state = stateAfter({ type: 'show', runs });
    expect(chartedRuns(state)).toHaveLength(5);
    expect(chartedRuns({ ...state, picked: 'other-s0' }).map(({ handle }) => handle.id)).toEqual(['other-s0-masksub']);
  });

  test('of one experiment a pair is drawn, until all are picked', () => {
    const state = stateAfter({ type: 'show', runs: seeds });
    expect(chartedRuns(state)).toHaveLength(2);
    expect(chartedRuns({ ...state, picked: everyRun })).toHaveLength(4);
  });

  test('a run keeps its style while others come and go', () => {
    const before = stateAfter({ type: 'show', runs });
    const after = applyMessage(before, { type: 'show', runs: runs.slice(2) });
    for (const { id } of runs.slice(2)) expect(after.slots.get(id)).toBe(before.slots.get(id));
    const again = applyMessage(after, { type: 'show', runs });
    expect(new Set(again.slots.values()).size).toBe(5);
  });
});

test('events add up over messages, and those of a run that is not shown are dropped', () => {
  const run = 'exp-s0-masksub';
  const state = stateAfter(
    { type: 'show', runs: seeds },
    { type: 'events', run, events: [startEvent(), stepEvent(1)] },
    { type: 'events', run, events: [stepEvent(2), epochEvent(1)] },
    { type: 'events', run: 'gone', events: [startEvent()] },
  );
  expect(state.runs.get(run)?.lastStep?.step).toBe(2);
  expect(state.runs.get(run)?.epochs).toHaveLength(1);
  expect(state.runs.has('gone')).toBe(false);
});

test('showing again forgets the points, so that a replay does not double them', () => {
  const run = 'exp-s0-masksub';
  const events: ToDashboard = { type: 'events', run, events: [startEvent(), epochEvent(1)] };
  const state = stateAfter({ type: 'show', runs: seeds }, events, { type: 'show', runs: seeds }, events);
  expect(state.runs.get(run)?.epochs).toHaveLength(1);
});

describe('a lost run', () => {
  const run = 'exp-s0-masksub';

  test('is lost also after the replay of its events', () => {
    const runs = [handle(0, 'masksub', true)];
    const state = stateAfter({ type: 'show', runs }, { type: 'events', run, events: [startEvent(), stepEvent(1)] });
    expect(state.runs.get(run)?.state).toBe('lost');
    expect(isLiving(state)).toBe(false);
  });

  test('that told its end after all has ended', () => {
    const shown: ToDashboard = { type: 'show', runs: seeds };
    const events: ToDashboard = { type: 'events', run, events: [startEvent(), end] };
    expect(stateAfter(shown, { type: 'lost', run }, events).runs.get(run)?.state).toBe('finished');
    expect(stateAfter(shown, events, { type: 'lost', run }).runs.get(run)?.state).toBe('finished');
  });
});

test('a notice stays until something else is shown', () => {
  const state = stateAfter({ type: 'show', runs: [] }, { type: 'notice', text: 'The disk is full.' });
  expect(state.notice).toBe('The disk is full.');
  expect(applyMessage(state, { type: 'show', runs: seeds }).notice).toBeUndefined();
});
