/** `masksub resume`: what was stopped, killed or failed goes on as if it had never been interrupted, or is refused in words. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventsThatCount } from '../../src/core/run.ts';
import { listRuns, readRun } from '../../src/store/runReader.ts';
import { decodeSafetensors } from '../../src/store/safetensors.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectPlain, expectRefusal, startCli } from '../support/cli.ts';
import {
  type Experiment,
  eventsOf,
  expectNothingLeft,
  groupMembers,
  makeExperiment,
  runArguments,
  runFolder,
  startTraining,
  until,
} from './experiment.ts';

const roles = ['baseline', 'masksub'] as const;
const epochs = 40;
const sets = [`train.epochs=${epochs}`, 'run.checkpointEvery=1', 'train.ema=0.9'].flatMap((set) => ['--set', set]);

const resume = ({ out }: Experiment, run = 'x-s0-masksub', ...rest: string[]) =>
  cli(['resume', run, '--out', out, ...rest]);
const lastStep = (folder: string) => readRun(folder).state.lastStep?.step ?? 0;
const checkpointOf = (folder: string, name: string) => {
  const file = path.join(folder, 'checkpoints', name);
  return decodeSafetensors(fs.readFileSync(file), file).tensors;
};
const isNumbered = (name: string) => name.startsWith('step-');
const checkpointsIn = (folder: string) => fs.readdirSync(path.join(folder, 'checkpoints')).filter(isNumbered).sort();

/** A run of `epochs` epochs that is killed with everything that belongs to it, once both runs have trained for some. */
async function killedRun(...rest: string[]): Promise<Experiment> {
  const experiment = makeExperiment();
  // The socket of a leader that is killed stays; here it goes with the test's folder.
  const { pid, ended } = startCli(runArguments(experiment, ...sets, ...rest), { env: { TMPDIR: experiment.folder } });
  await until(() =>
    roles.every((role) => eventsOf(runFolder(experiment, role)).filter(({ type }) => type === 'checkpoint').length > 4),
  );
  process.kill(-pid, 'SIGKILL');
  await ended;
  await until(() => groupMembers(pid).length === 0);
  for (const role of roles) expect(readRun(runFolder(experiment, role)).state.state).toBe('lost');
  return experiment;
}

/** What a run has told, but for what depends on the clock and the machine's load. */
function toldBy(folder: string) {
  const { epochs, end } = readRun(folder).state;
  const counting = eventsThatCount(eventsOf(folder));
  const steps = counting.filter((event) => event.type === 'step');
  const layers = counting.filter((event) => event.type === 'layers');
  return {
    steps: steps.map(({ step, epoch, images, loss, grad, learningRate, flops }) => ({
      ...{ step, epoch, images, loss, grad, learningRate, flops },
    })),
    epochs: epochs.map(({ epoch, step, train, validation }) => ({ epoch, step, train, validation })),
    layers: layers.map(({ step, grad }) => ({ step, grad })),
    end: { state: end?.state, final: end?.summary?.final, best: end?.summary?.best, train: end?.summary?.train },
  };
}

test.each(['recorded', 'eager'])(
  '%s: a pair killed with SIGKILL goes on to the same bits as a pair in one go',
  async (executor) => {
    const killed = await killedRun('--executor', executor);
    fs.appendFileSync(path.join(runFolder(killed, 'masksub'), 'events.jsonl'), '{"v":1,"type":"st'); // killed while it wrote
    const whole = makeExperiment();
    expect((await cli(runArguments(whole, ...sets, '--executor', executor))).code).toBe(0);

    const { code, stdout, stderr } = await resume(killed);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Baseline +0 +finished +40\.0 /m);
    expect(stdout).toMatch(/^MaskSub +0 +finished +40\.0 /m);
    expect(stdout).toMatch(/^MaskSub \(seed 0\): .* Goes on after step \d+\.$/m);
    expect(stdout).toContain('Same initial weights and same batches in both runs');

    for (const role of roles) {
      const [folder, expected] = [runFolder(killed, role), runFolder(whole, role)];
      expect(toldBy(folder)).toEqual(toldBy(expected));
      expect(checkpointsIn(folder)).toEqual(checkpointsIn(expected));
      for (const name of ['best.safetensors', 'step-000000320.safetensors']) {
        expect(checkpointOf(folder, name)).toEqual(checkpointOf(expected, name));
      }
      expectNothingLeft(folder);
      expect(readRun(folder).summary?.state).toBe('finished');
      expect(listRuns(killed.out).map(({ state }) => state)).toEqual(['finished', 'finished']);

      const events = eventsOf(folder);
      expect(readRun(folder).state.start?.executor).toBe(executor);
      expect(new Set(events.map(({ attempt }) => attempt))).toEqual(new Set([0, 1]));
      const times = events.map(({ t }) => t);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      const lines = fs.readFileSync(path.join(folder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
      expect(lines.length - events.length, 'the line that was cut off').toBe(role === 'masksub' ? 1 : 0);
    }
  },
);

test('a pair that was stopped goes on, named by the folder of either run, and can be stopped and go on again', async () => {
  const experiment = makeExperiment();
  const started = await startTraining(experiment, {}, '--set', 'run.checkpointEvery=1000000');
  process.kill(started.pid, 'SIGTERM');
  expect((await started.ended).code).toBe(130);
  const folders = roles.map((role) => runFolder(experiment, role));
  const stoppedAt = folders.map(lastStep);

  const shown: [folder: string, line: string][] = [];
  for (const attempt of [1, 2]) {
    const before = folders.map((folder) => readRun(folder).summary?.steps ?? 0);
    const args = ['resume', folders[attempt - 1] as string];
    const { pid, ended } = startCli(args, { cwd: experiment.folder, env: { TMPDIR: experiment.folder } });
    const hasTrained = (folder: string, i: number) => lastStep(folder) > (before[i] ?? 0) + 8;
    await until(() => folders.every(hasTrained));
    expect(listRuns(experiment.out).map(({ state }) => state)).toEqual(['running', 'running']);
    expect(folders.map((folder) => fs.existsSync(path.join(folder, 'summary.json')))).toEqual([false, false]);
    expectRefusal(await resume(experiment, 'x-s0-baseline'), 'The run x-s0-baseline is alive.', 'masksub stop');
    process.kill(pid, 'SIGTERM');
    expect((await ended).code).toBe(130);
    folders.forEach((folder, i) => {
      const { state, summary } = readRun(folder);
      expect(state.start).toMatchObject({ attempt, fromStep: before[i] });
      expect(state.state).toBe('stopped');
      shown.push([folder, `attempt    ${attempt + 1}, from step ${before[i]}`]);
      expect(summary?.steps).toBeGreaterThan(stoppedAt[i] ?? 0);
      const steps = eventsThatCount(eventsOf(folder)).flatMap((event) => (event.type === 'step' ? [event.step] : []));
      expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
      expectNothingLeft(folder);
    });
  }
  for (const [folder, line] of shown.slice(-2)) expect((await cli(['show', folder])).stdout).toContain(line);
});

describe('what cannot go on is refused before anything is written', () => {
  async function stopped(): Promise<Experiment> {
    const experiment = makeExperiment();
    const { pid, ended } = await startTraining(experiment);
    process.kill(pid, 'SIGTERM');
    await ended;
    return experiment;
  }
  const contents = ({ out }: Experiment) =>
    fs
      .readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, fs.readFileSync(path.join(entry.parentPath, entry.name), 'latin1')]);

  test('a run that is finished', async () => {
    const experiment = makeExperiment();
    await cli(runArguments(experiment, '--set', 'train.epochs=1'));
    expectRefusal(await resume(experiment), 'The run x-s0-masksub is finished.');
  });

  test('a run without a checkpoint', async () => {
    const experiment = await stopped();
    fs.rmSync(path.join(runFolder(experiment, 'baseline'), 'checkpoints'), { recursive: true });
    const before = contents(experiment);
    expectRefusal(await resume(experiment), 'x-s0-baseline ended before its first checkpoint', 'masksub run');
    expect(contents(experiment)).toEqual(before);
  });

  test('a run whose data have changed', async () => {
    const experiment = await stopped();
    const file = path.join(experiment.data, 'train-images-idx3-ubyte');
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    fs.writeFileSync(file, bytes);
    const before = contents(experiment);
    const refused = await resume(experiment);
    expectRefusal(refused, 'The data of x-s0-', 'are not those that it was trained on: sha256:', 'start a new run');
    expect(contents(experiment)).toEqual(before);
  });

  test('a run whose checkpoints are all damaged', async () => {
    const experiment = await stopped();
    const checkpoints = path.join(runFolder(experiment, 'masksub'), 'checkpoints');
    for (const name of fs.readdirSync(checkpoints)) fs.truncateSync(path.join(checkpoints, name), 1000);
    const { code, stderr } = await resume(experiment);
    expect(code).toBe(2);
    expectPlain(stderr);
    expect(stderr).toContain(`The run in ${runFolder(experiment, 'masksub')} has no checkpoint to go on from.`);
    expect(stderr).toContain('damaged at byte');
    expect(readRun(runFolder(experiment, 'masksub')).state.state).toBe('stopped');
  });

  test('a run whose config was changed into nonsense', async () => {
    const experiment = await stopped();
    const file = path.join(runFolder(experiment, 'masksub'), 'config.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"epochs": 100000', '"epochs": -1'));
    expectRefusal(await resume(experiment), file, '"epochs" must be above 0, found -1');
  });

  test('a folder that is none of a run', async () => {
    expectRefusal(await cli(['resume', 'nothing', '--out', temporaryFolder()]), 'There is no run "nothing"');
  });
});

test('a damaged checkpoint is passed over for the one before, with a warning', async () => {
  const experiment = await killedRun();
  const folder = runFolder(experiment, 'masksub');
  const [newest, older] = checkpointsIn(folder).reverse() as [string, string];
  fs.truncateSync(path.join(folder, 'checkpoints', newest), 1000);
  // It may be newer than the numbered ones; this test is about those.
  fs.rmSync(path.join(folder, 'checkpoints', 'best.safetensors'));
  const { code, stdout } = await resume(experiment);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    new RegExp(`^Warning: .*${newest}: damaged at byte .* An older checkpoint is used: .*${older}\\.$`, 'm'),
  );
  const { state } = readRun(folder);
  expect(state.start?.fromStep).toBe(Number(/\d+/.exec(older)?.[0]));
  expect(state.warnings).toHaveLength(1);
  expect(readRun(runFolder(experiment, 'baseline')).state.warnings).toEqual([]);
});

test('of a pair with one run finished, the other goes on alone and is compared with it', async () => {
  const experiment = await killedRun();
  const [finished, killed] = roles.map((role) => runFolder(experiment, role)) as [string, string];
  const aside = path.join(experiment.folder, 'aside');
  fs.renameSync(killed, aside);
  expect((await resume(experiment, 'x-s0-baseline')).code).toBe(0);
  fs.renameSync(aside, killed);
  const before = fs.readFileSync(path.join(finished, 'events.jsonl'), 'utf8');
  const { code, stdout } = await resume(experiment, 'x-s0-baseline', '--json');
  expect(code).toBe(0);
  expect(fs.readFileSync(path.join(finished, 'events.jsonl'), 'utf8')).toBe(before);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.at(-1)).toMatchObject({ type: 'comparison', pairs: [{ pair: 'x-s0', epoch: epochs }] });
  expect(new Set(events.slice(0, -1).map(({ run }) => run))).toEqual(new Set(['x-s0-masksub']));
  expect(readRun(killed).state.state).toBe('finished');
});
