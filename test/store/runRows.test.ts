/** The rows of the run table: what each run came to and what is wrong with it, read once. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { EngineEvent } from '../../src/core/events.ts';
import { annotate } from '../../src/store/annotations.ts';
import { runFiles } from '../../src/store/layout.ts';
import { removeLock, writeLock } from '../../src/store/lock.ts';
import { RunRows } from '../../src/store/runRows.ts';
import { RunWriter } from '../../src/store/runWriter.ts';
import { config, deadLock, finishedRun, ownLock, start, step, summary } from './examples.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const rowsOf = (...outs: string[]) => new RunRows(() => outs).read();
function epoch(number: number, top1?: number): EngineEvent {
  const validation = top1 === undefined ? {} : { validation: { loss: 0.7, top1, maskedTop1: 0.4, samples: 100 } };
  return { type: 'epoch', epoch: number, step: 31 * number, train: { loss: 1, top1: 0.5 }, ...validation };
}

test('a finished run says what it is and what it came to', () => {
  const out = temporaryFolder();
  finishedRun(out, 'p-s0-masksub');
  expect(rowsOf(out)).toEqual([
    {
      ...{ id: 'p-s0-masksub', name: 'Größe „ä“', method: 'masksub', role: 'method', pair: 'p-s0', experiment: 'p' },
      ...{ seed: 7, dataset: 'fashion-mnist-mini', at: start.at, state: 'finished' },
      ...{ epochs: 150, top1: 0.82, loss: 0.5, seconds: 60, flops: 1e12, peakMemoryBytes: 2e8 },
      ...{ star: false, tags: [], notes: '' },
      config: {
        name: 'example',
        'data.dataset': 'fashion-mnist-mini',
        'method.name': 'masksub',
        'train.seed': 7,
      },
    },
  ]);
});

test('a living run says how far it is, each time anew', () => {
  const out = temporaryFolder();
  const rows = new RunRows(() => [out]);
  const writer = RunWriter.create(out, 'r', { ...config, model: { name: 'vit' } }, { lock: ownLock() });
  expect(rows.read()).toMatchObject([{ id: 'r', state: 'starting', model: 'vit' }]);
  writer.emit(start);
  writer.emit(step(1));
  writer.emit(epoch(1, 0.6));
  writer.emit(epoch(2));
  expect(rows.read()).toMatchObject([
    { state: 'running', epochs: 2, top1: 0.6, maskedTop1: 0.4, loss: 0.7, flops: 1e9 },
  ]);
  writer.emit(epoch(3, 0.7));
  expect(rows.read()).toMatchObject([{ epochs: 3, top1: 0.7 }]);
  expect(rows.read()[0]?.problem).toBeUndefined();
  writer.close();
  removeLock(writer.folder);
  expect(rows.read()).toMatchObject([{ state: 'lost', top1: 0.7, problem: expect.stringMatching(/process ended/) }]);
});

test('folders that stay as they are are read once', () => {
  const out = temporaryFolder();
  const writers = ['a', 'b', 'c'].map((id) => finishedRun(out, id));
  const rows = new RunRows(() => [out]);
  const first = rows.read();
  const spies = [vi.spyOn(fs, 'readFileSync'), vi.spyOn(fs, 'openSync')] as const;
  const filesRead = () => spies.flatMap((spy) => spy.mock.calls.splice(0).map(([file]) => path.basename(String(file))));
  try {
    expect(rows.read()).toEqual(first);
    expect(filesRead()).toEqual([]);
    fs.writeFileSync(
      path.join(writers[1]?.folder ?? '', runFiles.config),
      JSON.stringify({ ...config, recipe: 'demo' }),
    );
    expect(rows.read().map((row) => row.config.recipe)).toEqual([undefined, 'demo', undefined]);
    expect(filesRead().filter((name) => name === runFiles.config)).toEqual([runFiles.config]);
    fs.rmSync(writers[0]?.folder ?? '', { recursive: true });
    expect(rows.read().map(({ id }) => id)).toEqual(['b', 'c']);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});

describe('what is wrong with a run is said', () => {
  function problemAfter(change: (folder: string) => void): { state: string; problem: string | undefined } {
    const out = temporaryFolder();
    const { folder } = finishedRun(out, 'r');
    change(folder);
    const rows = rowsOf(out);
    expect(rows.map(({ id }) => id)).toEqual(['r']);
    return { state: rows[0]?.state ?? '', problem: rows[0]?.problem };
  }
  const writing = (name: string, text: string) => (folder: string) => fs.writeFileSync(path.join(folder, name), text);

  test('a failure', () => {
    const out = temporaryFolder();
    const writer = RunWriter.create(out, 'r', config, { lock: ownLock() });
    writer.emit(start);
    writer.fail('The loss became NaN.');
    expect(rowsOf(out)).toMatchObject([{ state: 'failed', problem: 'The loss became NaN.' }]);
  });
  test('a process that is gone', () => {
    const out = temporaryFolder();
    const writer = RunWriter.create(out, 'r', config, { lock: ownLock() });
    writer.emit(start);
    writer.close();
    writeLock(writer.folder, deadLock);
    expect(rowsOf(out)).toMatchObject([{ state: 'lost', problem: expect.stringMatching(/ended without/) }]);
  });
  test('a damaged summary, with the events in its place', () => {
    const found = problemAfter(writing(runFiles.summary, '{"state":'));
    expect(found).toEqual({ state: 'finished', problem: 'summary.json is damaged.' });
    expect(problemAfter(writing(runFiles.summary, '{}')).problem).toBe('summary.json is damaged.');
  });
  test('a damaged or missing config', () => {
    expect(problemAfter(writing(runFiles.config, '{')).problem).toBe('config.json is damaged.');
    expect(problemAfter((folder) => fs.rmSync(path.join(folder, runFiles.config))).problem).toBe(
      'config.json is missing.',
    );
  });
  test('events of a newer version', () => {
    const newer = '{"v":7,"type":"begin"}\n';
    expect(problemAfter(writing(runFiles.events, newer)).problem).toMatch(/newer version.*7/);
    const both = (folder: string) => {
      writing(runFiles.events, newer)(folder);
      writing(runFiles.config, '{')(folder);
    };
    expect(problemAfter(both)).toEqual({ state: 'lost', problem: expect.stringMatching(/newer version.*7/) });
  });
  test('nothing that can be read', () => {
    const found = problemAfter((folder) => {
      writing(runFiles.events, 'noise')(folder);
      writing(runFiles.config, 'noise')(folder);
    });
    expect(found).toEqual({ state: 'lost', problem: expect.stringMatching(/^Damaged/) });
  });
  test('a copy of another run, which is none of its pair', () => {
    const out = temporaryFolder();
    const { folder } = finishedRun(out, 'p-s0-masksub');
    fs.cpSync(folder, path.join(out, 'copy'), { recursive: true });
    const [copy, original] = rowsOf(out).sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(copy).toMatchObject({ id: 'copy', experiment: 'copy', top1: 0.82 });
    expect(copy?.problem).toMatch(/copy of p-s0-masksub/);
    expect(copy?.pair).toBeUndefined();
    expect(original).toMatchObject({ pair: 'p-s0', experiment: 'p' });
    expect(original?.problem).toBeUndefined();
  });
  test('one name in two out folders', () => {
    const outs = [temporaryFolder(), temporaryFolder()];
    for (const out of outs) finishedRun(out, 'r');
    const rows = rowsOf(...outs);
    expect(rows.map(({ id }) => id)).toEqual(['r']);
    expect(rows[0]?.problem).toContain(outs[1]);
  });
});

test('what is no run is none, and hostile names are names', () => {
  const out = temporaryFolder();
  fs.mkdirSync(path.join(out, 'other'));
  fs.writeFileSync(path.join(out, 'other', runFiles.config), '{"any":"thing"}');
  fs.writeFileSync(path.join(out, 'file'), '');
  fs.symlinkSync('nowhere', path.join(out, 'link'));
  const writer = RunWriter.create(out, '__proto__', config, { lock: ownLock() });
  writer.emit({ ...start, name: '<script>' });
  writer.fail('');
  annotate(out, '__proto__', { star: true });
  expect(rowsOf(out)).toMatchObject([{ id: '__proto__', name: '<script>', star: true }]);
  expect(rowsOf(path.join(out, 'nowhere'))).toEqual([]);
});

test('annotations follow their file, and its damage is said', () => {
  const out = temporaryFolder();
  finishedRun(out, 'r');
  const rows = new RunRows(() => [out]);
  expect(rows.read()).toMatchObject([{ star: false }]);
  annotate(out, 'r', { star: true, tags: ['x'] });
  expect(rows.read()).toMatchObject([{ star: true, tags: ['x'], top1: summary.final?.top1 }]);
  expect(rows.problem).toBeUndefined();
  fs.writeFileSync(path.join(out, 'annotations.json'), '{');
  expect(rows.read()).toMatchObject([{ star: false }]);
  expect(rows.problem).toMatch(/damaged/);
});

test('annotations that cannot be read leave the rows as they are, and are read once they can be', () => {
  const out = temporaryFolder();
  finishedRun(out, 'r');
  annotate(out, 'r', { star: true });
  const rows = new RunRows(() => [out]);
  const refused = vi.spyOn(fs, 'readFileSync').mockImplementationOnce(() => {
    throw Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open', errno: -13 });
  });
  expect(rows.read()).toMatchObject([{ id: 'r', star: false }]);
  expect(rows.problem).toMatch(/No permission/);
  refused.mockRestore();
  expect(rows.read()).toMatchObject([{ id: 'r', star: true }]);
  expect(rows.problem).toBeUndefined();
});

test('a row says which out folder it is of, also a damaged one', () => {
  const outs = [temporaryFolder(), temporaryFolder()] as const;
  for (const out of outs) finishedRun(out, 'both');
  const { folder } = finishedRun(outs[1], 'damaged');
  for (const file of [runFiles.events, runFiles.config]) fs.writeFileSync(path.join(folder, file), 'noise');
  const rows = new RunRows(() => [...outs]);
  expect(rows.outOf('both')).toBeUndefined();
  rows.read();
  expect(['both', 'damaged', 'other'].map((id) => rows.outOf(id))).toEqual([outs[0], outs[1], undefined]);
  fs.rmSync(folder, { recursive: true });
  rows.read();
  expect(rows.outOf('damaged')).toBeUndefined();
});
