/** Parts of the exports against what is known of them: checksums, cells, averages, keys, rows. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { decodeEvent, encodeEvent } from '../../src/core/events.ts';
import { eventsThatCount } from '../../src/core/run.ts';
import { crc32c } from '../../src/runner/exports/crc32c.ts';
import { textCell } from '../../src/runner/exports/csv.ts';
import { experimentIdOf, keyOf, runIdOf, writeFileStore } from '../../src/runner/exports/mlflow.ts';
import { eventsThatCountIn, rowsOf } from '../../src/runner/exports/rows.ts';
import type { ExportedRun } from '../../src/runner/exports/runs.ts';
import { smooth } from '../../src/runner/exports/smoothing.ts';
import { runWith, startEvent, stepEvent } from '../core/examples.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';

test('CRC-32C gives the values of RFC 3720, appendix B.4', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

test('a cell is quoted where it must be, and never a formula', () => {
  expect(textCell('plain')).toBe('plain');
  expect(textCell('a,"b"\n')).toBe('"a,""b""\n"');
  for (const sign of ['=', '+', '-', '@', '\t']) expect(textCell(`${sign}1`)).toBe(`'${sign}1`);
});

test('an average weighs by distance, from the first value on, and steps over what is not finite', () => {
  const [x, y] = [
    [0, 1, 3, 3.5],
    [4, 2, Number.NaN, 8],
  ];
  const weights = [Math.exp(-3.5 / 2), Math.exp(-2.5 / 2), 1];
  const last = (weights[0] as number) * 4 + (weights[1] as number) * 2 + 8;
  const smoothed = smooth(x, y, 2);
  expect(smoothed[0]).toBe(4);
  expect(smoothed[2]).toBeNaN();
  expect(smoothed[3]).toBeCloseTo(last / weights.reduce((sum, weight) => sum + weight), 12);
  for (const value of smooth([0, 1, 2], [5, 5, 5], 0.3)) expect(value).toBeCloseTo(5, 12);
});

test('keys for MLflow stay inside their folder', () => {
  expect(keyOf('loss/main')).toBe('loss/main');
  expect(keyOf('../../a')).toBe('__/__/a');
  expect(keyOf('a//b')).toBe('a/_/b');
  expect(keyOf('a$b|c')).toBe('a_b_c');
  expect(keyOf('k'.repeat(900)).length).toBe(200);
  expect(runIdOf({ id: 'x' })).toMatch(/^[0-9a-f]{32}$/);
  expect(experimentIdOf('x')).toMatch(/^[1-9]\d{17}$/);
});

test.each(['number first', 'group first'])(
  'a metric that is a number and a group goes into MLflow as two: %s',
  (order) => {
    const [folder, out] = [temporaryFolder(), temporaryFolder()];
    const events = [{ ...stepEvent(1), loss: 7 }, stepEvent(2)];
    const lines = (order === 'number first' ? events : events.reverse()).map(encodeEvent);
    fs.writeFileSync(path.join(folder, 'events.jsonl'), `${lines.join('\n')}\n`);
    const state = runWith('method', {});
    const run = { ...{ id: 'r', folder, state, summary: undefined, config: {}, experiment: 'e' }, close: () => {} };
    writeFileStore([{ ...run, metrics: {} as ExportedRun['metrics'] }], out, out);
    const metrics = path.join(out, experimentIdOf('e'), runIdOf(run), 'metrics');
    expect(fs.readdirSync(path.join(metrics, 'loss')).sort()).toEqual(['main', 'sub', 'total']);
    expect(fs.readFileSync(path.join(metrics, 'loss_'), 'utf8')).toMatch(/^\d+ 7 1\n$/);
  },
);

test('rows hold every number of the events, whatever their shape and however they are written', () => {
  const folder = temporaryFolder();
  const envelope = { v: 1, run: 'r', attempt: 0 };
  const step = (number: number, more: object = {}) => ({
    ...envelope,
    ...{ t: number / 7, type: 'step', step: number, epoch: number / 3, images: 8 * number },
    loss: { total: 1 / number, main: -1e-9 / number, sub: number % 3 === 0 ? Number.NaN : number },
    grad: { total: 1e21, main: 2, sub: number },
    ...{ learningRate: 1e-7, imagesPerSecond: Number.POSITIVE_INFINITY, memoryBytes: 1, flops: 1e12 * number },
    ...more,
  });
  const layers = (number: number, name: string) => ({
    ...{ ...envelope, t: number / 7, type: 'layers', step: number },
    grad: { main: { [name]: number }, cosine: { [name]: -0.25 } },
  });
  const events = Array.from({ length: 40 }, (_, i) => i + 1).flatMap((number) => [
    step(number, number % 4 === 0 ? { dataWait: 0.5, grad: { total: 1, main: 1 }, note: 'warm' } : {}),
    ...(number % 5 === 0 ? [layers(number, number > 20 ? 'a"{1}\u00e9' : '0')] : []),
  ]);
  const others = ['', 'no event', '{"v":2,"type":"step","step":1,"t":1}', '{"v":1,"type":"step"}', '[]', 'null'];
  const lines = [...others, ...events.map(encodeEvent), '{"v":1,"type":"step","half'];
  fs.writeFileSync(path.join(folder, 'events.jsonl'), lines.join('\n'));
  const rows = [...rowsOf(folder)];
  expect(rows).toHaveLength(events.length);
  for (const [i, { values, step: at, time, images, flops }] of rows.entries()) {
    const event = decodeEvent(encodeEvent(events[i] ?? {}));
    if (event?.type !== 'step' && event?.type !== 'layers') throw new Error('There is no such event.');
    expect([at, time, images, flops]).toEqual([event.step, event.t, 8 * event.step, 1e12 * event.step]);
    if (event.type === 'layers') {
      const [name = ''] = Object.keys(event.grad.main);
      expect(values).toEqual([
        [`main.${name}`, event.step],
        [`cosine.${name}`, -0.25],
      ]);
      continue;
    }
    const { loss, grad, dataWait } = event;
    const said = Object.fromEntries(values);
    expect(said).toMatchObject({ 'loss.total': loss.total, 'loss.main': loss.main, 'loss.sub': loss.sub });
    expect(said).toMatchObject({ 'grad.total': grad.total, imagesPerSecond: Number.POSITIVE_INFINITY });
    expect(said.dataWait).toBe(dataWait);
    expect(said).not.toHaveProperty('note');
    expect(said['grad.ratio']).toBe(grad.sub === undefined ? undefined : grad.sub / grad.main);
  }
});

test('of steps that a resumed run did again, the last events count', () => {
  const folder = temporaryFolder();
  const resumed = (attempt: number, fromStep: number) => ({ ...startEvent({ fromStep }), attempt });
  const steps = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => stepEvent(from + i));
  const events = [startEvent(), ...steps(1, 6), resumed(1, 4), ...steps(5, 8), resumed(2, 2), ...steps(3, 4)];
  fs.writeFileSync(path.join(folder, 'events.jsonl'), events.map((event) => `${encodeEvent(event)}\n`).join(''));
  expect([...eventsThatCountIn(folder)]).toEqual(eventsThatCount(events));
});
