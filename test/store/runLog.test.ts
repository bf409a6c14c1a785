/** Charts see every value of a run, however it was written, resumed, reopened or damaged on the way. */
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { MetricWindow } from '../../src/core/metricQuery.ts';
import { RunLog } from '../../src/store/runLog.ts';
import { startEvent, stepEvent } from '../core/examples.ts';
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
        for (const { count, values, back, reopen, half } of parts) {
          let text = '';
          if (back !== null) {
            const fromStep = Math.floor(back * rows.length);
            rows = rows.slice(0, fromStep);
            text += startLine({ attempt: 1, fromStep });
          }
          for (let i = 0; i < count; i++) {
            const row = { step: rows.length + 1, value: values[i % values.length] ?? 0 };
            rows.push(row);
            text += stepLine(row);
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
          expect(log.state.lastStep?.step).toBe(rows.length > 0 ? rows.length : undefined);
        }
        log.close();
      },
    ),
    { numRuns: 12 },
  );
}, 120_000);

async function longRun(count = 3000): Promise<{ folder: string; rows: Row[] }> {
  const folder = temporaryFolder();
  const rows = Array.from({ length: count }, (_, i) => ({ step: i + 1, value: i === 1500 ? 1e9 : Math.sin(i) }));
  fs.writeFileSync(path.join(folder, 'events.jsonl'), startLine() + rows.map((row) => stepLine(row)).join(''));
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
