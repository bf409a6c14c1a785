/** Records of samples come back as they were written; one that is damaged is refused by its name. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Samples } from '../../src/core/samples.ts';
import { RunWriter } from '../../src/store/runWriter.ts';
import { readSamples, sampledEpochs, writeSamples } from '../../src/store/samplesFile.ts';
import { failure } from '../data/failure.ts';
import { config, deadLock, ownLock, start } from './examples.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const said = { predicted: 1, confidence: 0.25, certainty: 0.75, loss: 1.5 };
const samples: Samples = {
  v: 1,
  epoch: 5,
  step: 129,
  classNames: ['„ä“', '<b>'],
  grid: { rows: 1, columns: 2 },
  unit: [2, 1],
  training: [{ sample: 7, label: 0, mixed: false, main: { ...said, loss: Number.NaN }, sub: said, kept: [1] }],
  validation: {
    samples: 1,
    confusion: [
      [0, 1],
      [0, 0],
    ],
    worst: [{ sample: 3, label: 0, ...said }],
  },
  blocks: {
    trainingImages: { offset: 0, dtype: 'uint8', shape: [1, 2, 2, 1] },
    attention: { offset: 4, dtype: 'float32', shape: [1, 1, 2] },
  },
};
const bytes = new Uint8Array(12).map((_, i) => 20 * i);

function written(): string {
  const folder = temporaryFolder();
  expect(writeSamples(folder, { samples, bytes })).toBe('samples/epoch-000005.json');
  return folder;
}

test('a record reads as it was written', () => {
  const folder = written();
  const read = readSamples(folder, 5);
  expect(read.samples).toMatchObject(samples);
  expect(read.bytes).toEqual(bytes);
  expect(fs.readdirSync(path.join(folder, 'samples')).sort()).toEqual(['epoch-000005.bin', 'epoch-000005.json']);
});

test('the epochs that have a record, ascending', () => {
  const folder = written();
  for (const epoch of [1_000_000, 12]) writeSamples(folder, { samples: { ...samples, epoch }, bytes });
  fs.writeFileSync(path.join(folder, 'samples', 'epoch-000013.bin'), bytes); // its process died before the rest
  expect(sampledEpochs(folder)).toEqual([5, 12, 1_000_000]);
  expect(sampledEpochs(temporaryFolder())).toEqual([]);
});

describe('refused', () => {
  const json = 'epoch-000005.json';
  const bin = 'epoch-000005.bin';
  const edit = (name: string, change: (content: Buffer) => Buffer | string) => (place: string) => {
    const file = path.join(place, name);
    fs.writeFileSync(file, change(fs.readFileSync(file)));
  };
  const replace = (from: string, to: string) => edit(json, (content) => content.toString().replace(from, to));
  const cases: Record<string, [(place: string) => void, string, RegExp]> = {
    'a text that is cut': [edit(json, (content) => content.subarray(0, -20)), json, /no JSON/],
    'a text with a bit turned over': [
      edit(json, (content) => content.map((byte, i) => (i === 3 ? byte ^ 128 : byte)) as Buffer),
      json,
      /no JSON/,
    ],
    'an empty text': [edit(json, () => ''), json, /no JSON/],
    'another type': [replace('"label":0', '"label":"0"'), json, /"training\.0\.label"/],
    'a later version': [replace('"v":1', '"v":2'), json, /expected version 1, found 2/],
    'arrays that are cut': [edit(bin, (content) => content.subarray(0, 11)), bin, /11 bytes.*"attention".*12/],
    'a block beyond the end': [replace('"offset":4', '"offset":5'), bin, /would end at 13/],
    'arrays with a bit turned over': [
      edit(bin, (content) => content.map((byte, i) => (i === 6 ? byte ^ 1 : byte)) as Buffer),
      bin,
      /not what epoch-000005\.json was written with/,
    ],
    'arrays that are gone': [(place) => fs.rmSync(path.join(place, bin)), bin, /Not found/],
    'a record that is gone': [(place) => fs.rmSync(path.join(place, json)), json, /Not found/],
  };
  for (const [what, [damage, name, message]] of Object.entries(cases)) {
    test(what, async () => {
      const folder = written();
      damage(path.join(folder, 'samples'));
      const error = await failure(Promise.resolve().then(() => readSamples(folder, 5)));
      expect(error.message).toContain(path.join(folder, 'samples', name));
      expect(error.message).toMatch(message);
    });
  }
});

test('a run that goes on clears away what its killed process had not written to its end', () => {
  const writer = RunWriter.create(temporaryFolder(), 'r', config, { lock: deadLock });
  writer.emit(start);
  expect(writer.writeSamples({ samples, bytes })).toBe('samples/epoch-000005.json');
  writer.close();
  const half = path.join(writer.folder, 'samples', 'epoch-000006.bin.123.tmp');
  fs.writeFileSync(half, 'half');
  const next = RunWriter.resume(writer.folder, ownLock());
  expect(fs.existsSync(half)).toBe(false);
  expect(readSamples(writer.folder, 5).bytes).toEqual(bytes);
  next.close();
});

test('a run folder that was removed does not come back with nothing but samples', async () => {
  const folder = path.join(temporaryFolder(), 'gone');
  await failure(Promise.resolve().then(() => writeSamples(folder, { samples, bytes })));
  expect(fs.existsSync(folder)).toBe(false);
});
