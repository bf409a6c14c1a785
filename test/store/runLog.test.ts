/** Charts see every value of a run, however it was written, resumed, reopened or damaged on the way. */
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { MetricWindow } from '../../src/core/metricQuery.ts';
import { emptyRun, reduceRunAll } from '../../src/core/run.ts';
import { LONGEST_LINE } from '../../src/store/logLines.ts';
import { ChunkStore, DamagedChunk, sumOf } from '../../src/store/metrics/chunkStore.ts';
import { RunLog } from '../../src/store/runLog.ts';
import { EventTail } from '../../src/store/runReader.ts';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';
import { temporaryFolder } from './temporaryFolder.ts';

interface Row {
  readonly step: number;
  readonly value: number;
}

const stepLine = ({ step, value }: Row, more: object = {}) => {
  const event = { ...stepEvent(step), loss: { total: value, main: value }, ...more };
  return `${JSON.stringify(event, (_key, is) => (typeof is === 'number' && !Number.isFinite(is) ? String(is) : is))}\n`;
};
const startLine = (more: object = {}) => `${JSON.stringify({ ...startEvent(), ...more })}\n`;
const query = (from: number, to: number, buckets: number, names = ['loss.main']) =>
  ({ table: 'steps', axis: 'step', names, from, to, buckets }) as const;

/** The window as the rows say it. */
function check(window: MetricWindow, rows: readonly Row[], from: number, to: number, most: number): void {
  const inside = rows.filter(({ step }) => step >= from && step <= to);
  expect(window).toMatchObject({ rows: rows.length, inside: inside.length });
  if (inside.length <= most) expect(window.level).toBe(0);
  const size = 2 ** window.level;
  const [series] = window.series;
  const bad = inside.filter(({ value }) => !Number.isFinite(value));
  expect(series?.points).toBe(rows.length);
  expect(series?.notFiniteCount).toBe(bad.length);
  expect([...(series?.notFinite ?? [])]).toEqual(bad.slice(0, 1000).map(({ step }) => step));
  const starts = new Set<number>();
  for (const [i, x0] of window.x0.entries()) {
    const start = rows.findIndex(({ step }) => step === x0);
    expect(start % size).toBe(0); // buckets don't move
    starts.add(start);
    const of = rows.slice(start, start + size);
    const finite = of.map(({ value }) => value).filter(Number.isFinite);
    expect(window.x1[i]).toBe(of.at(-1)?.step);
    expect(series?.min[i]).toBe(finite.length > 0 ? Math.min(...finite) : Number.NaN);
    expect(series?.max[i]).toBe(finite.length > 0 ? Math.max(...finite) : Number.NaN);
    expect(series?.last[i]).toBe(finite.at(-1) ?? Number.NaN);
    const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
    if (finite.length > 0) expect(series?.mean[i]).toBeCloseTo(mean, 6);
    else expect(series?.mean[i]).toBeNaN();
  }
  for (const [i, row] of rows.entries()) {
    if (inside.includes(row)) expect(starts.has(Math.floor(i / size) * size)).toBe(true);
  }
}

const value = fc.oneof(
  { weight: 20, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-30, 0.1, 123456789.12345678),
);

test('a window is what the rows say, after any appending, resuming and reopening', async () => {
  const root = temporaryFolder();
  const part = fc.record({
    count: fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 900, max: 1300 })),
    values: fc.array(value, { minLength: 1, maxLength: 40 }),
    back: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    reopen: fc.boolean(),
    half: fc.double({ min: 0, max: 1, noNaN: true }),
    run: fc.constantFrom('run', LONG_NAME),
  });
  const range = fc.record({
    from: fc.double({ min: -0.1, max: 1, noNaN: true }),
    width: fc.double({ min: 0, max: 1.2, noNaN: true }),
    most: fc.integer({ min: 1, max: 300 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 5 }),
      fc.array(range, { minLength: 2, maxLength: 4 }),
      async (parts, ranges) => {
        const folder = fs.mkdtempSync(path.join(root, 'run-'));
        const file = path.join(folder, 'events.jsonl');
        fs.writeFileSync(file, startLine());
        let log = await RunLog.open(folder);
        let rows: Row[] = [];
        let newest: number | undefined;
        for (const { count, values, back, reopen, half, run } of parts) {
          let text = '';
          if (back !== null) {
            const fromStep = Math.floor(back * rows.length);
            rows = rows.slice(0, fromStep);
            if (newest !== undefined && newest > fromStep) newest = undefined;
            text += startLine({ attempt: 1, fromStep });
          }
          for (let i = 0; i < count; i++) {
            const row = { step: rows.length + 1, value: values[i % values.length] ?? 0 };
            rows.push(row);
            newest = row.step;
            text += stepLine(row, { run });
          }
          const cut = Math.floor(half * text.length);
          fs.appendFileSync(file, text.slice(0, cut));
          await log.update();
          if (reopen) {
            log.close();
            log = await RunLog.open(folder);
          }
          fs.appendFileSync(file, text.slice(cut));
          await log.update();
          for (const { from, width, most } of ranges) {
            const [low, high] = [from * rows.length, (from + width) * rows.length];
            check(log.metrics.window(query(low, high, most)), rows, low, high, most);
          }
          expect(log.state.lastStep?.step).toBe(newest);
        }
        log.close();
      },
    ),
    { numRuns: 12 },
  );
}, 120_000);

/** Makes lines long: a short log is not cached, and one longer than 4 MB is not read at once. */
const LONG_NAME = 'x'.repeat(2000);

async function longRun(count = 3000): Promise<{ folder: string; rows: Row[] }> {
  const folder = temporaryFolder();
  const rows = Array.from({ length: count }, (_, i) => ({ step: i + 1, value: i === 1500 ? 1e9 : Math.sin(i) }));
  const lines = rows.map((row) => stepLine(row, { run: LONG_NAME }));
  fs.writeFileSync(path.join(folder, 'events.jsonl'), startLine() + lines.join(''));
  (await RunLog.open(folder)).close();
  return { folder, rows };
}

test('a spike of one row is seen at every resolution', async () => {
  const { folder } = await longRun();
  const log = await RunLog.open(folder);
  for (let buckets = 1; buckets <= 4096; buckets *= 2) {
    expect(Math.max(...(log.metrics.window(query(0, 1e9, buckets)).series[0]?.max ?? []))).toBe(1e9);
  }
  log.close();
});

test('a damaged cache is not believed', async () => {
  const { folder, rows } = await longRun();
  const cache = path.join(folder, 'metrics');
  const files = new Map(fs.readdirSync(cache).map((name) => [name, fs.readFileSync(path.join(cache, name))]));
  for (const [name, whole] of files) {
    const file = path.join(cache, name);
    for (let i = 0; i < 3; i++) {
      const at = Math.floor((whole.length * i) / 3);
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      for (const damaged of [whole.subarray(0, at), flipped]) {
        fs.writeFileSync(file, damaged);
        const log = await RunLog.open(folder);
        check(log.metrics.window(query(0, 3000, 4000)), rows, 0, 3000, 4000);
        check(log.metrics.window(query(0, 3000, 10)), rows, 0, 3000, 10);
        expect(log.skipped).toBe(0);
        log.close();
        fs.rmSync(cache, { recursive: true });
        fs.mkdirSync(cache);
        for (const [other, content] of files) fs.writeFileSync(path.join(cache, other), content);
      }
    }
  }
}, 60_000);

test('lines that are no events of this version are counted and passed over', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'events.jsonl');
  const odd = stepLine({ step: 2, value: 2 }, { learningRate: 'fast', extra: { depth: 7 }, note: 'text' });
  const proto = stepLine({ step: 3, value: 3 }).replace('"loss":{', '"__proto__":{"polluted":1},"loss":{');
  fs.writeFileSync(
    file,
    `${startLine()}${stepLine({ step: 1, value: 1 })}{"v":1,"ty\n{"v":2,"type":"step"}\n${odd}${proto}`,
  );
  const log = await RunLog.open(folder);
  expect([log.skipped, log.newerVersion, log.metrics.rows('steps')]).toEqual([2, 2, 3]);
  const window = log.metrics.window(query(0, 9, 100, ['learningRate', 'extra.depth', 'nothing']));
  expect(window.series.map(({ points, notFiniteCount }) => [points, notFiniteCount])).toEqual([
    [3, 1],
    [1, 0],
    [0, 0],
  ]);
  expect(log.metrics.names('steps')).not.toContain('note');
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  log.close();
});

test.each([
  ['is shorter', () => startLine() + stepLine({ step: 1, value: 5 })],
  ['is longer', () => startLine({ at: '2026-02-01T00:00:00.000Z' }) + stepLine({ step: 1, value: 5 }).repeat(30_000)],
])('a log whose content was replaced by one that %s is read anew', async (_, replaced) => {
  const { folder } = await longRun();
  const file = path.join(folder, 'events.jsonl');
  const log = await RunLog.open(folder);
  fs.writeFileSync(file, replaced());
  expect(await log.update()).toBe(true);
  const { rows, series } = log.metrics.window(query(0, 9, 1));
  expect([rows, series[0]?.max[0]]).toEqual([replaced().split('\n').length - 2, 5]);
  log.close();
});

test('a log that was replaced is read anew, and one that was deleted is said to be gone once', async () => {
  const { folder } = await longRun();
  const log = await RunLog.open(folder);
  fs.writeFileSync(path.join(folder, 'events.jsonl'), startLine() + stepLine({ step: 1, value: 5 }));
  expect(await log.update()).toBe(true);
  expect(log.metrics.rows('steps')).toBe(1);
  fs.rmSync(folder, { recursive: true });
  await expect(log.update()).rejects.toThrow(UserError);
  expect(await log.update()).toBe(false);
  log.close();
});

const cacheOf = (folder: string) => path.join(folder, 'metrics');
const filesOf = (folder: string) => (fs.existsSync(cacheOf(folder)) ? fs.readdirSync(cacheOf(folder)).sort() : []);

test('a cache is two files, however often a living run is opened, and a short run has none', async () => {
  const { folder, rows } = await longRun();
  fs.writeFileSync(path.join(cacheOf(folder), 'index.bin.tmp'), 'of a reader that was killed');
  for (let i = 0; i < 4; i++) {
    const log = await RunLog.open(folder);
    for (let more = 0; more < 1100; more++) rows.push({ step: rows.length + 1, value: more });
    fs.appendFileSync(
      path.join(folder, 'events.jsonl'),
      rows
        .slice(-1100)
        .map((row) => stepLine(row))
        .join(''),
    );
    await log.update();
    check(log.metrics.window(query(0, 1e9, 50)), rows, 0, 1e9, 50);
    log.close();
    expect(filesOf(folder)).toEqual(['index.bin', 'rows.bin']);
  }
  const short = temporaryFolder();
  fs.writeFileSync(path.join(short, 'events.jsonl'), startLine() + stepLine({ step: 1, value: 1 }).repeat(2500));
  (await RunLog.open(short)).close();
  expect(fs.readdirSync(short)).toEqual(['events.jsonl']);
});

test('two readers of a living run save one after the other, and all see the same', async () => {
  const { folder, rows } = await longRun(4000);
  fs.rmSync(cacheOf(folder), { recursive: true });
  const readers = [await RunLog.open(folder), await RunLog.open(folder)];
  const append = (from: number, more: number, text = '') => {
    rows.length = from;
    for (let i = 0; i < more; i++) rows.push({ step: rows.length + 1, value: i / 3 });
    fs.appendFileSync(
      path.join(folder, 'events.jsonl'),
      text +
        rows
          .slice(from)
          .map((row) => stepLine(row, { run: LONG_NAME }))
          .join(''),
    );
  };
  for (let turn = 0; turn < 4; turn++) {
    const resumed = turn === 2 ? 3500 : rows.length;
    append(resumed, 1500, turn === 2 ? startLine({ attempt: 1, fromStep: resumed }) : '');
    const first = readers[turn % 2];
    await first?.update(); // the other comes later, or after a save
    first?.close();
    readers[turn % 2] = await RunLog.open(folder);
    for (const log of readers) {
      await log.update();
      check(log.metrics.window(query(rows.length - 3000, 1e9, 4000)), rows, rows.length - 3000, 1e9, 4000);
    }
  }
  for (const log of readers) log.close();
  const log = await RunLog.open(folder);
  check(log.metrics.window(query(0, 1e9, 30)), rows, 0, 1e9, 30);
  log.close();
}, 60_000);

test('a folder that cannot be written is read all the same, and nothing is written through a link in it', async () => {
  const { folder, rows } = await longRun();
  fs.rmSync(cacheOf(folder), { recursive: true });
  fs.writeFileSync(cacheOf(folder), 'in the way');
  const elsewhere = temporaryFolder();
  const target = path.join(elsewhere, 'target');
  fs.writeFileSync(target, 'kept');
  const make = [
    () => fs.symlinkSync(elsewhere, cacheOf(folder), 'junction'),
    () => {
      fs.mkdirSync(cacheOf(folder));
      for (const name of ['rows.bin', 'index.bin', 'index.bin.tmp'])
        fs.symlinkSync(target, path.join(cacheOf(folder), name));
    },
  ];
  for (let i = 0; ; i++) {
    const log = await RunLog.open(folder);
    check(log.metrics.window(query(0, 3000, 4000)), rows, 0, 3000, 4000);
    expect(log.skipped).toBe(0);
    log.close();
    fs.rmSync(cacheOf(folder), { recursive: true });
    if (!make[i]) break;
    make[i]?.();
  }
  expect(fs.readdirSync(elsewhere)).toEqual(['target']);
  expect(fs.readFileSync(target, 'utf8')).toBe('kept');
});

test('epochs and layers are tables of their own, and every axis says where a row lies', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'events.jsonl');
  const layers = (step: number, norm: number) => ({
    ...{ v: 1, type: 'layers', run: 'run', attempt: 0, t: step },
    step,
    grad: { main: { 'blocks.0': norm, head: 2 * norm }, cosine: { head: 0.5 } },
  });
  // Steps are told of at odd ones only: where the others lie follows from the newest.
  const events = Array.from({ length: 41 }, (_, i) => i + 1).flatMap((step) => [
    ...(step % 2 === 1 ? [stepEvent(step, { images: 32 * step, flops: 1e9 * step })] : []),
    ...(step % 4 === 0 ? [layers(step, step)] : []),
    ...(step % 10 === 0 ? [epochEvent(step / 10, step === 20 ? undefined : { top1: step / 100 })] : []),
  ]);
  fs.writeFileSync(file, startLine() + events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const { metrics } = await RunLog.open(folder);
  expect(metrics.names('layers')).toEqual(['main.blocks.0', 'main.head', 'cosine.head']);
  expect(metrics.names('epochs')).toContain('validation.top1');
  for (const [axis, factor] of Object.entries({ step: 1, epoch: 0.1, time: 1, images: 32, flops: 1e9 })) {
    const on = (table: 'steps' | 'epochs' | 'layers', names: string[], from: number, to: number) =>
      metrics.window({ table, names, axis: axis as 'step', from: from * factor, to: to * factor, buckets: 100 });
    expect(metrics.extent('steps', axis as 'step')?.map((x) => x / factor)).toEqual([1, expect.closeTo(41)]);
    const gradients = on('layers', ['main.head'], 7.5, 20.5);
    // One row on either side of those inside.
    expect(Array.from(gradients.x0, (x) => Math.round(x / factor))).toEqual([4, 8, 12, 16, 20, 24]);
    expect([...(gradients.series[0]?.last ?? [])]).toEqual([8, 16, 24, 32, 40, 48]);
    expect(gradients.inside).toBe(4);
    const epochs = on('epochs', ['validation.top1', 'train.loss'], 0, 100);
    expect(Array.from(epochs.x0, (x) => Math.round(x / factor))).toEqual([10, 20, 30, 40]);
    expect(epochs.series[0]?.mean).toEqual(Float64Array.of(0.1, Number.NaN, 0.3, 0.4));
    expect(epochs.series.map(({ points }) => points)).toEqual([3, 4]);
  }
});

test('lines that lie across what is read at once are whole', async () => {
  const folder = temporaryFolder();
  const rows = Array.from({ length: 6000 }, (_, i) => ({ step: i + 1, value: Math.fround(i / 7) }));
  const warning = JSON.stringify({
    v: 1,
    type: 'warning',
    run: 'run',
    attempt: 0,
    t: 1,
    message: 'w'.repeat(9_000_000),
  });
  const lines = rows.map((row) => stepLine(row, { run: LONG_NAME }));
  fs.writeFileSync(path.join(folder, 'events.jsonl'), startLine() + lines.join(''));
  const layers = { v: 1, type: 'layers', run: LONG_NAME, attempt: 0, t: 1, step: 6000, grad: { main: { head: 1 } } };
  fs.appendFileSync(path.join(folder, 'events.jsonl'), `${JSON.stringify(layers)}\n`.repeat(4500)); // 9 MB
  fs.appendFileSync(path.join(folder, 'events.jsonl'), `${warning}\n`);
  const log = await RunLog.open(folder);
  check(log.metrics.window(query(0, 1e9, 8192)), rows, 0, 1e9, 8192);
  expect([log.skipped, log.state.warnings[0]?.length]).toEqual([0, 9_000_000]);
  expect([log.state.lastStep?.step, log.metrics.rows('layers')]).toEqual([6000, 4500]);
  log.close();
});

test('events taken of a cached log come to the same state as of one that is read', async () => {
  const { folder } = await longRun();
  const file = path.join(folder, 'events.jsonl');
  const more = (event: object) => fs.appendFileSync(file, `${JSON.stringify(event)}\n`);
  const end = { v: 1, type: 'end', run: 'run', attempt: 1, t: 9000, state: 'finished', message: 'Done.' };
  const parts = [
    () => more(epochEvent(5, { top1: 0.5 })),
    () => fs.appendFileSync(file, stepLine({ step: 3001, value: 1 }) + stepLine({ step: 3002, value: 2 })),
    () => more(startEvent({ attempt: 1, fromStep: 2990 })),
    () => more(stepEvent(2991)),
    () => more(epochEvent(300, { top1: 0.6 })),
    () => more(end),
  ];
  for (const part of parts) {
    part();
    const warm = await RunLog.open(folder);
    const cold = await RunLog.open(folder, { cacheFolder: path.join(temporaryFolder(), 'none') });
    const taken = [warm, cold].map((log) => reduceRunAll(emptyRun(path.basename(folder)), log.takeEvents()));
    expect(taken[0]).toEqual(taken[1]);
    expect(warm.state).toEqual(cold.state);
    expect(taken[0]).toEqual(cold.state);
    expect(warm.takeEvents()).toEqual([]);
    for (const log of [warm, cold]) log.close();
  }
});

test('a run that goes on from a step before what is cached shows what it did then', async () => {
  const { folder, rows } = await longRun(5000);
  rows.length = 1700;
  for (let i = 0; i < 200; i++) rows.push({ step: rows.length + 1, value: 7 });
  const again = rows
    .slice(1700)
    .map((row) => stepLine(row))
    .join('');
  fs.appendFileSync(path.join(folder, 'events.jsonl'), startLine({ attempt: 1, fromStep: 1700 }) + again);
  for (let i = 0; i < 2; i++) {
    const log = await RunLog.open(folder);
    check(log.metrics.window(query(0, 1e9, 8192)), rows, 0, 1e9, 8192);
    check(log.metrics.window(query(0, 1e9, 9)), rows, 0, 1e9, 9);
    log.close();
  }
});

test('a metric that is always NaN or infinite costs no parsing, and is none the less', async () => {
  const folder = temporaryFolder();
  const texts = ['"NaN"', '"Infinity"', '"-Infinity"', '0.25', '"NaN"'];
  const lines = Array.from({ length: 2000 }, (_, i) =>
    stepLine({ step: i + 1, value: 1 }).replace('"main":1,', `"main":${texts[i % 5]},`),
  );
  fs.writeFileSync(path.join(folder, 'events.jsonl'), startLine() + lines.join(''));
  const parse = vi.spyOn(JSON, 'parse');
  const log = await RunLog.open(folder);
  expect(parse.mock.calls.length).toBeLessThan(20);
  parse.mockRestore();
  const [series] = log.metrics.window(query(0, 1e9, 4000, ['grad.main'])).series;
  expect([series?.points, series?.notFiniteCount, log.skipped]).toEqual([2000, 1600, 0]);
  expect([...(series?.last ?? [])].filter(Number.isFinite)).toEqual(Array.from({ length: 400 }, () => 0.25));
  log.close();
});

/** A log that is read in several turns, and a reader that is in the midst of it: a clock that jumps gives each turn's end. */
async function midway(): Promise<{ folder: string; rows: Row[]; log: RunLog; updated: Promise<boolean> }> {
  const { folder, rows } = await longRun(3000);
  const log = await RunLog.open(folder);
  for (let i = 0; i < 9000; i++) rows.push({ step: rows.length + 1, value: Math.cos(i) });
  const more = rows.slice(3000).map((row) => stepLine(row));
  fs.appendFileSync(path.join(folder, 'events.jsonl'), more.join(''));
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1000;
    return now;
  });
  const updated = log.update();
  updated.finally(() => clock.mockRestore());
  await new Promise((resolve) => setImmediate(resolve));
  expect(log.metrics.rows('steps')).toBeGreaterThan(3000);
  expect(log.metrics.rows('steps')).toBeLessThan(12_000);
  return { folder, rows, log, updated };
}

test('a reader that is closed in the midst of an update keeps no row twice', async () => {
  const { folder, rows, log, updated } = await midway();
  const read = log.metrics.rows('steps');
  log.close();
  expect(log.state.lastStep?.step).toBe(read);
  await updated;
  expect(log.metrics.rows('steps')).toBe(read);
  const again = await RunLog.open(folder);
  check(again.metrics.window(query(0, 1e9, 16_384)), rows, 0, 1e9, 16_384);
  expect(again.state.lastStep?.step).toBe(12_000);
  again.close();
}, 60_000);

test('a cache that proves damaged in the midst of an update costs no row and no event', async () => {
  const { folder, rows, log, updated } = await midway();
  fs.truncateSync(path.join(folder, 'metrics', 'rows.bin'), 8);
  const read = log.metrics.rows('steps');
  check(log.metrics.window(query(0, 2000, 4000)), rows.slice(0, read), 0, 2000, 4000);
  const steps = () => log.takeEvents().map((event) => event.type === 'step' && event.step);
  expect(steps()).toEqual([false, 1, read]);
  await updated;
  check(log.metrics.window(query(0, 1e9, 16_384)), rows, 0, 1e9, 16_384);
  expect(steps()).toEqual([12_000]);
  expect(log.state.lastStep?.step).toBe(12_000);
  log.close();
}, 60_000);

test('a cache that proves damaged between two updates costs no event', async () => {
  const { folder } = await longRun();
  const log = await RunLog.open(folder);
  log.takeEvents();
  const file = path.join(folder, 'events.jsonl');
  const append = (step: number, before = '') =>
    fs.appendFileSync(file, before + stepLine({ step, value: 1 }, { attempt: 1 }));
  append(2501, startLine({ attempt: 1, fromStep: 2500 }));
  await log.update();
  fs.truncateSync(path.join(folder, 'metrics', 'rows.bin'), 8);
  log.metrics.window(query(0, 1000, 4000));
  append(2502);
  await log.update();
  expect(log.takeEvents().map((event) => event.type === 'step' && event.step)).toEqual([false, 2501, 2502]);
  log.close();
}, 60_000);

test('an index that somebody made up is not believed', async () => {
  const { folder, rows } = await longRun();
  const file = path.join(folder, 'metrics', 'index.bin');
  const bytes = fs.readFileSync(file);
  const whole = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const length = whole[1] ?? 0;
  const text = bytes.toString('utf8', 16, 16 + length);
  const numbers = whole.subarray(2 + Math.ceil(length / 8));
  // biome-ignore lint/suspicious/noExplicitAny: any change of the index
  const write = (change: (steps: any, index: any) => void) => {
    const index = JSON.parse(text);
    change(index.tables.steps, index);
    const json = Buffer.from(JSON.stringify(index));
    const begin = 2 + Math.ceil(json.length / 8);
    const made = new Float64Array(begin + numbers.length);
    made[1] = json.length;
    Buffer.from(made.buffer).set(json, 16);
    made.set(numbers, begin);
    made[0] = sumOf(made.subarray(1));
    fs.writeFileSync(file, Buffer.from(made.buffer));
  };
  const opened = async () => {
    const log = await RunLog.open(folder);
    check(log.metrics.window(query(0, 3000, 4000)), rows, 0, 3000, 4000);
    check(log.metrics.window(query(0, 3000, 10)), rows, 0, 3000, 10);
    log.close();
  };
  for (const change of [
    (steps) => (steps.chunks[0].length = 1e15),
    (steps) => (steps.chunks[0].length = 0.5),
    (steps) => (steps.chunks[0].at = -8),
    (steps) => (steps.chunks[1].at = 1e12),
    (steps) => (steps.chunks[0].data = [1, 2, 3]),
    (steps) => (steps.chunks = []),
    (steps) => (steps.rows = 3e6),
    (steps) => (steps.rows = -1),
    (steps) => (steps.names = steps.names.slice(1)),
    (_, index) => (index.stored = 1e15),
    (_, index) => (index.consumed = -1),
    // biome-ignore lint/suspicious/noExplicitAny: any change of the index
  ] satisfies ((steps: any, index: any) => void)[]) {
    write(change);
    await opened();
  }
  const store = new ChunkStore(undefined);
  expect(() => store.read({ at: 0, length: 1e15, sum: 0 })).toThrow(DamagedChunk);
}, 60_000);

test('a line of any size costs no more memory than the longest event, and what follows is read', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'events.jsonl');
  fs.writeFileSync(file, startLine() + stepLine({ step: 1, value: 1 }));
  fs.truncateSync(file, 3 * LONGEST_LINE);
  const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow');
  const log = await RunLog.open(folder);
  const tail = new EventTail(folder);
  expect([log.metrics.rows('steps'), log.skipped, tail.read().length]).toEqual([1, 0, 2]);
  fs.appendFileSync(file, `more of it\n${stepLine({ step: 2, value: 2 })}`);
  expect(await log.update()).toBe(true);
  fs.appendFileSync(file, stepLine({ step: 3, value: 3 }));
  expect(await log.update()).toBe(true);
  expect([log.metrics.rows('steps'), log.skipped, log.state.lastStep?.step]).toEqual([3, 1, 3]);
  expect(tail.read().map((event) => event.type === 'step' && event.step)).toEqual([2, 3]);
  expect(Math.max(...allocate.mock.calls.map(([size]) => size))).toBe(LONGEST_LINE);
  allocate.mockRestore();
  log.close();
  const whole = await RunLog.open(folder);
  expect([whole.metrics.rows('steps'), whole.skipped, new EventTail(folder).read().length]).toEqual([3, 1, 4]);
  whole.close();
}, 60_000);
