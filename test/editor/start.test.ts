/** `npm start` where there is no desktop: editor server and default experiment, found again by a second start, ended by Ctrl-C. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAnswering } from '../../scripts/editor/server.mjs';
import { endRuns, findRuns, living, processesOf, until } from './runs.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-start-'));
const workspace = path.join(home, 'workspace');
// Without a display there is no desktop editor to be opened instead.
const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ...rest } = process.env;
const env = { ...rest, MASKSUB_START_FOLDER: home };
const address = /http:\/\/127\.0\.0\.1:\d+\/\?tkn=[0-9a-f]+/;

let started: ChildProcess;
let output = '';
beforeAll(() => {
  started = spawn(process.execPath, ['scripts/start.mjs'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [started.stdout, started.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
});
afterAll(async () => {
  if (started.exitCode === null) {
    started.kill('SIGINT');
    await once(started, 'close');
  }
  await endRuns(workspace);
  fs.rmSync(home, { recursive: true, force: true });
});

test('opens an editor that only a holder of its token may use, and trains beside it', async () => {
  const url = await until('an address', () => address.exec(output)?.[0], 60);
  expect((await fetch(url, { redirect: 'manual' })).status).toBeLessThan(400);
  expect((await fetch(new URL('/', url))).status).toBe(403);
  await until('the start of both runs', () => findRuns(workspace).filter(({ start }) => start).length === 2, 60);
  expect(findRuns(workspace).map(({ start }) => start?.epochs)).toEqual([150, 150]);
});

test('a second start answers with the address of the first', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/start.mjs'], { env });
  expect(address.exec(stdout)?.[0]).toBe(address.exec(output)?.[0]);
  expect(findRuns(workspace)).toHaveLength(2);
});

test('Ctrl-C ends the experiment in good order, and the editor', async () => {
  const url = address.exec(output)?.[0] ?? '';
  const processes = processesOf(workspace);
  expect(living(processes)).toEqual(processes);
  started.kill('SIGINT');
  await once(started, 'close');
  expect(living(processes)).toEqual([]);
  expect(await isAnswering(url)).toBe(false);
  expect(findRuns(workspace).map(({ events }) => events.at(-1))).toMatchObject([
    { state: 'stopped' },
    { state: 'stopped' },
  ]);
  expect(output).toMatch(/Baseline .*stopped/); // the comparison table
});
