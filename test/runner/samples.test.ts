/** The samples in the folder of a real run: recorded where the config asks, of what its steps used. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readRun } from '../../src/store/runReader.ts';
import { readSamples, sampledEpochs } from '../../src/store/samplesFile.ts';
import { cli } from '../support/cli.ts';
import { eventsOf, makeExperiment, runArguments, runFolder } from './experiment.ts';

test('a pair records the same images in both runs; the method its masks and two predictions', async () => {
  const experiment = makeExperiment();
  const sets = ['train.epochs=5', 'run.samplesEvery=2', 'data.validateEvery=4'].flatMap((set) => ['--set', set]);
  const result = await cli(runArguments(experiment, ...sets));
  expect(result.code, result.stderr).toBe(0);
  const [baseline, method] = [runFolder(experiment, 'baseline'), runFolder(experiment, 'masksub')];
  for (const folder of [baseline, method]) {
    expect(sampledEpochs(folder)).toEqual([2, 4, 5]);
    const told = eventsOf(folder).flatMap((event) => (event.type === 'samples' ? [[event.step, event.file]] : []));
    expect(told).toEqual([2, 4, 5].map((epoch) => [8 * epoch, `samples/epoch-00000${epoch}.json`]));
    const { samples } = readSamples(folder, 5);
    expect(samples.validation?.samples).toBe(40);
    const right = samples.validation?.confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0) ?? Number.NaN;
    expect(right / 40).toBe(readRun(folder).summary?.final?.top1);
    expect(readSamples(folder, 2).samples.validation).toBeUndefined();
  }
  const [plain, masked] = [readSamples(baseline, 4), readSamples(method, 4)];
  const places = ({ samples }: typeof plain) => samples.training.map(({ sample, label }) => [sample, label]);
  expect(places(masked)).toEqual(places(plain));
  expect(new Set(places(masked).map(([sample]) => sample)).size).toBe(64);
  const imagesOf = ({ samples, bytes }: typeof plain) => {
    const { offset = 0, shape = [] } = samples.blocks.trainingImages ?? {};
    expect(shape).toEqual([64, 8, 8, 1]);
    return bytes.slice(offset, offset + 64 * 8 * 8);
  };
  expect(imagesOf(masked)).toEqual(imagesOf(plain));
  expect(masked.samples).toMatchObject({ grid: { rows: 2, columns: 2 }, unit: [4, 4] });
  for (const { kept, sub } of masked.samples.training) expect([kept?.length, sub !== undefined]).toEqual([2, true]);
  expect(plain.samples.grid).toBeUndefined();
  for (const sample of plain.samples.training) expect('sub' in sample || 'kept' in sample).toBe(false);
});

test('the images are those of the data, flipped or not', async () => {
  const experiment = makeExperiment();
  const result = await cli(runArguments(experiment, '--method', 'masksub', '--set', 'train.epochs=1'));
  expect(result.code, result.stderr).toBe(0);
  const { samples, bytes } = readSamples(runFolder(experiment, 'masksub'), 1);
  const all = fs.readFileSync(path.join(experiment.data, 'train-images-idx3-ubyte')).subarray(16);
  const offset = samples.blocks.trainingImages?.offset ?? 0;
  let flipped = 0;
  for (const [i, { sample }] of samples.training.entries()) {
    const shown = [...bytes.subarray(offset + 64 * i, offset + 64 * (i + 1))];
    const own = [...all.subarray(64 * sample, 64 * (sample + 1))];
    const mirrored = own.map((_, at) => own[8 * Math.floor(at / 8) + 7 - (at % 8)]);
    const isFlipped = shown.join() !== own.join();
    if (isFlipped) flipped++;
    expect(shown).toEqual(isFlipped ? mirrored : own);
  }
  expect(flipped).toBeGreaterThan(10);
  expect(flipped).toBeLessThan(54);
});

test('none where the config says 0', async () => {
  const experiment = makeExperiment();
  const result = await cli(runArguments(experiment, '--method', 'baseline', '--set', 'run.samplesEvery=0'));
  expect(result.code, result.stderr).toBe(0);
  const folder = runFolder(experiment, 'baseline');
  expect(fs.existsSync(path.join(folder, 'samples'))).toBe(false);
  expect(eventsOf(folder).some(({ type }) => type === 'samples')).toBe(false);
});
