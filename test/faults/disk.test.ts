/** A full disk, whenever it strikes: a plain sentence naming the file, and no run that looks finished. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readRun } from '../../src/store/runReader.ts';
import {
  eventsOf,
  expectNothingFinished,
  groupMembers,
  makeExperiment,
  runArguments,
  runFolder,
  startTraining,
  trainerOf,
  until,
} from '../runner/experiment.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectPlain, startCli } from '../support/cli.ts';

const roles = ['baseline', 'masksub'] as const;

// One epoch of `makeExperiment` writes: lock, config, control, data (1–4); start, five steps, layers, epoch (5–12); what it recorded of
// its samples, in two files, and their event (13–15); two checkpoints, each with its event (16–19); summary and end (20, 21); and a
// heartbeat every 5 s.
const writes: Record<string, number> = {
  'at the lock': 1,
  'at the config': 2,
  'at the address of the socket': 3,
  'at what it keeps of the data': 4,
  'at the first event': 5,
  'at a step': 8,
  'at the images of the samples': 13,
  'at the samples': 14,
  'at the first checkpoint': 16,
  'at the last checkpoint': 18,
  'at the summary': 20,
  'at the last event': 21,
};

describe('the disk is full', () => {
  for (const [when, write] of Object.entries(writes)) {
    test(when, async () => {
      const experiment = makeExperiment();
      const result = await cli(runArguments(experiment, '--set', 'train.epochs=1'), {
        env: { MASKSUB_FAULT: `enospc:${write}` },
      });
      expect([1, 2]).toContain(result.code);
      expectPlain(result.stderr);
      expect(result.stderr).toMatch(/^Error: The disk is full: cannot write .*\. Free some space, or choose a folder/m);
      expect(result.stderr).toContain(path.join(experiment.out, 'x-s0-'));
      expectNothingFinished(experiment.out);
    });
  }

  test('after the last write: the run is finished', async () => {
    const experiment = makeExperiment();
    const env = { MASKSUB_FAULT: 'enospc:30' };
    const result = await cli(runArguments(experiment, '--set', 'train.epochs=1'), { env });
    expect(result.code, result.stderr).toBe(0);
    for (const role of roles) expect(readRun(runFolder(experiment, role)).state.state).toBe('finished');
  });

  test('at a heartbeat, which nobody hears: said when there is something to write', async () => {
    // An epoch of 20,000 steps says nothing for longer than the 5 s between two heartbeats. Lock, config, control, data, start
    // and the first step are six writes; the seventh is a heartbeat.
    const experiment = makeExperiment(temporaryFolder(), 20_000);
    const sets = ['run.logEvery=1000000', 'run.layersEvery=1000000', 'train.batchSize=1'].flatMap((set) => [
      '--set',
      set,
    ]);
    const { pid, ended } = startCli(runArguments(experiment, '--method', 'baseline', ...sets), {
      env: { MASKSUB_FAULT: 'enospc:7' },
    });
    const folder = runFolder(experiment, 'baseline');
    await until(() => eventsOf(folder).length === 2);
    await setTimeout(5500);
    expect(groupMembers(pid), 'the leader and its run').toHaveLength(2);
    process.kill(pid, 'SIGTERM');
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expectPlain(stderr);
    expect(stderr).toContain(`The disk is full: cannot write ${path.join(folder, 'checkpoints')}`);
    expectNothingFinished(experiment.out);
  });
});

describe('a disk of 1 MB', () => {
  test('that fills up: both runs fail in words, and what was said before can be read', async ({ skip }) => {
    const experiment = makeExperiment(smallDisk(skip));
    const { pid, ended } = await startTraining(experiment);
    fill(experiment.folder);
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expectPlain(stderr);
    expect(stderr).toContain('The disk is full');
    for (const role of roles) {
      const { state, summary } = readRun(runFolder(experiment, role));
      expect(state.state).toMatch(/^(failed|stopped|lost)$/);
      expect(summary?.state).not.toBe('finished');
      expect(state.epochs.length).toBeGreaterThan(0);
    }
    expect(groupMembers(pid)).toEqual([]);
  });

  test('on which not even the end of a killed run can be noted: in words, and readers find it lost', async ({
    skip,
  }) => {
    const experiment = makeExperiment(smallDisk(skip));
    const { ended, stderr } = await startTraining(experiment);
    const folder = runFolder(experiment, 'masksub');
    const [killed, other] = [trainerOf(folder), trainerOf(runFolder(experiment, 'baseline'))];
    for (const trainer of [killed, other]) process.kill(trainer, 'SIGSTOP');
    fill(experiment.folder);
    fill(folder, 'events.jsonl'); // the rest of its last block
    process.kill(killed, 'SIGKILL');
    await until(() => stderr().includes(`The disk is full: cannot write ${path.join(folder, 'events.jsonl')}`));
    process.kill(other, 'SIGCONT');
    expect((await ended).code).toBe(1);
    expectPlain(stderr());
    expect(readRun(folder).state.state).toBe('lost');
  });
});

test('a run folder that is removed under a living run: the run ends in words', async () => {
  const experiment = makeExperiment();
  const { ended } = await startTraining(experiment, {}, '--set', 'run.checkpointEvery=20');
  // The run writes meanwhile, and a folder in which files come up cannot be emptied: out of its place it can.
  const elsewhere = path.join(experiment.folder, 'elsewhere');
  fs.renameSync(runFolder(experiment, 'masksub'), elsewhere);
  fs.rmSync(elsewhere, { recursive: true, force: true, maxRetries: 20, retryDelay: 10 });
  const { code, stderr } = await ended;
  expect(code).toBe(1);
  expectPlain(stderr);
  expect(stderr).toContain(runFolder(experiment, 'masksub'));
  expect(fs.existsSync(path.join(runFolder(experiment, 'baseline'), 'summary.json'))).toBe(true);
});

/** A file system of 1 MB, gone after the test; skips the test where none may be mounted. */
function smallDisk(skip: (reason: string) => never): string {
  const folder = temporaryFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (mounted.status !== 0) skip('no file system may be mounted here; the injected faults above cover it');
  onTestFinished(() => void spawnSync('umount', ['-l', folder]));
  return folder;
}

/** Appends newlines to a file until its disk is full. */
function fill(folder: string, name = 'ballast'): void {
  const descriptor = fs.openSync(path.join(folder, name), 'a');
  try {
    for (let size = 1 << 16; size > 0; ) {
      try {
        fs.writeSync(descriptor, '\n'.repeat(size));
      } catch {
        size >>= 1; // a smaller piece may still fit
      }
    }
  } finally {
    fs.closeSync(descriptor);
  }
}
