/** Wrong input ends a run before it begins: one plain sentence with the way out, exit code 2, and nothing that looks like a run. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Experiment, expectNothingFinished, makeExperiment, runArguments } from '../runner/experiment.ts';
import { cli, expectRefusal } from '../support/cli.ts';

interface Fault {
  /** Breaks something in the experiment. */
  readonly break?: (experiment: Experiment) => void;
  readonly args?: readonly string[];
  /** What the sentence must name. */
  readonly says: (experiment: Experiment) => readonly string[];
}

const replaced = (file: string, from: string | RegExp, to: string) =>
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(from, to));
const data = (file: string) => (experiment: Experiment) => path.join(experiment.data, file);
const images = data('train-images-idx3-ubyte');
const labels = data('t10k-labels-idx1-ubyte');

const faults: Record<string, Fault> = {
  'a misspelt key': {
    break: ({ config }) => replaced(config, '"epochs"', '"epoch"'),
    says: ({ config }) => [`${config}:7:14: Unknown key "epoch". Did you mean "epochs"?`],
  },
  'a wrong value': {
    break: ({ config }) => replaced(config, '"maskRatio": 0.5', '"maskRatio": 1.5'),
    says: ({ config }) => [`${config}:6:47: "maskRatio" must be below 1, found 1.5.`],
  },
  'a text that is not JSON': {
    break: ({ config }) => replaced(config, '"model":', '"model"'),
    says: ({ config }) => [`${config}:5:`, 'Not JSON', 'a colon is expected here'],
  },
  'an empty file': {
    break: ({ config }) => fs.writeFileSync(config, ''),
    says: ({ config }) => [`${config}:1:1:`],
  },
  'a config that is not there': {
    break: ({ config }) => fs.rmSync(config),
    says: ({ config }) => [config, 'Not found', 'Check the path'],
  },
  'a folder instead of a config': {
    break: ({ config }) => {
      fs.rmSync(config);
      fs.mkdirSync(config);
    },
    says: ({ config }) => [config, 'A folder lies where a file should be'],
  },
  '--set without a value': { args: ['--set', 'train.epochs'], says: () => ['--set', 'Expected key=value'] },
  '--set without a key': { args: ['--set', '=3'], says: () => ['--set =3', 'train.epochs=2'] },
  '--set with an unknown key': {
    args: ['--set', 'train.epoch=3'],
    says: () => ['Unknown key "epoch"', 'epochs', '(--set train.epoch=3)'],
  },
  '--set with a wrong value': {
    args: ['--set', 'train.epochs=many'],
    says: () => ['"epochs" must be', 'found "many"'],
  },
  'an unknown method': { args: ['--method', 'masksup'], says: () => ['"masksup"', 'Did you mean "masksub"?'] },
  'an unknown backend': {
    args: ['--backend', 'cuda'],
    says: () => ['"cuda"', '"tensorflow"', '--set run.backend=cuda'],
  },
  'an unknown executor': { args: ['--executor', 'lazy'], says: () => ['"lazy"', '"eager"'] },
  'bfloat16 on an executor that cannot have it': {
    args: ['--executor', 'eager', '--set', 'run.precision=bfloat16'],
    says: () => ['"bfloat16" needs the executor "recorded"', '(--set run.precision=bfloat16)'],
  },
  'an unknown option': { args: ['--epoch', '3'], says: () => ['--epoch'] },
  'an id that is a path': { args: ['--id', '../x'], says: () => ['../x', '--id'] },
  'a data folder that is not there': {
    break: (experiment) => fs.rmSync(experiment.data, { recursive: true }),
    says: (experiment) => [images(experiment), 'path'],
  },
  'a data file that is not there': {
    break: (experiment) => fs.rmSync(labels(experiment)),
    says: (experiment) => [labels(experiment), 'not found'],
  },
  'a data file that is cut off': {
    break: (experiment) => fs.truncateSync(images(experiment), 1000),
    says: (experiment) => [`${images(experiment)}: damaged at byte 1000`, '64 × 8 × 8', 'copied as a whole'],
  },
  'a data file of something else': {
    break: (experiment) => fs.writeFileSync(images(experiment), 'PK\x03\x04 a zip file'),
    says: (experiment) => [`${images(experiment)}: damaged at byte 0`, 'no IDX file'],
  },
  'an unreadable gzip file': {
    break: (experiment) => fs.writeFileSync(images(experiment), Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1])),
    says: (experiment) => [images(experiment), 'gzip'],
  },
  'images that do not fit the model': {
    args: ['--set', 'model.patchSize=3'],
    says: () => ['model.patchSize (3) must divide "imageSize" (8)'],
  },
  'fewer images than a batch': {
    args: ['--set', 'train.batchSize=100'],
    says: () => ['100 training samples', 'there are 64', 'train.batchSize'],
  },
  'a file where the folder of runs should be': {
    break: ({ out }) => fs.writeFileSync(out, 'mine'),
    says: ({ out }) => [out],
  },
  'a file where the run folder should be': {
    break: ({ out }) => {
      fs.mkdirSync(out);
      fs.writeFileSync(path.join(out, 'x-s0-baseline'), 'mine');
      fs.writeFileSync(path.join(out, 'x-s0-masksub'), 'mine');
    },
    says: ({ out }) => [path.join(out, 'x-s0-'), 'already', '--id'],
  },
};

describe('is refused', () => {
  for (const [what, { break: breakIt, args = [], says }] of Object.entries(faults)) {
    test(what, async () => {
      const experiment = makeExperiment();
      breakIt?.(experiment);
      const result = await cli(runArguments(experiment, ...args));
      expectRefusal(result, ...says(experiment));
      expect(result.stderr.trimEnd().split('\n').length, result.stderr).toBeLessThanOrEqual(2);
      expect(result.stdout).toBe('');
      if (fs.existsSync(experiment.out) && fs.statSync(experiment.out).isDirectory())
        expectNothingFinished(experiment.out);
    });
  }
});

test("what lies in the way stays as it is, and the other run of the pair isn't left to train alone", async () => {
  const experiment = makeExperiment();
  const inTheWay = path.join(experiment.out, 'x-s0-masksub');
  fs.mkdirSync(experiment.out);
  fs.writeFileSync(inTheWay, 'mine');
  const result = await cli(runArguments(experiment, '--set', 'train.epochs=100000'));
  expect([1, 2]).toContain(result.code);
  expect(result.stderr).toContain(inTheWay);
  expect(fs.readFileSync(inTheWay, 'utf8')).toBe('mine');
  expectNothingFinished(experiment.out);
});

test('several problems are told at once, each at its place', async () => {
  const experiment = makeExperiment();
  replaced(experiment.config, '"epochs": 2', '"epochs": 0, "patience": 3');
  const { code, stderr } = await cli(runArguments(experiment));
  expect(code).toBe(2);
  expect(stderr.trimEnd().split('\n').sort()).toEqual([
    expect.stringContaining(`${experiment.config}:7:24: "epochs" must be above 0, found 0.`),
    expect.stringContaining(`${experiment.config}:7:27: Unknown key "patience".`),
  ]);
});

test('a run that is not there can be neither shown nor stopped', async () => {
  const { out } = makeExperiment();
  for (const command of ['show', 'stop']) {
    expectRefusal(await cli([command, 'nobody', '--out', out]), 'There is no run "nobody"', '--out');
  }
});

test('an unknown command is refused with the nearest', async () => {
  expectRefusal(await cli(['rnu']), 'rnu', 'run');
});
