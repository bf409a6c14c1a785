/** CIFAR in its binary version: pixels and labels end up where they belong, wrong files are named, and a model trains on it. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, resolveConfig } from '../../src/core/config.ts';
import { openDataset } from '../../src/data/index.ts';
import { readRun } from '../../src/store/runReader.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli } from '../support/cli.ts';
import { failure } from './failure.ts';

type Cifar = 'cifar10' | 'cifar100';

const files: Record<Cifar, string[]> = {
  cifar10: [...[1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`), 'test_batch.bin'],
  cifar100: ['train.bin', 'test.bin'],
};

const open = (dataset: Cifar, folder: string, data: Partial<Config['data']> = {}) =>
  openDataset(
    { dataset, validateEvery: 1, path: path.basename(folder), ...data },
    { mediaFolder: '/', configFolder: path.dirname(folder) },
  );

/** A pixel that is another one for each image, row, column and channel nearby. */
const pixelOf = (image: number, row: number, column: number, channel: number) =>
  (image * 5 + row * 7 + column * 3 + channel * 101) % 256;

/** As the data set's page describes it: the labels, then 1,024 bytes each of red, green and blue, row by row. */
function record(labels: readonly number[], image: number): Buffer {
  const bytes = [...labels];
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < 32; row++) {
      for (let column = 0; column < 32; column++) bytes.push(pixelOf(image, row, column, channel));
    }
  }
  return Buffer.from(bytes);
}

/** Three images a batch, the fifth has two, four for validation; labels 0, 1, 2, … 9, 0, … */
function cifar10Folder(): string {
  const folder = temporaryFolder();
  let image = 0;
  for (const [i, name] of files.cifar10.entries()) {
    const records = Array.from({ length: [3, 3, 3, 3, 2, 4][i] ?? 0 }, () => record([image % 10], image++));
    fs.writeFileSync(path.join(folder, name), Buffer.concat(records));
  }
  return folder;
}

/** Two images to train on, one for validation, with the labels [coarse, fine]. */
function cifar100Folder(): string {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'train.bin'), Buffer.concat([record([19, 3], 0), record([0, 99], 1)]));
  fs.writeFileSync(path.join(folder, 'test.bin'), record([7, 42], 2));
  return folder;
}

const folderOf = (dataset: Cifar) => (dataset === 'cifar10' ? cifar10Folder() : cifar100Folder());

/** Every pixel of a set whose first image is number `first`. */
function expectPixels(pixels: Uint8Array, first: number, count: number): void {
  const expected: number[] = [];
  for (let image = first; image < first + count; image++) {
    for (let row = 0; row < 32; row++) {
      for (let column = 0; column < 32; column++) {
        for (let channel = 0; channel < 3; channel++) expected.push(pixelOf(image, row, column, channel));
      }
    }
  }
  expect(Buffer.compare(pixels, Buffer.from(expected))).toBe(0);
}

describe('CIFAR-10', () => {
  test('is read batch after batch, with the channels last', async () => {
    const data = await open('cifar10', cifar10Folder());
    expect(data).toMatchObject({ kind: 'images', name: 'cifar10', classes: 10, height: 32, width: 32, channels: 3 });
    expect([data.train.count, data.validation.count]).toEqual([14, 4]);
    expect([...data.train.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3]);
    expect([...data.validation.labels]).toEqual([4, 5, 6, 7]);
    expectPixels(data.train.pixels, 0, 14);
    expectPixels(data.validation.pixels, 14, 4);
  });

  test('has the published statistics and class names, unless others are given', async () => {
    const folder = cifar10Folder();
    const data = await open('cifar10', folder);
    expect(data.mean).toEqual([0.4914, 0.4822, 0.4465]);
    expect(data.std).toEqual([0.247, 0.2435, 0.2616]);
    expect([data.classNames[0], data.classNames[9]]).toEqual(['airplane', 'truck']);
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'];
    fs.writeFileSync(path.join(folder, 'batches.meta.txt'), `${names.join('\r\n')}\n\n`);
    const named = await open('cifar10', folder, { mean: [0, 0, 0], std: [1, 1, 1] });
    expect(named).toMatchObject({ classes: 11, classNames: names, mean: [0, 0, 0], std: [1, 1, 1] });
  });
});

describe('CIFAR-100', () => {
  test('has the fine labels', async () => {
    const data = await open('cifar100', cifar100Folder());
    expect(data).toMatchObject({ name: 'cifar100', classes: 100, height: 32, width: 32, channels: 3 });
    expect([[...data.train.labels], [...data.validation.labels]]).toEqual([[3, 99], [42]]);
    expectPixels(data.train.pixels, 0, 2);
    expectPixels(data.validation.pixels, 2, 1);
    expect([data.mean, data.std]).toEqual([
      [0.5071, 0.4865, 0.4409],
      [0.2673, 0.2564, 0.2762],
    ]);
    expect(data.classNames[42]).toBe('42');
  });

  test('has the coarse ones on demand', async () => {
    const data = await open('cifar100', cifar100Folder(), { labels: 'coarse' });
    expect(data.classes).toBe(20);
    expect([[...data.train.labels], [...data.validation.labels]]).toEqual([[19, 0], [7]]);
    expectPixels(data.train.pixels, 0, 2);
  });

  test('has the class names of its files', async () => {
    const folder = cifar100Folder();
    const names = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix} ${i}`);
    fs.writeFileSync(path.join(folder, 'fine_label_names.txt'), `${names(100, 'fine').join('\n')}\n`);
    fs.writeFileSync(path.join(folder, 'coarse_label_names.txt'), `${names(20, 'coarse').join('\n')}\n`);
    expect((await open('cifar100', folder)).classNames).toEqual(names(100, 'fine'));
    expect((await open('cifar100', folder, { labels: 'coarse' })).classNames).toEqual(names(20, 'coarse'));
  });

  test('alone has "labels"', () => {
    const resolve = (dataset: string, labels: string) =>
      resolveConfig({ data: { dataset, path: 'x', labels }, model: { name: 'vit' } }, {});
    expect(resolve('cifar100', 'coarse')).toMatchObject({ config: { data: { labels: 'coarse' } } });
    expect(resolve('cifar10', 'fine')).toMatchObject({
      problems: [{ path: ['data', 'labels'], message: '"labels" is for the data set "cifar100", found "cifar10".' }],
    });
    expect(resolve('cifar100', 'rough')).toMatchObject({ problems: [{ path: ['data', 'labels'] }] });
  });
});

describe('wrong files', () => {
  test.each([
    ['cifar10', 'CIFAR-10', 'cifar-10-binary.tar.gz'],
    ['cifar100', 'CIFAR-100', 'cifar-100-binary.tar.gz'],
  ] as const)('%s: all that are missing are named, and where they can be had', async (dataset, title, archive) => {
    const folder = folderOf(dataset);
    for (const name of files[dataset].slice(1)) fs.rmSync(path.join(folder, name));
    const error = await failure(open(dataset, folder));
    const missing = files[dataset].slice(1).join(', ');
    expect(error.message).toBe(`${title} is not complete in ${folder}: missing ${missing}.`);
    expect(error.hint).toContain(archive);
    expect((await failure(open(dataset, '/no/such'))).message).toContain(`missing ${files[dataset][0]}`);
    const noPath = openDataset({ dataset, validateEvery: 1 }, { mediaFolder: '/', configFolder: '/' });
    expect((await failure(noPath)).message).toBe(`The data set ${title} needs "path".`);
  });

  test.each([
    ['a file cut off', 'cifar10', 'data_batch_3.bin', 3073 + 100, 3073, 3073, '3073 or 6146'],
    ['a file cut off', 'cifar100', 'train.bin', 3074 * 2 - 1, 3074, 3074, '3074 or 6148'],
    ['a file with a byte too many', 'cifar10', 'test_batch.bin', 3073 * 2 + 1, 6146, 3073, '6146 or 9219'],
    ['less than a record', 'cifar100', 'test.bin', 3000, 0, 3074, 'at least 3074'],
    ['an empty file', 'cifar10', 'data_batch_1.bin', 0, 0, 3073, 'at least 3073'],
  ] as const)('%s (%s)', async (_what, dataset, name, size, at, recordBytes, right) => {
    const folder = folderOf(dataset);
    fs.writeFileSync(path.join(folder, name), Buffer.alloc(size));
    expect((await failure(open(dataset, folder))).message).toBe(
      `${path.join(folder, name)}: damaged at byte ${at}: the file has ${size} bytes, which is no whole number of records of ` +
        `${recordBytes} bytes; expected ${right}.`,
    );
  });

  test.each([
    ['cifar10', 'data_batch_2.bin', [10], {}, 3073, '10, but there are 10 classes (0 to 9)'],
    ['cifar100', 'test.bin', [0, 100], {}, 3075, '100, but there are 100 classes (0 to 99)'],
    ['cifar100', 'test.bin', [20, 0], { labels: 'coarse' }, 3074, '20, but there are 20 classes (0 to 19)'],
  ] as const)('a label of no class (%s, %s, %j)', async (dataset, name, labels, data, at, what) => {
    const folder = folderOf(dataset);
    const good = record(
      labels.map(() => 0),
      0,
    );
    fs.writeFileSync(path.join(folder, name), Buffer.concat([good, record(labels, 1), good]));
    expect((await failure(open(dataset, folder, data))).message).toBe(
      `${path.join(folder, name)}: damaged at byte ${at}: record 2 has the label ${what}.`,
    );
  });

  test.each([
    ['no names', '\n'],
    ['a name alone', 'cat\n'],
    ['an empty line', 'cat\n\ndog\n'],
  ])('class names: %s', async (_what, text) => {
    const folder = cifar10Folder();
    const file = path.join(folder, 'batches.meta.txt');
    fs.writeFileSync(file, text);
    expect((await failure(open('cifar10', folder))).message).toContain(`${file}: expected the names of two classes`);
  });

  test('a folder in place of a file', async () => {
    const folder = cifar10Folder();
    const file = path.join(folder, 'batches.meta.txt');
    fs.mkdirSync(file);
    expect((await failure(open('cifar10', folder))).message).toBe(`Data file cannot be read: ${file} (EISDIR).`);
  });
});

test.each(['cifar10', 'cifar100'] as const)('a model trains on %s', async (dataset) => {
  const folder = temporaryFolder();
  fs.renameSync(folderOf(dataset), path.join(folder, 'data'));
  const config = path.join(folder, 'tiny.masksub.json');
  const model = { name: 'vit', patchSize: 16, width: 16, depth: 1, heads: 2, mlpRatio: 2 };
  const augment = { crop: 'pad', flip: true };
  const train = { epochs: 9, batchSize: 2 };
  fs.writeFileSync(config, JSON.stringify({ data: { dataset, path: 'data' }, model, train, augment }));
  const out = path.join(folder, 'runs');
  const result = await cli(['run', config, '--out', out, '--id', 'x', '--set', 'train.epochs=1']);
  expect(result.code, result.stderr).toBe(0);
  for (const method of ['baseline', 'masksub']) {
    const { state, summary } = readRun(path.join(out, `x-s0-${method}`));
    expect(state.start).toMatchObject({ dataset });
    expect(summary).toMatchObject({ state: 'finished', steps: dataset === 'cifar10' ? 7 : 1 });
    // Three channels come in, and a logit for each class goes out.
    expect(state.start?.parameters).toBe(parametersOf(16, dataset === 'cifar10' ? 10 : 100));
  }
});

/** Of the model above, DeiT-III form: patch embedding, class token, positions, one block with layer scale, norm, head. */
function parametersOf(width: number, classes: number): number {
  const embedding = 16 * 16 * 3 * width + width + width + 4 * width;
  const norms = 3 * 2 * width;
  const attention = 3 * width * width + 3 * width + width * width + width;
  const mlp = 2 * (2 * width * width) + 2 * width + width;
  const layerScale = 2 * width;
  return embedding + norms + attention + mlp + layerScale + width * classes + classes;
}
