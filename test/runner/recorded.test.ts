/** The recorded step in a run: chosen by itself or by name, said in the events, and on a thread of its own while others wait for answers. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent, RunEventOf } from '../../src/core/events.ts';
import { loadBackend } from '../../src/runner/backend.ts';
import { bfloat16Problem } from '../../src/runner/hardware.ts';
import { readRun } from '../../src/store/runReader.ts';
import { graphRuntime, noiseData, setUp, tinyConfig, trainSteps } from '../engine/examples.ts';
import { cli, startCli } from '../support/cli.ts';
import { endless, eventsOf, makeExperiment, runArguments, runFolder, until } from './experiment.ts';

/** The start event that `masksub run --json` prints, and the summary of the run. */
async function trained(...args: string[]) {
  const experiment = makeExperiment();
  const baseline = ['--method', 'baseline', '--set', 'train.epochs=1', '--json'];
  const result = await cli(runArguments(experiment, ...baseline, ...args));
  expect(result.code, result.stderr).toBe(0);
  const events = result.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
  const folder = runFolder(experiment, 'baseline');
  return { events, start: events[0] as RunEventOf<'start'>, summary: readRun(folder).summary };
}

const lossesOf = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'step' ? [event.loss.total] : []));

describe('a run says on which executor it trains', () => {
  test('and comes to the same numbers on each', async () => {
    const runs = [await trained('--executor', 'eager'), await trained('--executor', 'recorded'), await trained()];
    const names = ['eager', 'recorded', 'recorded'];
    expect(runs.map(({ start }) => start.executor)).toEqual(names);
    expect(runs.map(({ summary }) => summary?.executor)).toEqual(names);
    const reasons = ['The config asks for it.', 'The config asks for it.', 'The recorded step is the fastest here.'];
    expect(runs.map(({ start }) => start.executorReason)).toEqual(reasons);
    const [eager, recorded, automatic] = runs.map(({ events }) => lossesOf(events)) as [number[], number[], number[]];
    expect(recorded).toHaveLength(eager.length);
    for (const [i, loss] of eager.entries()) expect(recorded[i]).toBeCloseTo(loss, 4);
    expect(automatic).toEqual(recorded);
    for (const { events } of runs) expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
  });

  test('and in which precision', async ({ skip }) => {
    const missing = bfloat16Problem();
    if (missing) skip(missing);
    const [half, full] = [await trained('--set', 'run.precision=bfloat16'), await trained()];
    expect([half.start.executor, half.start.precision]).toEqual(['recorded', 'bfloat16']);
    expect(half.summary).toMatchObject({ executor: 'recorded', precision: 'bfloat16' });
    expect(full.start.precision).toBe('float32');
    const [a, b] = [lossesOf(half.events), lossesOf(full.events)];
    expect(a).not.toEqual(b);
    for (const [i, loss] of b.entries()) expect(Math.abs((a[i] as number) / loss - 1)).toBeLessThan(0.02);
  });
});

describe('a session', () => {
  test('that is closed refuses to run, in words; one with a wrong graph does, too', async () => {
    const session = graphRuntime().open();
    expect(() => session.extend(Uint8Array.of(1, 2, 3))).toThrow();
    await expect(session.run([], ['nowhere'], [])).rejects.toThrow('The graph has no node nowhere');
    session.close();
    expect(() => session.extend(new Uint8Array())).toThrow('The session is closed');
  });

  test('takes no tensor whose values do not fill its shape', async () => {
    const session = graphRuntime().open();
    const feed = { node: 'x', dtype: 'float32', shape: [3], values: new Float32Array(2) } as const;
    await expect(session.run([feed], [], [])).rejects.toThrow('8 bytes instead of 12');
    session.close();
  });
});

// 65 tokens of width 192 in 6 blocks, 64 samples: a step of half a second and more.
const large = { patchSize: 1, width: 192, depth: 6, heads: 3, mlpRatio: 4 };
const PATIENCE_MS = 50;

/** The value that `share` of all are not above. */
const quantile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1] ?? Number.NaN;

// What else runs on the machine may hold a process up at any time: it is enough to be in time once.
describe('while a large step is under way', { retry: 5 }, () => {
  beforeAll(async () => {
    await loadBackend('tensorflow');
  });

  test('timers of the trainer are in time', async () => {
    const data = noiseData(8, 128, 5, 1);
    const config = tinyConfig({ model: { imageSize: 8, ...large }, train: { batchSize: 64 } });
    const run = await setUp(config, data, 'recorded');
    await trainSteps(run, 0, 1); // the recording
    const inputs = await run.stepInput(1);
    const late: number[] = [];
    let due = performance.now() + 5;
    const timer = setInterval(() => {
      const now = performance.now();
      late.push(now - due);
      due = now + 5;
    }, 5);
    await run.executor.step(...inputs);
    clearInterval(timer);
    await run.executor.dispose();
    expect(late.length, 'times that the timer went off').toBeGreaterThan(10);
    expect(quantile(late, 0.95)).toBeLessThan(PATIENCE_MS);
  });

  test('the control socket answers', async () => {
    const experiment = makeExperiment();
    const model = Object.entries(large).flatMap(([key, value]) => ['--set', `model.${key}=${value}`]);
    const sets = [...endless, ...model, '--set', 'train.batchSize=64', '--set', 'run.logEvery=1'];
    const { pid, ended } = startCli(runArguments(experiment, '--executor', 'recorded', ...sets), {
      env: { TMPDIR: experiment.folder },
    });
    const folder = runFolder(experiment, 'masksub');
    const steps = () => eventsOf(folder).filter(({ type }) => type === 'step').length;
    await until(() => steps() >= 2);
    const before = steps();
    const { socket } = JSON.parse(fs.readFileSync(path.join(folder, 'control'), 'utf8'));
    const waited: number[] = [];
    for (let i = 0; i < 60; i++) {
      const asked = performance.now();
      expect(await ask(socket, '{"command":"status"}')).toMatchObject({ ok: true, state: 'running' });
      waited.push(performance.now() - asked);
      await setTimeout(20);
    }
    expect(quantile(waited, 0.5)).toBeLessThan(PATIENCE_MS);
    expect(quantile(waited, 0.95)).toBeLessThan(2 * PATIENCE_MS);
    await until(() => steps() > before);
    process.kill(pid, 'SIGTERM');
    expect((await ended).code).toBe(130);
  });
});

function ask(socket: string, line: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const connection = net.connect(socket, () => connection.write(`${line}\n`)).on('error', reject);
    createInterface(connection).once('line', (answer) => {
      connection.end();
      resolve(JSON.parse(answer));
    });
  });
}
