/** What is passed over of a log makes no difference to the state that it tells. */
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { encodeEvent } from '../../src/core/events.ts';
import { emptyRun, reduceRunAll } from '../../src/core/run.ts';
import { LogOutline } from '../../src/store/logOutline.ts';
import { readRun } from '../../src/store/runReader.ts';
import { anyEvent, epochEvent, startEvent, stepEvent } from '../core/examples.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const lineOf = (event: object) => `${encodeEvent(event)}\n`;
const append = (folder: string, text: string | Buffer) => fs.appendFileSync(path.join(folder, 'events.jsonl'), text);

test('the state is that after every event, however the log was cut while it was read', () => {
  const root = temporaryFolder();
  const odd = fc.constantFrom('', 'noise', '{"v":1,"type":"step","st', '{"v":2,"type":"epoch"}');
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, odd), { maxLength: 30 }), fc.array(fc.nat(9000)), (all, cuts) => {
      const events = all.map(([event]) => event);
      const bytes = Buffer.from(all.map(([event, noise]) => `${noise}\n${lineOf(event)}`).join(''));
      const folder = fs.mkdtempSync(path.join(root, 'run-'));
      const outline = new LogOutline(folder);
      let from = 0;
      for (const to of [...cuts].sort((a, b) => a - b).concat(bytes.length)) {
        append(folder, bytes.subarray(from, to));
        outline.read();
        from = to;
      }
      const counted = events.filter(({ type }) => type !== 'layers');
      const id = events.length > 0 ? 'run' : path.basename(folder);
      expect(outline.state).toEqual({ ...reduceRunAll(emptyRun(id), counted), id: outline.state.id });
      if (counted.length > 0) expect(outline.state.id).toBe('run');
    }),
    { numRuns: 300 },
  );
});

/** More than a megabyte of steps. */
const many = (from: number, to: number, attempt = 0) =>
  Array.from({ length: to - from + 1 }, (_, i) => lineOf(stepEvent(from + i, { attempt }))).join('');

test('of a long run hardly a step is parsed, and none of its lines is lost', () => {
  const folder = temporaryFolder();
  append(folder, lineOf(startEvent()) + many(1, 6000) + lineOf(epochEvent(1)) + many(6001, 9000));
  const layers = { v: 1, type: 'layers', run: 'run', attempt: 0, t: 1, step: 9000, grad: { main: { head: 1 } } };
  append(folder, lineOf(layers).repeat(30_000));
  const parse = vi.spyOn(JSON, 'parse');
  const { state } = readRun(folder);
  expect(parse.mock.calls.length).toBeLessThan(20);
  parse.mockRestore();
  expect(state).toMatchObject({ state: 'lost', firstStep: { step: 1 }, lastStep: { step: 9000 }, t: 9000 });
  expect(state.epochs).toHaveLength(1);
});

test('a living run is told from the ends of its log, and then followed', () => {
  const folder = temporaryFolder();
  append(folder, lineOf(startEvent()) + many(1, 9000) + lineOf(epochEvent(700)) + many(9001, 9100));
  const read = vi.spyOn(fs, 'readSync');
  const outline = LogOutline.ofNewest(folder);
  expect(outline.read()).toMatchObject({
    start: { name: 'fashion-vit' },
    firstStep: { step: 1 },
    lastStep: { step: 9100 },
    epochs: [{ epoch: 700 }],
  });
  const bytes = read.mock.results.reduce((sum, { value }) => sum + Number(value), 0);
  read.mockRestore();
  expect(bytes).toBeLessThan(1.2e6);
  append(folder, lineOf({ ...startEvent(), type: 'state', state: 'stopping', t: 9101 }));
  expect(outline.read()).toMatchObject({ state: 'stopping', lastStep: { step: 9100 } });
});

test('a living run that was stopped and went on in what is not read runs', () => {
  const folder = temporaryFolder();
  const stopped = { v: 1, run: 'run', attempt: 0, t: 9, type: 'end', state: 'stopped', message: 'Stopped.' };
  append(folder, lineOf(startEvent()) + many(1, 9) + lineOf(stopped) + many(10, 400));
  append(folder, lineOf(startEvent({ attempt: 1, fromStep: 9 })) + many(400, 9000, 1));
  const state = LogOutline.ofNewest(folder).read();
  expect(state).toMatchObject({ state: 'running', end: undefined, lastStep: { step: 9000 } });
  expect(state.firstStep?.attempt).toBe(1);
});

test('only the newest of many epochs and warnings are kept', () => {
  const folder = temporaryFolder();
  append(folder, Array.from({ length: 1500 }, (_, i) => lineOf(epochEvent(i))).join(''));
  const outline = new LogOutline(folder);
  outline.read();
  outline.trim();
  expect(outline.state.epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 1000 }, (_, i) => 500 + i));
});
