/** The dashboard gets every event of a run once, while it is written and after; of the steps the newest. */
import { expect, test } from 'vitest';
import { RunFeed } from '../../src/extension/runFeed.ts';
import { RunWriter } from '../../src/store/runWriter.ts';
import { startEvent, stepEvent } from '../core/examples.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';

test('events come as they are written, and the end ends it', async () => {
  const out = temporaryFolder();
  const feed = new RunFeed('a', `${out}/a`);
  expect(await feed.read()).toBeUndefined(); // its folder is not there yet
  const writer = RunWriter.create(out, 'a', {});
  await feed.read();
  writer.emit(startEvent());
  expect((await feed.read())?.map(({ type }) => type)).toEqual(['start']);
  expect(await feed.read()).toBeUndefined();
  writer.emit(stepEvent(1));
  writer.emit(stepEvent(2));
  expect((await feed.read())?.map((event) => event.type === 'step' && event.step)).toEqual([1, 2]);
  expect(feed.facts()?.steps).toMatchObject({ rows: 2, extent: { step: [1, 2] } });
  expect(feed.over).toBe(false);
  writer.emit({ type: 'end', state: 'stopped', message: 'Stopped.' });
  writer.close();
  expect(await feed.read()).toHaveLength(1);
  expect(feed.over).toBe(true);
  feed.close();
});
