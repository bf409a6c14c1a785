/** Images in Parquet files: the pixels are those of the same images in files, whatever the layout of the columns. */
import fs from 'node:fs';
import path from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { failure } from './failure.ts';
import { opener, small } from './openImages.ts';
import { encoded, write } from './pictures.ts';

const openSet = opener();
const open = (folder: string, data = {}) => openSet('image-parquet', folder, data);
type Columns = Parameters<typeof parquetWriteBuffer>[0]['columnData'];
type Extra = Omit<Parameters<typeof parquetWriteBuffer>[0], 'columnData'>;

const pictures = await Promise.all(Array.from({ length: 10 }, (_, seed) => encoded('jpeg', 12, 10, seed)));
const bytes = (...which: number[]) => which.map((i) => new Uint8Array(pictures[i] as Buffer));
const labels = (...values: number[]): Columns[number] => ({ name: 'label', data: values, type: 'INT32' });
const images = (...which: number[]): Columns[number] => ({ name: 'image', data: bytes(...which), type: 'BYTE_ARRAY' });

function folderOf(files: Record<string, Columns>, extra: Extra = {}): string {
  const folder = path.join(temporaryFolder(), 'data');
  for (const [name, columnData] of Object.entries(files)) {
    write(path.join(folder, name), new Uint8Array(parquetWriteBuffer({ columnData, ...extra })));
  }
  return folder;
}

const divided = {
  'train-00000-of-00002.parquet': [images(0, 1, 2), labels(1, 0, 2)],
  'train-00001-of-00002.parquet': [images(3, 4), labels(2, 1)],
  'validation-00000-of-00001.parquet': [images(5, 6), labels(0, 1)],
  'test-00000-of-00001.parquet': [images(7), labels(-1)],
};

const withoutIndex = Object.fromEntries(
  Object.entries(divided).map(([name, columns]) => [
    name,
    columns.map((column) => ({ ...column, offsetIndex: false })),
  ]),
);

for (const [what, extra, files = divided] of [
  ['in one row group', {}],
  ['in one row group without an index of its pages', {}, withoutIndex],
  ['in small row groups without an index of their pages', { rowGroupSize: 2 }, withoutIndex],
  ['in small pages', { pageSize: 300 }],
  ['in small row groups', { rowGroupSize: 2 }],
  ['without compression', { codec: 'UNCOMPRESSED' }],
] as readonly (readonly [string, Extra, Record<string, Columns>?])[]) {
  test(`rows are read ${what}`, async () => {
    const set = await open(folderOf(files, extra));
    expect([set.classNames, [...set.train.labels], [...set.validation.labels]]).toEqual([
      ['0', '1', '2'],
      [1, 0, 2, 2, 1],
      [0, 1],
    ]);
    expect(set.train.nameOf?.(3)).toBe('train-00001-of-00002.parquet row 0');
    expect(set.size).toEqual({ height: 12, width: 10 });

    const loose = path.join(temporaryFolder(), 'data');
    for (const [i, picture] of pictures.entries()) write(path.join(loose, `${i}.jpg`), picture);
    write(path.join(loose, 'train.txt'), Array.from(pictures.keys(), (i) => `${i}.jpg ${i % 2}`).join('\n'));
    write(path.join(loose, 'val.txt'), '0.jpg 0\n1.jpg 1');
    const others = await openSet('image-folder', loose);
    const all = Array.from({ length: others.train.count }, (_, i) => others.train.nameOf?.(i));
    const order = Int32Array.of(4, 0, 3, 2, 1);
    const expected = await others.train.read(
      order.map((i) => all.indexOf(`${i}.jpg`)),
      small,
    );
    expect(Buffer.compare(await set.train.read(order, small), expected)).toBe(0);
  });
}

test('images may be structs with bytes, labels texts, and the columns have other names', async () => {
  const structs = bytes(0, 1, 2, 3).map((content, i) => ({ bytes: content, path: `${i}.jpg` }));
  const columns: Columns = [
    { name: 'id', data: [1, 2, 3, 4] },
    { name: 'picture', data: structs },
    { name: 'animal', data: ['dog', 'ant', 'dog', 'ant'] },
  ];
  const schema: Extra['schema'] = [
    { name: 'root', num_children: 3 },
    { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
    { name: 'picture', num_children: 2, repetition_type: 'OPTIONAL' },
    { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
    { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    { name: 'animal', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  ];
  const folder = folderOf({ 'train.parquet': columns }, { schema });
  const set = await open(folder, { imageColumn: 'picture', labelColumn: 'animal', split: 0.5 });
  expect(set.classNames).toEqual(['ant', 'dog']);
  expect([[...set.train.labels].sort(), [...set.validation.labels].sort()]).toEqual([
    [0, 1],
    [0, 1],
  ]);
  expect((await set.train.read(Int32Array.of(0), small)).length).toBe(192);
});

test('the names of the classes come from the metadata of datasets', async () => {
  const names = ['cat', 'dog', 'emu'];
  const value = JSON.stringify({ info: { features: { label: { names, _type: 'ClassLabel' } } } });
  const set = await open(folderOf(divided, { kvMetadata: [{ key: 'huggingface', value }] }));
  expect(set.classNames).toEqual(names);
});

describe('wrong files', () => {
  test('broken images are named, counted and skipped', async () => {
    const folder = folderOf({
      ...divided,
      'train-2.parquet': [{ name: 'image', data: [new Uint8Array(0)], type: 'BYTE_ARRAY' }, labels(0)],
    });
    expect((await failure(open(folder))).message).toContain('1 of 8 images are broken: train-2.parquet row 0 is empty');
    expect((await open(folder, { skipBroken: 1 })).train.count).toBe(5);
  });

  test('a missing column', async () => {
    const { message, hint } = await failure(open(folderOf(divided), { imageColumn: 'img' }));
    expect(message).toContain('there is no column "img". It has: image, label.');
    expect(hint).toContain('data.imageColumn');
  });

  test('rows without a label', async () => {
    const folder = folderOf({ ...divided, 'train-2.parquet': [images(8), labels(-1)] });
    expect((await failure(open(folder))).message).toContain(
      'train-2.parquet, row 0: the label -1 is none of the 3 classes',
    );
  });

  test('a file that is cut off, and no file', async () => {
    const folder = folderOf(divided);
    const file = path.join(folder, 'train-00000-of-00002.parquet');
    fs.writeFileSync(file, fs.readFileSync(file).subarray(0, -20));
    expect((await failure(open(folder))).message).toContain(`${file}: cannot be read as Parquet`);
    expect((await failure(open(temporaryFolder()))).message).toContain('there is no .parquet file for training');
  });
});
