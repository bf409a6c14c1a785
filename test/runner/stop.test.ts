/** However a running experiment is ended from outside, both runs end with a checkpoint, say so, and leave no process. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { controlAnswerSchema } from '../../src/core/messages.ts';
import { isOver } from '../../src/core/run.ts';
import { readLock } from '../../src/store/lock.ts';
import { readRun } from '../../src/store/runReader.ts';
import { decodeSafetensors } from '../../src/store/safetensors.ts';
import { cli, expectPlain, signalGroup } from '../support/cli.ts';
import {
  type Experiment,
  eventsOf,
  expectNothingLeft,
  expectStopped,
  groupMembers,
  makeExperiment,
  runFolder,
  startTraining,
  trainerOf,
  until,
} from './experiment.ts';

const roles = ['baseline', 'masksub'] as const;
const isRunOver = (folder: string) => isOver(readRun(folder).state);

describe('a stop ends the pair with a checkpoint and 130', () => {
  const ways: Record<string, (experiment: Experiment, leader: number) => unknown> = {
    'by `masksub stop` of the method': async ({ out }) => {
      const { code, stdout } = await cli(['stop', 'x-s0-masksub', '--out', out]);
      expect(stdout).toMatch(/^x-s0-masksub: Stopped at step \d+ of 800000\.$/m);
      expect(code).toBe(0);
    },
    'by `masksub stop` of the baseline': ({ out }) => cli(['stop', path.join(out, 'x-s0-baseline')]),
    'by SIGTERM to the leader': (_, leader) => process.kill(leader, 'SIGTERM'),
    'by Ctrl-C, which signals the whole group': (_, leader) => signalGroup(leader, 'SIGINT'),
    'by SIGTERM to one of the runs': (experiment) =>
      process.kill(trainerOf(runFolder(experiment, 'masksub')), 'SIGTERM'),
    'by the control socket': async (experiment) => {
      expect(await ask(experiment, '{"command":"stop"}')).toMatchObject({ ok: true, state: 'stopping' });
    },
  };
  for (const [way, stop] of Object.entries(ways)) {
    test(way, async () => {
      const experiment = makeExperiment();
      const { pid, ended } = await startTraining(experiment);
      await stop(experiment, pid);
      const { code, stdout, stderr } = await ended;
      expect(code, stderr).toBe(130);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^MaskSub +0 +stopped/m);
      for (const role of roles) expectStopped(runFolder(experiment, role));
      expect(groupMembers(pid)).toEqual([]);
    });
  }
});

test('the checkpoint of a stop is whole and of its last step', async () => {
  const experiment = makeExperiment();
  const { pid, ended } = await startTraining(experiment, {}, '--set', 'train.ema=0.9');
  process.kill(pid, 'SIGTERM');
  await ended;
  const folder = runFolder(experiment, 'masksub');
  const { state, summary } = readRun(folder);
  const file = path.join(folder, state.lastCheckpoint ?? '');
  const { tensors, metadata } = decodeSafetensors(fs.readFileSync(file), file);
  expect(metadata.step).toBe(String(summary?.steps));
  for (const name of ['head.weight', 'ema.head.weight', 'optimizer.second.head.weight']) {
    expect(tensors.get(name)?.data.every(Number.isFinite), name).toBe(true);
  }
});

describe('a run that lives', () => {
  test('is found by its lock, answers on its socket, and is shown as running', async () => {
    const experiment = makeExperiment();
    const { pid } = await startTraining(experiment);
    for (const role of roles) {
      const lock = readLock(runFolder(experiment, role));
      expect(lock?.leader).toBe(pid);
      expect(groupMembers(pid)).toContain(lock?.pid);
    }
    const first = controlAnswerSchema.parse(await ask(experiment, '{"command":"status"}'));
    expect(first).toMatchObject({ ok: true, state: 'running' });
    await until(() => (readRun(runFolder(experiment, 'masksub')).state.lastStep?.step ?? 0) > first.step + 10);
    const second = controlAnswerSchema.parse(await ask(experiment, '{"command":"status"}'));
    expect(second.step).toBeGreaterThan(first.step);
    for (const nonsense of ['{"command":"explode"}', 'hello', '[]']) {
      expect(await ask(experiment, nonsense)).toMatchObject({ ok: false });
    }
    const { stdout } = await cli(['show', 'x-s0-masksub', '--out', experiment.out]);
    expect(stdout).toMatch(/^ {2}state +running$/m);
  });
  test('lets nobody else to its socket', async () => {
    const experiment = makeExperiment();
    await startTraining(experiment);
    const folder = path.dirname(socketOf(experiment));
    expect(fs.statSync(folder).mode & 0o077).toBe(0);
  });
});

describe('a process that is killed', () => {
  test('one of the runs: it failed, the other ends in good order, 1', async () => {
    const experiment = makeExperiment();
    const { pid, ended } = await startTraining(experiment);
    const [killed, other] = [runFolder(experiment, 'masksub'), runFolder(experiment, 'baseline')];
    process.kill(trainerOf(killed), 'SIGKILL');
    await until(() => isRunOver(killed));
    process.kill(pid, 'SIGTERM');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(1);
    expectPlain(stderr);
    expect(stderr).toContain('SIGKILL');
    expect(stdout).toMatch(/^MaskSub +0 +failed/m);
    const run = readRun(killed);
    expect(run.state.end).toMatchObject({ state: 'failed', message: expect.stringContaining('SIGKILL') });
    expect(run.summary).toBeUndefined();
    expectNothingLeft(killed);
    expectStopped(other);
    expect(groupMembers(pid)).toEqual([]);
  });

  test('the leader: its runs stop with a checkpoint, and nothing is left', async () => {
    const experiment = makeExperiment();
    const { pid, ended } = await startTraining(experiment);
    process.kill(pid, 'SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    await until(() => roles.every((role) => isRunOver(runFolder(experiment, role))) && groupMembers(pid).length === 0);
    for (const role of roles) expectStopped(runFolder(experiment, role));
  });

  test('all at once: readers find the runs lost, with every event that was said', async () => {
    const experiment = makeExperiment();
    const { pid, ended } = await startTraining(experiment);
    signalGroup(pid, 'SIGKILL');
    await ended;
    await until(() => groupMembers(pid).length === 0);
    for (const role of roles) {
      const { state, summary } = readRun(runFolder(experiment, role));
      expect(state.state).toBe('lost');
      expect(summary).toBeUndefined();
      expect(eventsOf(runFolder(experiment, role)).filter(({ type }) => type === 'step').length).toBeGreaterThan(3);
    }
    const { stdout } = await cli(['show', 'x-s0-masksub', '--out', experiment.out]);
    expect(stdout).toMatch(/^ {2}state +lost$/m);
  });
});

const socketOf = (experiment: Experiment): string =>
  JSON.parse(fs.readFileSync(path.join(runFolder(experiment, 'masksub'), 'control'), 'utf8')).socket;

/** Sends one line to the control socket and gives the answer. */
function ask(experiment: Experiment, line: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = net.createConnection(socketOf(experiment));
    socket.once('error', reject);
    createInterface({ input: socket }).once('line', (answer) => {
      socket.end();
      resolve(JSON.parse(answer));
    });
    socket.write(`${line}\n`);
  });
}
