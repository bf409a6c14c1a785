/** The status bar tells of the run that is furthest behind. */
import { expect, test } from 'vitest';
import { emptyRun, reduceRunAll } from '../../src/core/run.ts';
import { statusText } from '../../src/extension/statusText.ts';
import { startEvent, stepEvent } from '../core/examples.ts';

const run = (id: string, step: number) => reduceRunAll(emptyRun(id), [startEvent(), stepEvent(step, { t: 2 * step })]);

test('the slower run counts', () => {
  expect(statusText([run('fast', 75), run('slow', 25)])).toBe('epoch 3 of 10, 2 min 30 s left');
});

test('before the first step it starts', () => {
  expect(statusText([run('fast', 75), emptyRun('new')])).toBe('starting…');
});

test('once told to stop it stops', () => {
  expect(statusText([{ ...run('a', 75), state: 'stopping' }, run('b', 25)])).toBe('stopping…');
});
