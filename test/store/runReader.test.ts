/** The run folder as others read it: nothing is read twice or lost, whatever state the files are in. */
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { RunEvent } from '../../src/core/events.ts';
import { runFiles } from '../../src/store/layout.ts';
import { writeLock } from '../../src/store/lock.ts';
import { EventTail, findRun, listRuns } from '../../src/store/runReader.ts';
import { RunWriter } from '../../src/store/runWriter.ts';
import { config, deadLock, end, finishedRun, ownLock, start, step } from './examples.ts';
import { temporaryFolder } from './temporaryFolder.ts';

describe('the event tail', () => {
  const lines = (() => {
    const writer = { text: '' };
    const events = [start, step(1), step(2), { type: 'warning', message: 'ä\n„漢字“ 😀' } as const, end];
    for (const [i, event] of events.entries()) {
      writer.text += `${JSON.stringify({ v: 1, run: 'r', attempt: 0, t: i, ...event }).replace(/null/g, '"NaN"')}\n`;
    }
    return writer.text;
  })();

  function readInPieces(bytes: Buffer, cuts: readonly number[]): RunEvent[] {
    const folder = fs.mkdtempSync(path.join(shared, 'tail-'));
    const tail = new EventTail(folder);
    const read = tail.read(); // no file yet
    let from = 0;
    for (const to of [...cuts].sort((a, b) => a - b).concat(bytes.length)) {
      fs.appendFileSync(path.join(folder, runFiles.events), bytes.subarray(from, to));
      read.push(...tail.read());
      from = to;
    }
    return read;
  }
  let shared: string;

  test('gives the same events for any split of the bytes', () => {
    shared = temporaryFolder();
    const bytes = Buffer.from(lines);
    const expected = readInPieces(bytes, []);
    expect(expected.map((event) => event.type)).toEqual(['start', 'step', 'step', 'warning', 'end']);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        expect(readInPieces(bytes, cuts)).toEqual(expected);
      }),
    );
  });

  test('passes over lines that are no events, and later types', () => {
    shared = temporaryFolder();
    const [first, ...rest] = lines.trimEnd().split('\n');
    const mixed = [first, '', 'noise', '{"v":1,"type":"hologram"}', '{"v":9}', ...rest, ''].join('\n');
    expect(readInPieces(Buffer.from(mixed), [])).toEqual(readInPieces(Buffer.from(lines), []));
  });

  test('reads more than it takes at once, and a line longer than that', () => {
    const folder = temporaryFolder();
    const writer = RunWriter.create(folder, 'r', config);
    const message = 'x'.repeat(3_000_000);
    writer.emit({ type: 'warning', message });
    for (let i = 0; i < 10_000; i++) writer.emit(step(i));
    writer.close();
    const events = new EventTail(writer.folder).read();
    expect(events.length).toBe(10_001);
    expect(events[0]).toMatchObject({ message });
    expect(events.at(-1)).toMatchObject({ step: 9999 });
  });

  test('is not led astray by a half line that the writer took back', () => {
    const writer = RunWriter.create(temporaryFolder(), 'r', config);
    const tail = new EventTail(writer.folder);
    writer.emit(start);
    const file = path.join(writer.folder, runFiles.events);
    const size = fs.statSync(file).size;
    fs.appendFileSync(file, '{"v":1,"type":"st');
    expect(tail.read().length).toBe(1);
    fs.truncateSync(file, size);
    expect(tail.read()).toEqual([]);
    writer.emit(step(5));
    writer.close();
    expect(tail.read()).toMatchObject([{ type: 'step', step: 5 }]);
  });
});

describe('the list of runs', () => {
  test('is empty where there is no folder', () => {
    expect(listRuns(path.join(temporaryFolder(), 'none'))).toEqual([]);
  });

  test('holds the runs, newest first, and passes over everything else', () => {
    const out = temporaryFolder();
    finishedRun(out, 'b');
    const newer = RunWriter.create(out, 'a', config, { lock: ownLock() });
    newer.emit({ ...start, at: '2026-02-02T00:00:00.000Z' });
    for (let i = 0; i < 200; i++) newer.emit(step(i)); // far more than a list reads
    newer.close();
    fs.writeFileSync(path.join(out, 'notes.txt'), '');
    fs.mkdirSync(path.join(out, 'empty'));
    fs.mkdirSync(path.join(out, 'foreign'));
    fs.writeFileSync(path.join(out, 'foreign', 'config.json'), '{"model_type":"bert"}');
    fs.mkdirSync(path.join(out, 'damaged'));
    fs.writeFileSync(path.join(out, 'damaged', 'config.json'), '{');
    fs.symlinkSync(path.join(out, 'nowhere'), path.join(out, 'link'));
    const rest = {
      name: 'Größe „ä“',
      method: 'masksub',
      role: 'method',
      pair: 'p-s0',
      seed: 7,
      dataset: 'fashion-mnist-mini',
    };
    expect(listRuns(out)).toEqual([
      { id: 'a', folder: path.join(out, 'a'), ...rest, at: '2026-02-02T00:00:00.000Z', state: 'running' },
      { id: 'b', folder: path.join(out, 'b'), ...rest, at: '2026-01-02T03:04:05.678Z', state: 'finished' },
    ]);
  });

  test('knows half-made runs from their config and lock', () => {
    const out = temporaryFolder();
    RunWriter.create(out, 'alive', config, { lock: ownLock() }).close();
    RunWriter.create(out, 'dead', { ...config, method: { name: 'baseline' } }, { lock: deadLock }).close();
    const torn = RunWriter.create(out, 'torn', config, { lock: deadLock });
    torn.close();
    fs.appendFileSync(path.join(torn.folder, runFiles.events), '{"v":1,"type":"start","na');
    const states = Object.fromEntries(listRuns(out).map((run) => [run.id, [run.state, run.role, run.name, run.seed]]));
    expect(states).toEqual({
      alive: ['starting', 'method', 'example', 7],
      dead: ['lost', 'baseline', 'example', 7],
      torn: ['lost', 'method', 'example', 7],
    });
  });

  test('sees states between and after the steps', () => {
    const out = temporaryFolder();
    const writer = RunWriter.create(out, 'r', config, { lock: ownLock() });
    const state = () => listRuns(out)[0]?.state;
    writer.emit(start);
    writer.emit({ type: 'state', state: 'stopping' });
    writer.emit(step(1));
    expect(state()).toBe('stopping');
    fs.appendFileSync(path.join(writer.folder, runFiles.events), '{"torn');
    expect(state()).toBe('stopping');
    writer.close();
    writeLock(writer.folder, deadLock);
    expect(state()).toBe('lost');
  });
});

describe('finding a run', () => {
  test('by its id, its folder or the path to it', () => {
    const out = temporaryFolder();
    const { folder } = finishedRun(out, '20260101-masksub');
    expect(findRun(out, '20260101-masksub')).toBe(folder);
    expect(findRun('/elsewhere', folder)).toBe(folder);
    expect(findRun('/elsewhere', path.relative(process.cwd(), folder))).toBe(folder);
  });

  test('or the nearest is named', () => {
    const out = temporaryFolder();
    const hint = (id: string) => {
      try {
        return findRun(out, id);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        return (error as UserError).hint;
      }
    };
    expect(hint('x')).toContain('no runs');
    finishedRun(out, '20260101-masksub');
    expect(hint('20260101-maskub')).toBe('Did you mean "20260101-masksub"?');
    expect(hint('2026')).toBe('Did you mean "20260101-masksub"?');
    expect(hint('zzz')).toBe('The newest is "20260101-masksub".');
    expect(hint('')).toBe('The newest is "20260101-masksub".');
  });
});
