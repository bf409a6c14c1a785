/** Data sets: the embedded one is what its provenance says, and wrong files are named with the byte and a way out. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { parseIdx } from '../../src/data/idxFile.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { failure } from './failure.ts';
import { openPixels } from './openPixels.ts';

const mediaFolder = path.resolve('media');
const mini = path.join(mediaFolder, 'fashion-mnist-mini');
const fullFolder = '/usr/share/datasets/fashion-mnist';
const files = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

const open = (data: Partial<Config['data']>, configFolder = '/') =>
  openPixels({ dataset: 'idx', validateEvery: 1, ...data }, { mediaFolder, configFolder });

function idxBytes(shape: readonly number[], values: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  for (const [i, length] of shape.entries()) header.writeUInt32BE(length, 4 + 4 * i);
  return Buffer.concat([header, Buffer.from(values)]);
}

/** Three training images of 1 × 2 pixels, two for validation. */
function ownFolder(): string {
  const folder = temporaryFolder();
  const write = (name: string, bytes: Buffer) => fs.writeFileSync(path.join(folder, name), bytes);
  write(files[0], idxBytes([3, 1, 2], [0, 255, 51, 102, 0, 0]));
  write(files[1], idxBytes([3], [0, 2, 1]));
  write(files[2], idxBytes([2, 1, 2], [1, 2, 3, 4]));
  write(files[3], idxBytes([2], [1, 0]));
  return folder;
}

describe('the embedded Fashion-MNIST', () => {
  test('has 100 training images a class, class by class, and 10,000 for validation', async () => {
    const data = await open({ dataset: 'fashion-mnist-mini' });
    expect(data).toMatchObject({
      name: 'fashion-mnist-mini',
      classes: 10,
      size: { height: 28, width: 28 },
      channels: 1,
    });
    expect([data.train.count, data.validation.count]).toEqual([1000, 10000]);
    expect(data.train.pixels.length).toBe(1000 * 784);
    expect([...data.train.labels]).toEqual(Array.from({ length: 1000 }, (_, i) => Math.floor(i / 100)));
    const counts = new Array<number>(10).fill(0);
    for (const label of data.validation.labels) counts[label] = (counts[label] ?? 0) + 1;
    expect(counts).toEqual(new Array(10).fill(1000));
    expect([data.mean, data.std]).toEqual([[0.286], [0.353]]);
    expect(data.classNames[9]).toBe('Ankle boot');
    // Held, since a change of the data would change every figure that was ever published for them.
    expect(data.hash).toBe('sha256:7f9e3d7405eb71005786de60546c1c96723efc1e22fa9d12eecbd764c771bef5');
  });

  test('is what PROVENANCE.md says, and small enough to ship', () => {
    const provenance = fs.readFileSync(path.join(mini, 'PROVENANCE.md'), 'utf8');
    const packed = files.map((name) => fs.readFileSync(path.join(mini, `${name}.gz`)));
    for (const bytes of packed) {
      expect(provenance).toContain(`\`${sha256(bytes)}\` | \`${sha256(gunzipSync(bytes))}\``);
    }
    expect(packed.reduce((sum, bytes) => sum + bytes.length, 0)).toBeLessThan(8e6);
    expect(fs.readFileSync(path.join(mini, 'LICENSE'), 'utf8')).toContain('Zalando SE');
  });

  test('is the chosen part of the full set', async ({ skip }) => {
    if (!fs.existsSync(fullFolder)) skip('the full Fashion-MNIST is not installed');
    const full = await open({ dataset: 'fashion-mnist' });
    const part = await open({ dataset: 'fashion-mnist-mini' });
    expect([full.train.count, full.validation.count]).toEqual([60000, 10000]);
    const file = path.resolve('scripts/data/fashion-mnist-mini-indices.json');
    const { indices } = JSON.parse(fs.readFileSync(file, 'utf8')) as { indices: number[] };
    expect(new Set(indices).size).toBe(1000);
    const size = 28 * 28;
    for (const [i, index] of indices.entries()) {
      const chosen = full.train.pixels.subarray(index * size, (index + 1) * size);
      expect(Buffer.compare(chosen, part.train.pixels.subarray(i * size, (i + 1) * size))).toBe(0);
      expect(part.train.labels[i]).toBe(full.train.labels[index]);
    }
    expect(Buffer.compare(full.validation.pixels, part.validation.pixels)).toBe(0);
  });

  test('takes no path', async () => {
    expect((await failure(open({ dataset: 'fashion-mnist-mini', path: 'x' }))).message).toContain(
      '"path" does not apply',
    );
  });
});

describe('the full Fashion-MNIST', () => {
  test('says where it can be had when it is not there', async () => {
    const error = await failure(open({ dataset: 'fashion-mnist', path: 'none' }, '/no/such'));
    expect(error.message).toBe(`Fashion-MNIST is not in ${path.resolve('/no/such/none')}.`);
    expect(error.hint).toContain('dataset-fashion-mnist');
  });

  test('is read from a path, relative to the config', async () => {
    const data = await open({ dataset: 'fashion-mnist', path: 'fashion-mnist-mini' }, mediaFolder);
    expect(data.hash).toBe((await open({ dataset: 'fashion-mnist-mini' })).hash);
    expect(data.mean).toEqual([0.286]);
  });
});

describe('own IDX files', () => {
  test('are read from a path, relative to the config, with their own statistics', async () => {
    const folder = ownFolder();
    const data = await open({ path: path.basename(folder) }, path.dirname(folder));
    expect(data).toMatchObject({
      name: 'idx',
      classes: 3,
      classNames: ['0', '1', '2'],
      size: { height: 1, width: 2 },
      channels: 1,
    });
    expect([...data.train.pixels]).toEqual([0, 255, 51, 102, 0, 0]);
    expect([...data.validation.labels]).toEqual([1, 0]);
    expect(data.mean[0]).toBeCloseTo(1.6 / 6, 12);
    expect(data.std[0]).toBeCloseTo(Math.sqrt((1 + 0.04 + 0.16) / 6 - (1.6 / 6) ** 2), 12);
  });

  test('may be gzipped, whatever their name', async () => {
    const folder = ownFolder();
    const { hash } = await open({ path: folder });
    for (const [i, name] of files.entries()) {
      const bytes = gzipSync(fs.readFileSync(path.join(folder, name)));
      fs.rmSync(path.join(folder, name));
      fs.writeFileSync(path.join(folder, i % 2 ? name : `${name}.gz`), bytes);
    }
    expect((await open({ path: folder })).hash).toBe(hash);
  });

  test('may have colour', async () => {
    const folder = ownFolder();
    fs.writeFileSync(path.join(folder, files[0]), idxBytes([3, 1, 1, 2], [0, 255, 51, 255, 102, 255]));
    fs.writeFileSync(path.join(folder, files[2]), idxBytes([2, 1, 1, 2], [1, 2, 3, 4]));
    const data = await open({ path: folder });
    expect(data).toMatchObject({ size: { height: 1, width: 1 }, channels: 2 });
    expect(data.mean[0]).toBeCloseTo(0.2, 12);
    expect([data.mean[1], data.std[1]]).toEqual([1, 1]); // never changes: only shifted
    expect(await open({ path: folder, mean: [0.1, 0.2], std: [3, 4] })).toMatchObject({
      mean: [0.1, 0.2],
      std: [3, 4],
    });
    expect((await failure(open({ path: folder, mean: [0.5] }))).message).toBe(
      '"data.mean" has 1 values, but the images have 2 channels.',
    );
    expect((await failure(open({ path: folder, std: [1, 1, 1] }))).message).toContain('"data.std" has 3 values');
  });

  test('may have class names', async () => {
    const folder = ownFolder();
    fs.writeFileSync(path.join(folder, 'labels.txt'), 'cat\r\n dog \nemu\n');
    expect((await open({ path: folder })).classNames).toEqual(['cat', 'dog', 'emu']);
    fs.writeFileSync(path.join(folder, 'labels.txt'), 'cat\ndog');
    const { message } = await failure(open({ path: folder }));
    expect(message).toBe(`${path.join(folder, files[1])}: damaged at byte 9: label 2, but there are 2 classes.`);
  });

  test('give another hash for another pixel, label or shape', async () => {
    const hashes = new Set<string>();
    for (const [name, bytes] of [
      [undefined, undefined],
      [files[0], idxBytes([3, 1, 2], [0, 255, 51, 102, 0, 1])],
      [files[3], idxBytes([2], [1, 1])],
    ] as const) {
      const folder = ownFolder();
      if (name) fs.writeFileSync(path.join(folder, name), bytes);
      hashes.add((await open({ path: folder })).hash);
    }
    const tall = ownFolder();
    fs.writeFileSync(path.join(tall, files[0]), idxBytes([3, 2, 1], [0, 255, 51, 102, 0, 0]));
    fs.writeFileSync(path.join(tall, files[2]), idxBytes([2, 2, 1], [1, 2, 3, 4]));
    hashes.add((await open({ path: tall })).hash);
    expect(hashes.size).toBe(4);
  });
});

describe('wrong files', () => {
  test.each(files)('%s is missing', async (name) => {
    const folder = ownFolder();
    fs.rmSync(path.join(folder, name));
    expect((await failure(open({ path: folder }))).message).toContain(
      `Data file not found: ${path.join(folder, name)}`,
    );
  });

  test('the folder is missing', async () => {
    expect((await failure(open({ path: 'none' }, '/no/such'))).message).toContain('Data file not found: ');
  });

  test.each([
    ['labels of another number', files[1], idxBytes([2], [0, 1]), 'byte 4: there are 2 labels, but 3 images'],
    ['images of another size', files[2], idxBytes([2, 2, 1], [1, 2, 3, 4]), 'byte 8: the images are 2 × 1 × 1'],
    ['labels for images', files[0], idxBytes([3], [0, 1, 2]), 'byte 3: the array has 1 dimensions, expected 3 or 4'],
    ['a cut-off file', files[0], idxBytes([3, 1, 2], [1, 2, 3]), 'byte 19: the file ends here; 3 × 1 × 2 values'],
    ['a file that goes on', files[0], idxBytes([3, 1, 2], [1, 2, 3, 4, 5, 6, 7]), 'byte 22: 1 bytes too many'],
    ['no images', files[0], idxBytes([0, 1, 2], []), 'byte 4: dimension 1 of 0 × 1 × 2 is 0'],
    ['floats', files[0], Buffer.from([0, 0, 0x0d, 3]), 'byte 2: the element type is 0x0d'],
    ['a web page', files[0], Buffer.from('<html></html>'), 'byte 0: no IDX file: the magic number is 0x3c68746d'],
    ['an empty file', files[0], Buffer.alloc(0), 'byte 0: the file ends within the magic number'],
    ['a header cut off', files[0], Buffer.from([0, 0, 8, 3, 0, 0]), 'byte 6: the file ends within its 3 dimensions'],
  ])('%s', async (_what, name, bytes, expected) => {
    const folder = ownFolder();
    fs.writeFileSync(path.join(folder, name), bytes);
    expect((await failure(open({ path: folder }))).message).toContain(
      `${path.join(folder, name)}: damaged at ${expected}`,
    );
  });

  test('all images are of one class', async () => {
    const folder = ownFolder();
    fs.writeFileSync(path.join(folder, files[1]), idxBytes([3], [0, 0, 0]));
    fs.writeFileSync(path.join(folder, files[3]), idxBytes([2], [0, 0]));
    expect((await failure(open({ path: folder }))).message).toContain('all images are of one class');
  });

  describe('gzipped', () => {
    const noise = Array.from({ length: 30_000 }, (_, i) => (Math.imul(i ^ (i >> 3), 2654435761) >>> 13) & 0xff);
    const packed = gzipSync(idxBytes([3, 100, 100], noise));
    const withDamage = async (bytes: Buffer) => {
      const folder = ownFolder();
      fs.writeFileSync(path.join(folder, files[0]), bytes);
      const { message } = await failure(open({ path: folder }));
      const prefix = `${path.join(folder, files[0])}: damaged at byte `;
      expect(message.startsWith(prefix), message).toBe(true);
      return { offset: Number.parseInt(message.slice(prefix.length), 10), message };
    };

    test('and cut off', async () => {
      const length = Math.floor(packed.length / 2);
      expect(await withDamage(packed.subarray(0, length))).toMatchObject({ offset: length });
    });

    test('with a wrong checksum', async () => {
      const bytes = Buffer.from(packed);
      bytes.writeUInt32LE((bytes.readUInt32LE(bytes.length - 8) ^ 1) >>> 0, bytes.length - 8);
      const { offset, message } = await withDamage(bytes);
      expect(offset).toBe(bytes.length - 8);
      expect(message).toContain('checksum');
    });

    test('with wrong data', async () => {
      // Stored blocks have a header of 5 bytes with their length, so the second one is easy to find.
      const bytes = gzipSync(idxBytes([3, 200, 200], [...noise, ...noise, ...noise, ...noise]), { level: 0 });
      const second = 10 + 5 + bytes.readUInt16LE(11);
      expect(bytes.readUInt16LE(second + 1) ^ bytes.readUInt16LE(second + 3)).toBe(0xffff);
      bytes[second] = 0x07; // no such kind of block
      const { offset } = await withDamage(bytes);
      expect(offset).toBeGreaterThan(1024);
      expect(offset).toBeLessThanOrEqual(second);
      expect(offset).toBeGreaterThan(second - 1024);
    });
  });
});

test('an array of any rank that is asked for is read where it lies', () => {
  const array = parseIdx(idxBytes([2, 1, 1, 3], [1, 2, 3, 4, 5, 6]), 'f', [4]);
  expect(array).toMatchObject({ shape: [2, 1, 1, 3], offset: 20 });
  expect([...array.values]).toEqual([1, 2, 3, 4, 5, 6]);
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
