/** The run folder as it is written: nothing is lost, and nothing unfinished looks finished. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { runFiles } from '../../src/store/layout.ts';
import { writeLock } from '../../src/store/lock.ts';
import { EventTail, listRuns, readRun } from '../../src/store/runReader.ts';
import { endDeadRun, RunWriter } from '../../src/store/runWriter.ts';
import { decodeSafetensors, type TensorFile } from '../../src/store/safetensors.ts';
import { config, deadLock, end, finishedRun, ownLock, start, step, summary } from './examples.ts';
import { temporaryFolder } from './temporaryFolder.ts';

afterEach(() => {
  delete process.env.MASKSUB_FAULT;
});

const tensors: TensorFile = new Map([['w', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }]]);

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

    const file = writer.writeCheckpoint('step-000000400.safetensors', tensors, { step: '400' });
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
    expect([run.state.firstStep, run.state.lastStep]).toEqual([said[1], said[2]]);
    expect(run.state.firstStep?.loss.sub).toBeNaN();
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
      writer.writeCheckpoint('step-000000003.safetensors', tensors, {});
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
      writeLock(folder, deadLock);
      expect(readRun(folder).state.state).toBe('lost');
      expect(listRuns(out)[0]?.state).toBe('lost');
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
      expect(() => writer.writeCheckpoint('step-000000001.safetensors', tensors, {})).toThrow(/^The disk is full/);
      expect(() => writer.finish(summary)).toThrow(/^The disk is full/);
      writer.close();
      const run = readRun(writer.folder);
      expect(run.state.state).toBe('lost');
      expect(run.summary).toBeUndefined();
      expect(new EventTail(writer.folder).read().filter(({ type }) => type === 'step').length).toBe(steps);
      expect(fs.readFileSync(path.join(writer.folder, runFiles.events), 'utf8').endsWith('\n')).toBe(true);
    } finally {
      spawnSync('umount', [mount]);
    }
  });
});

test('what was said is on the disk after 5 s at most, and an end at once', () => {
  vi.useFakeTimers();
  const sync = vi.spyOn(fs, 'fsyncSync');
  try {
    const writer = RunWriter.create(temporaryFolder(), 'r', config);
    writer.emit(start);
    sync.mockClear();
    writer.emit(step(1));
    vi.advanceTimersByTime(4900);
    writer.emit(step(2));
    expect(sync).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(sync).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(60_000);
    expect(sync, 'nothing new').toHaveBeenCalledTimes(1);
    writer.emit({ type: 'end', state: 'stopped', message: '' });
    expect(sync).toHaveBeenCalledTimes(2);
    writer.close();
  } finally {
    vi.useRealTimers();
    sync.mockRestore();
  }
});

describe('a run whose process died', () => {
  test('gets the end that it could not write, behind the line that it left unfinished', () => {
    const out = temporaryFolder();
    const writer = RunWriter.create(out, 'r', config, { lock: deadLock });
    writer.emit(start);
    writer.emit(step(1));
    writer.close();
    fs.appendFileSync(path.join(writer.folder, runFiles.events), '{"v":1,"type":"st');
    const unfinished = path.join(writer.folder, runFiles.checkpoints, 'best.safetensors.123.tmp');
    fs.mkdirSync(path.dirname(unfinished), { recursive: true });
    fs.writeFileSync(unfinished, 'half');
    expect(endDeadRun(out, 'r', 'It was killed.')).toMatchObject({ type: 'end', state: 'failed', run: 'r' });
    const run = readRun(writer.folder);
    expect(run.state).toMatchObject({ state: 'failed', end: { message: 'It was killed.' }, lastStep: { step: 1 } });
    expect(run.lock).toBeUndefined();
    expect(fs.existsSync(unfinished)).toBe(false);
    expect(listRuns(out)[0]?.state).toBe('failed');
  });

  test('is left alone where it has an end, or never began', () => {
    const out = temporaryFolder();
    finishedRun(out, 'over');
    const before = fs.readFileSync(path.join(out, 'over', runFiles.events), 'utf8');
    expect(endDeadRun(out, 'over', 'It was killed.')).toBeUndefined();
    expect(fs.readFileSync(path.join(out, 'over', runFiles.events), 'utf8')).toBe(before);
    expect(endDeadRun(out, 'none', 'It was killed.')).toBeUndefined();
    expect(fs.existsSync(path.join(out, 'none'))).toBe(false);
  });
});

describe('a run that goes on', () => {
  const resumed = (out: string) => RunWriter.resume(path.join(out, 'r'), ownLock(), () => 1000);
  /** A run that was killed while it wrote. */
  function killedRun(): string {
    const out = temporaryFolder();
    let now = 0;
    const writer = RunWriter.create(out, 'r', config, { clock: () => now, lock: deadLock });
    writer.emit(start);
    now = 5;
    writer.emit(step(1));
    writer.emit(step(2));
    writer.close();
    fs.appendFileSync(path.join(writer.folder, runFiles.events), '{"v":1,"type":"st');
    return out;
  }

  test('says its events as the next attempt, behind what was cut off, and its time goes on', () => {
    const out = killedRun();
    fs.writeFileSync(path.join(out, 'r', 'run.lock.123.tmp'), 'half');
    const writer = resumed(out);
    expect(writer.attempt).toBe(1);
    expect(writer.emit({ ...start, fromStep: 1 })).toMatchObject({ run: 'r', attempt: 1, t: 5 });
    writer.emit(step(2));
    expect(listRuns(out)[0]).toMatchObject({ state: 'running', at: start.at });
    writer.emit(end);
    writer.finish(summary);
    const { state } = readRun(writer.folder);
    expect(state.lastStep).toMatchObject({ step: 2, attempt: 1 });
    expect(state.state).toBe('finished');
    expect(fs.readdirSync(writer.folder).sort()).toEqual(['config.json', 'events.jsonl', 'summary.json']);
    const lines = fs.readFileSync(path.join(writer.folder, runFiles.events), 'utf8').split('\n');
    expect(lines.slice(2, 5).map((line) => line.slice(0, 18))).toEqual([
      '{"v":1,"type":"ste',
      '{"v":1,"type":"st',
      '{"v":1,"type":"sta',
    ]);
  });

  test('keeps the summary of the attempt before until the new one has begun', () => {
    const out = temporaryFolder();
    const { folder } = finishedRun(out, 'r');
    const events = fs.readFileSync(path.join(folder, runFiles.events), 'utf8');
    const writer = resumed(out);
    expect(readRun(folder).summary).toEqual(summary);
    expect(fs.readFileSync(path.join(folder, runFiles.events), 'utf8'), 'whole lines stay as they are').toBe(events);
    writer.emit({ ...start, fromStep: 1 });
    expect(readRun(folder).summary).toBeUndefined();
    expect(readRun(folder).state).toMatchObject({ state: 'running', end: undefined });
    writer.close();
  });

  test('is not written by two at once', () => {
    const out = killedRun();
    const writer = resumed(out);
    expect(() => resumed(out)).toThrow('is alive');
    writer.close();
  });

  test('shows in the time of the folder that holds the runs', () => {
    const out = killedRun();
    const longAgo = new Date(2020, 1);
    fs.utimesSync(out, longAgo, longAgo);
    resumed(out).close();
    expect(fs.statSync(out).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
  });
});
