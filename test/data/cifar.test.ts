/** CIFAR in its binary version and in that for Python: pixels and labels end up where they belong, wrong files are named, and a model trains on it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, resolveConfig } from '../../src/core/config.ts';
import { readRun } from '../../src/store/runReader.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli } from '../support/cli.ts';
import { pythonWith } from '../support/python.ts';
import { failure } from './failure.ts';
import { openPixels } from './openPixels.ts';

type Cifar = 'cifar10' | 'cifar100';

const files: Record<Cifar, string[]> = {
  cifar10: [...[1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`), 'test_batch.bin'],
  cifar100: ['train.bin', 'test.bin'],
};

const open = (dataset: Cifar, folder: string, data: Partial<Config['data']> = {}) =>
  openPixels(
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
    expect(data).toMatchObject({
      kind: 'images',
      name: 'cifar10',
      classes: 10,
      size: { height: 32, width: 32 },
      channels: 3,
    });
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
    expect(data).toMatchObject({ name: 'cifar100', classes: 100, size: { height: 32, width: 32 }, channels: 3 });
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
      problems: [
        {
          path: ['data', 'labels'],
          message: expect.stringMatching(/"labels" does not apply to the data set "cifar10"/),
        },
      ],
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
    const noPath = openPixels({ dataset, validateEvery: 1 }, { mediaFolder: '/', configFolder: '/' });
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

describe('batches for Python', () => {
  const int32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes.toString('latin1');
  };
  const short = (text: string) => `U${String.fromCharCode(text.length)}${text}`;

  interface Batch {
    readonly labels?: string;
    readonly classes: readonly number[];
    /** Of its first image. */
    readonly first?: number;
    readonly shape?: readonly [number, number];
    readonly type?: string;
    readonly bytes?: number;
  }

  /** As Python 2 and NumPy 1 wrote the published files. */
  function batch({ labels = 'labels', classes, first = 0, shape, type = 'u1', bytes }: Batch): Buffer {
    const images = classes.map((_, i) => record([], first + i));
    const pixels = Buffer.concat(images).subarray(0, bytes).toString('latin1');
    const [rows, columns] = shape ?? [classes.length, 3072];
    const numpyType = `cnumpy\ndtype\nq\n${short(type)}K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ${int32(-1)}J${int32(-1)}K\x00tb`;
    const array =
      `cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09` +
      `(K\x01J${int32(rows)}J${int32(columns)}\x86${numpyType}\x89T${int32(pixels.length)}${pixels}tb`;
    const list = `]q\x05(${classes.map((label) => `J${int32(label)}`).join('')}e`;
    const items = `${short('batch_label')}q\x02${short('a batch')}q\x03${short(labels)}q\x04${list}${short('data')}q\x06${array}`;
    return Buffer.from(`\x80\x02}q\x01(${items}u.`, 'latin1');
  }

  const names = [...[1, 2, 3, 4, 5].map((number) => `data_batch_${number}`), 'test_batch'];

  /** Two images each, labels 0 to 9 for training; the test batch has 3 and 4. */
  function pickledFolder(changes: Readonly<Record<string, Buffer>> = {}): string {
    const folder = temporaryFolder();
    for (const [i, name] of names.entries()) {
      const classes = name === 'test_batch' ? [3, 4] : [2 * i, 2 * i + 1];
      fs.writeFileSync(path.join(folder, name), changes[name] ?? batch({ classes, first: 2 * i }));
    }
    for (const [name, content] of Object.entries(changes)) fs.writeFileSync(path.join(folder, name), content);
    return folder;
  }

  test('are read as the binary version is', async () => {
    const data = await open('cifar10', pickledFolder());
    expect(data).toMatchObject({ classes: 10, channels: 3 });
    expect([...data.train.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...data.validation.labels]).toEqual([3, 4]);
    expectPixels(data.train.pixels, 0, 10);
    expectPixels(data.validation.pixels, 10, 2);
    expect(data.classNames[0]).toBe('airplane');
  });

  test('have their class names in a pickle', async () => {
    const list = `](${['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map(short).join('')}e`;
    const meta = Buffer.from(`\x80\x02}${short('label_names')}${list}s.`, 'latin1');
    expect((await open('cifar10', pickledFolder({ 'batches.meta': meta }))).classNames).toEqual([...'abcdefghij']);
    const empty = Buffer.from(`\x80\x02}${short('label_names')}]s.`, 'latin1');
    const error = await failure(open('cifar10', pickledFolder({ 'batches.meta': empty })));
    expect(error.message).toContain('batches.meta: expected the names of two classes at least.');
  });

  test('come after the binary version', async () => {
    const folder = cifar10Folder();
    for (const name of names) fs.writeFileSync(path.join(folder, name), 'not looked at');
    expect((await open('cifar10', folder)).train.count).toBe(14);
  });

  test('of CIFAR-100 have fine and coarse labels', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'train'), batch({ labels: 'fine_labels', classes: [99, 3] }));
    fs.writeFileSync(path.join(folder, 'test'), batch({ labels: 'fine_labels', classes: [42], first: 2 }));
    const data = await open('cifar100', folder);
    expect([[...data.train.labels], [...data.validation.labels]]).toEqual([[99, 3], [42]]);
    expectPixels(data.validation.pixels, 2, 1);
    const error = await failure(open('cifar100', folder, { labels: 'coarse' }));
    expect(error.message).toContain('expected a list "coarse_labels", found "batch_label", "fine_labels", "data".');
  });

  test('that are missing are named, and both versions where there is none', async () => {
    const folder = pickledFolder();
    fs.rmSync(path.join(folder, 'data_batch_4'));
    fs.rmSync(path.join(folder, 'test_batch'));
    expect((await failure(open('cifar10', folder))).message).toBe(
      `CIFAR-10 is not complete in ${folder}: missing data_batch_4, test_batch.`,
    );
    const images = temporaryFolder();
    for (const name of ['train', 'test']) fs.mkdirSync(path.join(images, name));
    const error = await failure(open('cifar100', images));
    expect(error.message).toBe(
      `CIFAR-100 is not complete in ${images}: missing train.bin, test.bin; or, in the version for Python, train, test.`,
    );
    expect(error.hint).toContain('cifar-100-binary.tar.gz or cifar-100-python.tar.gz');
  });

  test.each<[string, Buffer, string]>([
    [
      'too few labels',
      Buffer.from(
        batch({ classes: [1, 2] })
          .toString('latin1')
          .replace(`J${int32(2)}e`, 'e'),
        'latin1',
      ),
      '"data" has 2 images, but "labels" 1 labels',
    ],
    ['a label of no class', batch({ classes: [1, 10] }), 'image 2 has the label 10, but there are 10 classes (0 to 9)'],
    ['a negative label', batch({ classes: [1, -1] }), 'label 2 is no number of a class'],
    [
      'a row too short',
      batch({ classes: [1], shape: [1, 3071] }),
      'expected "data" to be images × 3072 of type u1, found 1 × 3071 of type u1',
    ],
    ['another type', batch({ classes: [1], type: 'f4' }), 'of type f4'],
    [
      'fewer bytes than it says',
      batch({ classes: [1], bytes: 100 }),
      '"data" says that it is 1 × 3072, but has 100 bytes',
    ],
    [
      'more images than bytes',
      batch({ classes: [1], shape: [2 ** 30, 3072] }),
      `it is ${2 ** 30} × 3072, but has 3072 bytes`,
    ],
    [
      'no pixels',
      Buffer.from(`\x80\x02}${short('labels')}]s.`, 'latin1'),
      'expected a NumPy array "data", found "labels"',
    ],
    ['no dict', Buffer.from('\x80\x02].', 'latin1'), 'expected a pickled dict'],
    ['no pickle', Buffer.from('PK\x03\x04', 'latin1'), 'damaged at byte'],
    [
      'an attack',
      Buffer.from("cos\nsystem\n(S'true'\ntR.", 'latin1'),
      'names os.system, which is no part of a CIFAR batch: it could run code',
    ],
  ])('with %s are refused', async (_what, content, message) => {
    const folder = pickledFolder({ data_batch_2: content });
    const error = await failure(open('cifar10', folder));
    expect(error.message).toContain(path.join(folder, 'data_batch_2'));
    expect(error.message).toContain(message);
  });

  test('are refused wherever one is cut off', async () => {
    const content = batch({ classes: [1] });
    const folder = pickledFolder();
    // Within the pixels every place is like the next.
    for (let length = 0; length < content.length; length += length > 300 && length < content.length - 20 ? 97 : 1) {
      fs.writeFileSync(path.join(folder, 'data_batch_2'), content.subarray(0, length));
      expect((await failure(open('cifar10', folder))).message).toContain('the file ends here');
    }
  });

  const python = pythonWith('numpy');
  test.skipIf('missing' in python)('are read as Python 2, 3 and NumPy 2 write them', async () => {
    const folder = temporaryFolder();
    const args = ['scripts/reference/pickles.py', folder, 'batches'];
    const { stdout, stderr } = spawnSync('command' in python ? python.command : '', args, { encoding: 'utf8' });
    expect(stdout, stderr).not.toBe('');
    type Described = Record<'train' | 'validation', { labels: number[]; sha256: string }>;
    const { batches } = JSON.parse(stdout) as { batches: Record<string, Described> };
    expect(Object.keys(batches)).toHaveLength(12);
    for (const [name, sets] of Object.entries(batches)) {
      const dataset = name.startsWith('cifar100') ? 'cifar100' : 'cifar10';
      const data = await open(dataset, path.join(folder, name));
      for (const set of ['train', 'validation'] as const) {
        const { pixels, labels } = data[set];
        const sha256 = createHash('sha256').update(pixels).digest('hex');
        expect({ labels: [...labels], sha256 }, `${name}, ${set}`).toEqual(sets[set]);
      }
      expect(data.classNames[3]).toBe(dataset === 'cifar10' ? 'class 2' : 'fine 3');
    }
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
