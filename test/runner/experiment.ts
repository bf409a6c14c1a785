/** Experiments that take seconds: a folder with a config and a few images of noise as IDX files, and what became of a run. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { RandomStream } from '../../src/core/random.ts';
import { readLock } from '../../src/store/lock.ts';
import { EventTail, listRuns, readRun } from '../../src/store/runReader.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { type CliOptions, type CliProcess, startCli } from '../support/cli.ts';

const side = 8;

/** A folder with `tiny.masksub.json` and its data: 8 steps an epoch, milliseconds each. */
export interface Experiment {
  readonly folder: string;
  readonly config: string;
  readonly data: string;
  readonly out: string;
}

/** `images`: how many there are to train on. */
export function makeExperiment(folder = temporaryFolder(), images = 64): Experiment {
  const data = path.join(folder, 'data');
  fs.mkdirSync(data);
  for (const [set, count] of [
    ['train', images],
    ['t10k', 40],
  ] as const) {
    writeIdx(path.join(data, `${set}-images-idx3-ubyte`), [count, side, side], 256);
    writeIdx(path.join(data, `${set}-labels-idx1-ubyte`), [count], 4);
  }
  const config = path.join(folder, 'tiny.masksub.json');
  fs.writeFileSync(
    config,
    `{
  // Eight steps an epoch.
  "name": "tiny",
  "data": { "dataset": "idx", "path": "data", "validateOn": 20 },
  "model": { "name": "vit", "patchSize": 4, "width": 16, "depth": 2, "heads": 2, "mlpRatio": 2 },
  "method": { "name": "masksub", "maskRatio": 0.5 },
  "train": { "epochs": 2, "batchSize": 8, "warmupEpochs": 0 },
  "augment": { "flip": true },
  "run": { "logEvery": 2, "layersEvery": 8 }
}
`,
  );
  return { folder, config, data, out: path.join(folder, 'runs') };
}

/** Arguments that make a run go on until it is stopped. */
export const endless = ['--set', 'train.epochs=100000', '--set', 'run.checkpointEvery=100000'];

export const runArguments = ({ config, out }: Experiment, ...rest: string[]) => [
  'run',
  config,
  '--out',
  out,
  '--id',
  'x',
  ...rest,
];

/** The folder of one run of seed 0. */
export const runFolder = ({ out }: Experiment, method: string) => path.join(out, `x-s0-${method}`);

/** Starts an endless pair and waits until both runs have trained. */
export async function startTraining(experiment: Experiment, options: CliOptions = {}, ...rest: string[]) {
  // The socket of a leader that is killed stays; here it goes with the test's folder.
  const env = { TMPDIR: experiment.folder, ...options.env };
  const started = startCli(runArguments(experiment, ...endless, ...rest), { ...options, env });
  for (const method of ['baseline', 'masksub']) await hasTrained(experiment, method, started);
  return started;
}

async function hasTrained(experiment: Experiment, method: string, { ended }: CliProcess): Promise<void> {
  let over: unknown;
  ended.then((result) => {
    over = result;
  });
  await until(() => {
    if (over) throw new Error(`The run ended before it trained: ${JSON.stringify(over)}`);
    return eventsOf(runFolder(experiment, method)).some((event) => event.type === 'epoch');
  });
}

/** Waits until something holds; the test's own time limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(50);
}

export const eventsOf = (folder: string) => new EventTail(folder).read();

/** The process that trains a run. */
export function trainerOf(folder: string): number {
  const lock = readLock(folder);
  if (!lock) throw new Error(`${folder} has no lock.`);
  return lock.pid;
}

/** The processes of a group that still run; those that are dead and not yet waited for are none. */
export function groupMembers(group: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, pgid, state]) => Number(pgid) === group && !state?.startsWith('Z'))
    .map(([pid]) => Number(pid));
}

/** What is on the disk of a run that was stopped in good order. */
export function expectStopped(folder: string): void {
  const { state, summary } = readRun(folder);
  expect(state.state).toBe('stopped');
  expect(summary?.state).toBe('stopped');
  expect(state.end?.summary).toEqual(summary);
  const last = eventsOf(folder).at(-2);
  expect(last).toMatchObject({ type: 'checkpoint', step: summary?.steps });
  expect(fs.existsSync(path.join(folder, state.lastCheckpoint ?? ''))).toBe(true);
  expectNothingLeft(folder);
}

/** No lock, no control file, nothing half-written. */
export function expectNothingLeft(folder: string): void {
  const names = fs.readdirSync(folder, { recursive: true }).map(String);
  expect(names.filter((name) => /^run\.lock$|^control$|\.tmp$/.test(name))).toEqual([]);
}

/** Nothing in a folder of runs reads as finished: not to a list, not to a reader, not by a summary. */
export function expectNothingFinished(out: string): void {
  for (const { folder, state } of listRuns(out)) {
    expect(state).toMatch(/^(failed|stopped|lost)$/);
    const run = readRun(folder);
    expect(run.state.state).toBe(state);
    expect(run.summary?.state).not.toBe('finished');
  }
}

/** An IDX file of random bytes below `limit`. */
function writeIdx(file: string, shape: readonly number[], limit: number): void {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((length, i) => {
    header.writeUInt32BE(length, 4 + 4 * i);
  });
  const stream = new RandomStream(0, path.basename(file));
  const count = shape.reduce((product, length) => product * length);
  const values = Uint8Array.from({ length: count }, (_, i) => (limit <= 4 && i < limit ? i : stream.below(limit)));
  fs.writeFileSync(file, Buffer.concat([header, values]));
}
