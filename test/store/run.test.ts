/** The run folder, written and read: nothing is lost, nothing is read twice, and nothing unfinished looks finished. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { RunEvent } from '../../src/core/events.ts';
import { checkpointName, runFiles } from '../../src/store/layout.ts';
import { writeLock } from '../../src/store/lock.ts';
import { EventTail, findRun, listRuns, readRun } from '../../src/store/runReader.ts';
import { RunWriter } from '../../src/store/runWriter.ts';
import { decodeSafetensors, type TensorFile } from '../../src/store/safetensors.ts';
import { config, end, ownLock, start, step, summary } from './examples.ts';
import { temporaryFolder } from './temporaryFolder.ts';

afterEach(() => {
  delete process.env.MASKSUB_FAULT;
});

const tensors: TensorFile = new Map([['w', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }]]);

function finishedRun(out: string, id: string): RunWriter {
  const writer = RunWriter.create(out, id, config, { lock: ownLock() });
  writer.emit(start);
  writer.emit(step(1));
  writer.emit(end);
  writer.finish(summary);
  return writer;
}

/** A lock of a process that is no more. */
const deadLock = { ...ownLock(), startTime: 'long ago' };

describe('a run', () => {
  test('reads as it was written', () => {
    const out = path.join(temporaryFolder(), 'runs');
    let now = 100;
    const writer = RunWriter.create(out, 'r', config, { clock: () => now, lock: ownLock() });
    expect(readRun(writer.folder).state.state).toBe('starting');
    const said = [writer.emit(start)];
    expect(said[0]).toMatchObject({ v: 1, run: 'r', attempt: 0, t: 0, pair: 'p-s0' });
    now = 101.5;
    said.push(writer.emit(step(1)));
    expect(readRun(writer.folder).state.state).toBe('running');
    now = 50; // a clock that is set back must not give a time that no reader accepts
    said.push(writer.emit(step(2)));
    expect(said.map((event) => event.t)).toEqual([0, 1.5, 0]);

    const file = writer.writeCheckpoint(checkpointName(400), tensors, { step: '400' });
    expect(file).toBe('checkpoints/step-000000400.safetensors');
    const bytes = fs.readFileSync(path.join(writer.folder, file));
    expect(decodeSafetensors(bytes, file)).toEqual({ tensors, metadata: { step: '400' } });
    said.push(writer.emit({ type: 'checkpoint', step: 400, file }));

    fs.writeFileSync(path.join(writer.folder, runFiles.control), '{}');
    said.push(writer.emit(end));
    writer.finish(summary);
    const run = readRun(writer.folder);
    expect(run).toMatchObject({ id: 'r', folder: writer.folder, summary });
    expect(run.lock).toBeUndefined();
    expect(run.state).toMatchObject({ state: 'finished', lastCheckpoint: file, end: said.at(-1) });
    expect(run.state.steps).toEqual([said[1], said[2]]);
    expect(run.state.steps[0]?.loss.sub).toBeNaN();
    expect(fs.readdirSync(writer.folder).sort()).toEqual([
      'checkpoints',
      'config.json',
      'events.jsonl',
      'summary.json',
    ]);
    expect(JSON.parse(fs.readFileSync(path.join(writer.folder, 'config.json'), 'utf8'))).toEqual(config);
  });

  test('is lost when its process is gone without an end', () => {
    const writer = RunWriter.create(temporaryFolder(), 'r', config, { lock: deadLock });
    writer.emit(start);
    writer.close();
    expect(readRun(writer.folder).state.state).toBe('lost');
    expect(readRun(writer.folder).lock).toEqual(deadLock);
  });

  test('that failed stays failed after its process', () => {
    const writer = RunWriter.create(temporaryFolder(), 'r', config, { lock: deadLock });
    writer.emit(start);
    writer.emit({ type: 'end', state: 'failed', message: 'The disk is full.' });
    writer.close();
    expect(readRun(writer.folder).state).toMatchObject({ state: 'failed', end: { message: 'The disk is full.' } });
  });

  test('with a torn last line is read up to it', () => {
    const writer = RunWriter.create(temporaryFolder(), 'r', config, { lock: ownLock() });
    writer.emit(start);
    writer.close();
    fs.appendFileSync(path.join(writer.folder, runFiles.events), '{"v":1,"type":"end","state":"finis');
    expect(readRun(writer.folder).state.state).toBe('running');
  });

  test('must be one', () => {
    expect(() => readRun(temporaryFolder())).toThrow(UserError);
    expect(() => readRun('/no/such/folder')).toThrow('is no run folder');
  });
});

describe('what stands in the way', () => {
  const failure = (out: string, id: string): UserError => {
    try {
      RunWriter.create(out, id, config);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).hint).toBeTruthy();
      return error as UserError;
    }
    throw new Error('Nothing was thrown');
  };

  test('a run of that id, which stays as it is', () => {
    const out = temporaryFolder();
    finishedRun(out, 'r');
    expect(failure(out, 'r').message).toBe(
      `There is a run folder or a file of that name already: ${path.join(out, 'r')}.`,
    );
    expect(readRun(path.join(out, 'r')).state.state).toBe('finished');
  });

  test('a file where the run folder should be', () => {
    const out = temporaryFolder();
    fs.writeFileSync(path.join(out, 'r'), 'mine');
    expect(failure(out, 'r').message).toContain(path.join(out, 'r'));
    expect(fs.readFileSync(path.join(out, 'r'), 'utf8')).toBe('mine');
  });

  test('a file where the folder of runs should be', () => {
    const out = path.join(temporaryFolder(), 'runs');
    fs.writeFileSync(out, 'mine');
    expect(failure(out, 'r').message).toContain(out);
    expect(failure(path.join(out, 'deeper'), 'r').message).toContain('A file lies where a folder should be');
    expect(fs.readFileSync(out, 'utf8')).toBe('mine');
  });

  test.each(['', '.', '..', 'a/b', '../a'])('an id that is no name of a folder: "%s"', (id) => {
    const out = temporaryFolder();
    expect(failure(out, id).message).toContain('is no run id');
    expect(fs.readdirSync(out)).toEqual([]);
  });
});

describe('a full disk', () => {
  /** A run as the runner drives it. */
  function whole(out: string): void {
    const writer = RunWriter.create(out, 'r', config, { lock: ownLock() });
    try {
      writer.emit(start);
      for (let i = 1; i <= 3; i++) writer.emit(step(i));
      writer.writeCheckpoint(checkpointName(3), tensors, {});
      writer.emit(end);
      writer.finish(summary);
    } finally {
      writer.close();
    }
  }

  test('at any write gives one sentence, whole files and lines only, and no summary', () => {
    let first = 1;
    for (; ; first++) {
      const out = temporaryFolder();
      process.env.MASKSUB_FAULT = `enospc:${first}`;
      let failure: unknown;
      try {
        whole(out);
      } catch (error) {
        failure = error;
      }
      delete process.env.MASKSUB_FAULT;
      if (failure === undefined) break;
      expect(failure).toBeInstanceOf(UserError);
      expect((failure as UserError).message).toMatch(/^The disk is full: cannot write /);
      const folder = path.join(out, 'r');
      if (!fs.existsSync(folder)) {
        expect(fs.readdirSync(out), 'a run that could not begin leaves nothing').toEqual([]);
        continue;
      }
      expect(fs.existsSync(path.join(folder, runFiles.summary))).toBe(false);
      const files = fs.readdirSync(folder, { recursive: true }).map(String);
      expect(files.filter((file) => file.endsWith('.tmp'))).toEqual([]);
      const text = fs.readFileSync(path.join(folder, runFiles.events), 'utf8');
      expect(text === '' || text.endsWith('\n')).toBe(true);
      // The end event is the last but one write: before it nothing may read as finished.
      const ended = text.includes('"type":"end"');
      writeLock(folder, deadLock);
      expect(readRun(folder).state.state).toBe(ended ? 'finished' : 'lost');
      if (ended) expect((failure as UserError).message).toContain(runFiles.summary);
    }
    expect(first, 'number of writes of that run').toBe(10);
  });

  test('a real one, of 64 kB', ({ skip }) => {
    const mount = temporaryFolder();
    const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount], {
      encoding: 'utf8',
    });
    if (status !== 0) skip(`mounting is not allowed here: ${(error?.message ?? stderr).trim()}`);
    try {
      const writer = RunWriter.create(mount, 'r', config, { lock: deadLock });
      writer.emit(start);
      let steps = 0;
      const fill = () => {
        for (; steps < 10_000; steps++) writer.emit(step(steps));
      };
      expect(fill).toThrow(/^The disk is full/);
      expect(() => writer.writeCheckpoint(checkpointName(1), tensors, {})).toThrow(/^The disk is full/);
      expect(() => writer.finish(summary)).toThrow(/^The disk is full/);
      writer.close();
      const run = readRun(writer.folder);
      expect(run.state.state).toBe('lost');
      expect(run.summary).toBeUndefined();
      expect(run.state.steps.length).toBe(steps);
      expect(fs.readFileSync(path.join(writer.folder, runFiles.events), 'utf8').endsWith('\n')).toBe(true);
    } finally {
      spawnSync('umount', [mount]);
    }
  });
});

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
