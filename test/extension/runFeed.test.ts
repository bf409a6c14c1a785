/** The dashboard gets every event of a run once, while it is written and after. */
import { expect, test } from 'vitest';
import { RunFeed } from '../../src/extension/runFeed.ts';
import { RunWriter } from '../../src/store/runWriter.ts';
import { startEvent, stepEvent } from '../core/examples.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';

test('events come as they are written, and the end ends it', () => {
  const out = temporaryFolder();
  const feed = new RunFeed('a', `${out}/a`);
  expect(feed.read()).toEqual([]); // its folder is not there yet
  const writer = RunWriter.create(out, 'a', {});
  expect(feed.read()).toEqual([]);
  writer.emit(startEvent());
  expect(feed.read().map(({ type }) => type)).toEqual(['start']);
  expect(feed.read()).toEqual([]);
  writer.emit(stepEvent(1));
  writer.emit(stepEvent(2));
  expect(feed.read().map((event) => event.type === 'step' && event.step)).toEqual([1, 2]);
  expect(feed.over).toBe(false);
  writer.emit({ type: 'end', state: 'stopped', message: 'Stopped.' });
  writer.close();
  expect(feed.read()).toHaveLength(1);
  expect(feed.over).toBe(true);
});
