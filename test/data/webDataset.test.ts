/** WebDataset: samples lie where the shards' headers say, and a shard that is wrong is named with the byte. */
import fs from 'node:fs';
import path from 'node:path';
import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { failure } from './failure.ts';
import { opener, small } from './openImages.ts';
import { encoded, hugePng, write } from './pictures.ts';

const openSet = opener();
const open = (folder: string, data = {}) => openSet('webdataset', folder, data);
type Files = readonly (readonly [name: string, content: Buffer | string])[];

async function tar(files: Files): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of files) archive.entry({ name }, content);
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function folderOf(shards: Record<string, Files>): Promise<string> {
  const folder = path.join(temporaryFolder(), 'data');
  for (const [name, files] of Object.entries(shards)) write(path.join(folder, name), await tar(files));
  return folder;
}

const pictures = await Promise.all([0, 1, 2, 3].map((seed) => encoded('jpeg', 12, 10, seed)));
const [a, b, c, d] = pictures as [Buffer, Buffer, Buffer, Buffer];
const longName = `${'deep/'.repeat(60)}x`;
const divided: Record<string, Files> = {
  'train-000.tar': [
    ['0001.jpg', a],
    ['0001.cls', '1\n'],
    ['0002.json', '{"caption": "no", "label": 0}'],
    ['0002.jpeg', b],
    ['0002.txt', 'a caption'],
  ],
  'train-001.tar': [
    [`${longName}.png`, await encoded('png', 12, 10, 8)],
    [`${longName}.cls`, '2'],
    [`${longName}.json`, '{"label": 7}'],
  ],
  'val-000.tar': [
    ['a/0003.CLS', '0'],
    ['a/0003.jpg', c],
    ['b/0003.webp', d],
    ['b/0003.cls', '2'],
  ],
};

test('pairs of image and label are read from where they lie', async () => {
  const folder = await folderOf({ ...divided, 'test-000.tar': [['x.jpg', a]] });
  const images = await open(folder);
  expect(images.classNames).toEqual(['0', '1', '2']);
  expect([[...images.train.labels], [...images.validation.labels]]).toEqual([
    [1, 0, 2],
    [0, 2],
  ]);
  expect(images.train.nameOf?.(0)).toBe('train-000.tar/0001.jpg');
  expect(images.warnings).toEqual(['Validation has no images of 1.']);

  // The same files in folders give the same pixels.
  const loose = path.join(temporaryFolder(), 'data');
  for (const [i, bytes] of [a, b, divided['train-001.tar']?.[0]?.[1] ?? ''].entries())
    write(path.join(loose, 'all', `${i}.jpg`), bytes);
  write(path.join(loose, 'train.txt'), 'all/0.jpg 1\nall/1.jpg 0\nall/2.jpg 2\n');
  write(path.join(loose, 'val.txt'), 'all/0.jpg 1\n');
  const files = await openSet('image-folder', loose);
  const order = Int32Array.of(2, 0, 1);
  expect(Buffer.compare(await images.train.read(order, small), await files.train.read(order, small))).toBe(0);
});

test('names of any length are read, also as GNU tar writes them', async () => {
  const folder = await folderOf(divided);
  const shard = path.join(folder, 'train-001.tar');
  const short = await tar([
    ['name', `${longName}.jpg\0`],
    ['x', a],
    ['name', `${longName}.cls\0`],
    ['x', '2'],
  ]);
  for (let at = 0; at < short.length; at += 512) {
    if (short.toString('latin1', at, at + 5) !== 'name\0') continue;
    // Another type of entry, and the checksum that goes with it.
    short[at + 156] = 'L'.charCodeAt(0);
    short.fill(' ', at + 148, at + 156);
    const sum = short.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    short.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148);
  }
  const nameOf = async () => (await open(folder)).train.nameOf?.(2);
  expect(await nameOf()).toBe(`train-001.tar/${longName}.png`);
  fs.writeFileSync(shard, short);
  expect(await nameOf()).toBe(`train-001.tar/${longName}.jpg`);
});

test('a folder with training shards alone is split, and classes.txt names the classes', async () => {
  const folder = await folderOf({
    'shard-0.tar': Array.from({ length: 10 }, (_, i) => [
      [`${i}.jpg`, pictures[i % 4] as Buffer] as const,
      [`${i}.cls`, String(i % 2)] as const,
    ]).flat(),
  });
  fs.writeFileSync(path.join(folder, 'classes.txt'), 'cat\ndog\n');
  const images = await open(folder, { split: 0.2 });
  expect([images.classNames, images.train.count, images.validation.count]).toEqual([['cat', 'dog'], 8, 2]);
  expect(images.warnings[0]).toContain('also in the training set');
});

test('broken images in shards are named, counted and skipped', async () => {
  const folder = await folderOf({
    ...divided,
    'train-002.tar': [
      ['e.jpg', ''],
      ['e.cls', '0'],
      ['f.png', hugePng(30_000, 30_000)],
      ['f.cls', '1'],
      ['g.cls', '1'],
    ],
  });
  expect((await failure(open(folder))).message).toContain(
    '2 of 7 images are broken: train-002.tar/e.jpg is empty, train-002.tar/f.png has 30000 × 30000 pixels',
  );
  const images = await open(folder, { skipBroken: 2 });
  expect(images.train.count).toBe(3);
  expect(images.warnings[0]).toBe('1 label is without an image: train-002.tar/g.');
});

describe('wrong shards', () => {
  const shard = 'train-000.tar';
  test.each<[what: string, files: Files, said: string]>([
    ['a sample without label', [['a.jpg', a]], 'damaged at byte 512: a.jpg has no label'],
    [
      'a label that is no number',
      [
        ['a.jpg', a],
        ['a.cls', 'cat'],
      ],
      'a.cls has the label "cat", expected a whole number',
    ],
    [
      'a label beyond the classes',
      [
        ['a.cls', '2'],
        ['a.jpg', a],
      ],
      'damaged at byte 512: a.cls has the label "2", expected a whole number from 0 to 1',
    ],
    [
      'JSON that is none',
      [
        ['a.json', '{"label":'],
        ['a.jpg', a],
      ],
      'a.json has the label "no JSON"',
    ],
    [
      'two images of a sample',
      [
        ['a.jpg', a],
        ['a.png', b],
        ['a.cls', '0'],
      ],
      'a second image of the sample "a", a.png',
    ],
  ])('%s', async (_what, files, said) => {
    const folder = await folderOf({ ...divided, [shard]: files });
    fs.writeFileSync(path.join(folder, 'classes.txt'), 'cat\ndog\n');
    const { message } = await failure(open(folder));
    expect(message).toContain(path.join(folder, shard));
    expect(message).toContain(said);
  });

  test('a shard that is cut off', async () => {
    const folder = await folderOf(divided);
    const file = path.join(folder, shard);
    const bytes = fs.readFileSync(file);
    fs.writeFileSync(file, bytes.subarray(0, 700));
    expect((await failure(open(folder))).message).toBe(
      `${file}: damaged at byte 0: the archive ends at byte 700, within 0001.jpg (${a.length} bytes from 512).`,
    );
    fs.writeFileSync(file, bytes.subarray(0, bytes.length - 1024));
    expect((await failure(open(folder))).message).toContain('the archive ends without its end mark');
  });

  test('no archive, and no shards', async () => {
    const folder = await folderOf(divided);
    fs.writeFileSync(path.join(folder, shard), '<html></html>'.repeat(100));
    expect((await failure(open(folder))).message).toContain('damaged at byte 0: here should be the header of a file');
    expect((await failure(open(temporaryFolder()))).message).toContain('there is no .tar file for training');
  });
});
