/** A full disk, whenever it strikes: a plain sentence naming the file, and no run that looks finished. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readRun } from '../../src/store/runReader.ts';
import {
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
import { cli, expectPlain } from '../support/cli.ts';

const roles = ['baseline', 'masksub'] as const;

// One epoch of `makeExperiment` writes: lock, config, control (1–3); start, five steps, layers, epoch (4–11); two checkpoints, each
// with its event (12–15); summary and end (16, 17); and a heartbeat every 5 s.
const writes: Record<string, number> = {
  'at the lock': 1,
  'at the config': 2,
  'at the address of the socket': 3,
  'at the first event': 4,
  'at a step': 7,
  'at the first checkpoint': 12,
  'at the last checkpoint': 14,
  'at the summary': 16,
  'at the last event': 17,
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

  test('at a heartbeat, between two events: said at the next event', async () => {
    const experiment = makeExperiment();
    const rare = ['run.logEvery=1000000', 'run.layersEvery=1000000', 'train.batchSize=1', 'data.validateEvery=1000000'];
    const sets = [...rare, 'train.epochs=100000'].flatMap((set) => ['--set', set]);
    // Writes: lock, config, control, start, first step; then an epoch a moment, until the heartbeat finds the disk full.
    const { code, stderr } = await cli(runArguments(experiment, ...sets), { env: { MASKSUB_FAULT: 'enospc:8' } });
    expect(code).toBe(1);
    expectPlain(stderr);
    expect(stderr).toContain('The disk is full');
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
  fs.rmSync(runFolder(experiment, 'masksub'), { recursive: true, force: true });
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
