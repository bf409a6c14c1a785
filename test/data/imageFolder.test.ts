/** Folders of images: classes, order and sets are those of the files, and what is broken is named before a run starts. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { failure } from './failure.ts';
import { opener, small } from './openImages.ts';
import { encoded, hugePng, type PictureFormat, write } from './pictures.ts';

const openSet = opener();
const open = (
  folder: string,
  ...more: Parameters<typeof openSet> extends [string, string, ...infer Rest] ? Rest : never
) => openSet('image-folder', folder, ...more);

/** Files by name: a number is the seed of an image of 12 × 10 pixels. */
async function folderOf(files: Record<string, number | string | Buffer>): Promise<string> {
  const folder = path.join(temporaryFolder(), 'data');
  fs.mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    const format = (/\.(png|webp)$/.exec(name)?.[1] ?? 'jpeg') as PictureFormat;
    write(path.join(folder, name), typeof content === 'number' ? await encoded(format, 12, 10, content) : content);
  }
  return folder;
}

const divided = { 'train/cat/1.jpg': 1, 'train/dog/2.png': 2, 'val/cat/3.webp': 3, 'val/dog/4.JPEG': 4 };
const namesOf = ({ count, nameOf }: { count: number; nameOf?: (sample: number) => string }) =>
  Array.from({ length: count }, (_, sample) => nameOf?.(sample));

test('folders of training and validation images are read as they are', async () => {
  const folder = await folderOf(divided);
  const images = await open(folder);
  expect(images).toMatchObject({
    classNames: ['cat', 'dog'],
    channels: 3,
    size: { height: 12, width: 10 },
    warnings: [],
  });
  expect([[...images.train.labels], [...images.validation.labels]]).toEqual([
    [0, 1],
    [0, 1],
  ]);
  expect([namesOf(images.train), namesOf(images.validation)]).toEqual([
    ['train/cat/1.jpg', 'train/dog/2.png'],
    ['val/cat/3.webp', 'val/dog/4.JPEG'],
  ]);
  const pixels = await images.train.read(Int32Array.of(1, 0, 1), { side: 10, testCrop: 1 });
  const whole = await sharp(path.join(folder, 'train/dog/2.png'))
    .extract({ top: 1, left: 0, height: 10, width: 10 })
    .raw()
    .toBuffer();
  expect(Buffer.compare(pixels.subarray(0, 300), whole)).toBe(0);
  expect(Buffer.compare(pixels.subarray(600), whole)).toBe(0);
  expect(Buffer.compare(pixels.subarray(300, 600), whole)).not.toBe(0);
});

test('the folders of the sets are found in any case, and what is no file is left out', async () => {
  const folder = await folderOf({
    'Train/a/1.png': 1,
    'Train/b/2.png': 2,
    'Validate/a/3.png': 3,
    'Validate/b/4.png': 4,
  });
  execFileSync('mkfifo', [path.join(folder, 'Train', 'a', 'pipe.png')]); // reading it would wait for ever
  const images = await open(folder);
  expect([images.classNames, images.train.count, images.validation.count]).toEqual([['a', 'b'], 2, 2]);
});

test('classes and images come in the order of Python, and hidden files do not count', async () => {
  // 🐈 is one code point above ﬀ, though its first half is below.
  const images = await open(
    await folderOf({
      'train/\u{1f408}/a.jpg': 1,
      'train/\ufb00/b/z.jpg': 2,
      'train/\ufb00/b.jpg': 3,
      'train/\ufb00/a.jpg': 4,
      'train/\ufb00/.hidden.jpg': 5,
      'train/B/a.jpg': 6,
      'train/a/a.jpg': 7,
      'train/.cache/a.jpg': 8,
      'val/a/a.jpg': 9,
    }),
  );
  expect(images.classNames).toEqual(['B', 'a', '\ufb00', '\u{1f408}']);
  expect(namesOf(images.train).slice(2, 5)).toEqual([
    'train/\ufb00/a.jpg',
    'train/\ufb00/b.jpg',
    'train/\ufb00/b/z.jpg',
  ]);
  expect(images.warnings).toEqual(['Validation has no images of B, \ufb00, \u{1f408}.']);
});

test('folders of classes alone are split, the same each time', async () => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i % 2 ? 'b' : 'a'}/${i}.jpg`, i]));
  const folder = await folderOf(files);
  const images = await open(folder, { split: 0.3 });
  expect([...images.validation.labels]).toEqual([0, 0, 0, 1, 1, 1]);
  expect([...namesOf(images.train), ...namesOf(images.validation)].sort()).toEqual(Object.keys(files).sort());
  const again = await open(folder, { split: 0.3 });
  expect([namesOf(again.validation), again.hash]).toEqual([namesOf(images.validation), images.hash]);
  expect((await open(folder, { split: 0.4 })).hash).not.toBe(images.hash);
});

test('lists of files say what belongs where', async () => {
  const folder = await folderOf({
    'all/1 one.jpg': 1,
    'all/2.jpg': 2,
    'all/3.jpg': 3,
    'train.txt': 'all/1 one.jpg 2\nall/2.jpg 0\nall/3.jpg 1\n',
    'val.txt': 'all/3.jpg\t1\r\n',
  });
  const images = await open(folder);
  expect([images.classNames, [...images.train.labels], namesOf(images.validation)]).toEqual([
    ['0', '1', '2'],
    [2, 0, 1],
    ['all/3.jpg'],
  ]);
  fs.writeFileSync(path.join(folder, 'classes.txt'), 'ant\nbee\ncow\n');
  expect((await open(folder)).classNames).toEqual(['ant', 'bee', 'cow']);
  fs.writeFileSync(path.join(folder, 'classes.txt'), 'ant\nbee\n');
  expect((await failure(open(folder))).message).toBe(
    `${path.join(folder, 'train.txt')}:1: the label "2" is none of the 2 classes.`,
  );
  fs.writeFileSync(path.join(folder, 'val.txt'), 'all/3.jpg');
  expect((await failure(open(folder))).message).toContain('val.txt:1: expected an image and its label');
});

describe('broken images', () => {
  const jpeg = () => encoded('jpeg', 60, 80);
  const large = async () =>
    sharp(await jpeg())
      .resize(2000)
      .jpeg()
      .toBuffer();
  test.each<[what: string, name: string, content: () => Promise<Buffer>, said: string]>([
    ['of 0 bytes', 'a.jpg', async () => Buffer.alloc(0), 'is empty'],
    ['that are texts', 'a.jpg', async () => Buffer.from('<html></html>'), 'is no JPEG, PNG or WebP image'],
    [
      'of another format',
      'a.png',
      async () =>
        sharp(await jpeg())
          .gif()
          .toBuffer(),
      'is no JPEG, PNG or WebP image',
    ],
    ['cut off', 'a.jpg', async () => (await large()).subarray(0, -5000), 'is cut off'],
    ['cut off in the header', 'a.jpg', async () => (await jpeg()).subarray(0, 100), 'has no readable JPEG header'],
    ['cut off (PNG)', 'a.png', async () => (await encoded('png', 60, 80)).subarray(0, -20), 'is cut off'],
    ['cut off (WebP)', 'a.webp', async () => (await encoded('webp', 60, 80)).subarray(0, -20), 'is cut off'],
    ['of 30,000 × 30,000 pixels', 'a.png', async () => hugePng(30_000, 30_000), 'has 30000 × 30000 pixels'],
    ['of 65,500 × 65,500 pixels', 'a.jpg', async () => resized(await jpeg(), 65_500), 'has 65500 × 65500 pixels'],
    ['that are no files', 'a.jpg', async () => Buffer.alloc(0), 'cannot be read (ENOENT)'],
  ])('%s are named and skipped under the limit, and stop the run over it', async (what, name, content, said) => {
    const folder = await folderOf({ ...divided, 'train/dog/0.jpg': 7, [`train/dog/${name}`]: await content() });
    if (what === 'that are no files') {
      fs.rmSync(path.join(folder, 'train/dog', name));
      fs.symlinkSync('nothing', path.join(folder, 'train/dog', name));
    }
    const { message, hint } = await failure(open(folder));
    expect(message).toContain(`${folder}: 1 of 6 images are broken: train/dog/${name} ${said}`);
    expect(hint).toContain('"data.skipBroken" to 1');
    const images = await open(folder, { skipBroken: 1 });
    expect(images.warnings).toEqual([expect.stringContaining(`1 broken image is left out: train/dog/${name} ${said}`)]);
    expect(namesOf(images.train)).toEqual(['train/cat/1.jpg', 'train/dog/0.jpg', 'train/dog/2.png']);
  });

  test('are counted, and the first five named', async () => {
    const files = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`train/cat/bad-${i}.jpg`, '']));
    const folder = await folderOf({ ...divided, ...files });
    const { message, hint } = await failure(open(folder, { skipBroken: 6 }));
    expect(message).toMatch(
      /: 7 of 11 images are broken, more than the 6 of "data.skipBroken": .*bad-4.jpg is empty and 2 more\.$/,
    );
    expect(hint).toContain('to 7');
  });

  test('that seem whole are grey under the limit and end the run over it', async () => {
    const folder = await folderOf({ ...divided, 'train/cat/x.png': hugePng(100, 100) });
    const strict = await open(folder);
    const view = { side: 4, testCrop: 1 };
    const { message } = await failure(strict.train.read(Int32Array.of(0, 1), view));
    expect(message).toContain('1 of 5 images are broken: train/cat/x.png cannot be decoded (');
    const heard: string[] = [];
    const images = await open(folder, { skipBroken: 1 }, { onBroken: (name) => heard.push(name) });
    for (const _ of [0, 1]) {
      const pixels = await images.train.read(Int32Array.of(0, 1), view);
      expect([...pixels.subarray(48)]).toEqual(new Array(48).fill(128));
      expect(new Set(pixels.subarray(0, 48)).size).toBeGreaterThan(1);
    }
    expect(heard).toEqual(['train/cat/x.png']);
  });
});

describe('folders that are not as they should be', () => {
  test('a class without images', async () => {
    const folder = await folderOf({ ...divided, 'train/emu/readme.txt': 'none yet' });
    expect((await failure(open(folder))).message).toBe(`${folder}/train: there are no images in emu.`);
  });

  test('a class that validation alone has', async () => {
    const folder = await folderOf({ ...divided, 'val/emu/1.jpg': 5 });
    expect((await failure(open(folder))).message).toBe(`${folder}/val: there are no training images of emu.`);
  });

  test('a class of which all images are broken', async () => {
    const folder = await folderOf({ ...divided, 'train/emu/1.jpg': '' });
    expect((await failure(open(folder, { skipBroken: 9 }))).message).toBe(
      `${folder}: there are no images to learn from of emu.`,
    );
  });

  test('a single class, no class, no folder', async () => {
    const one = await folderOf({ 'train/cat/1.jpg': 1, 'val/cat/2.jpg': 2 });
    expect((await failure(open(one))).message).toContain('all images are of one class, cat');
    expect((await failure(open(await folderOf({ 'a.jpg': 1 })))).message).toContain('there is no folder for a class');
    expect((await failure(open('/no/such/folder'))).message).toContain('There is no folder of images /no/such/folder');
  });

  test('other files are counted', async () => {
    const images = await open(await folderOf({ ...divided, 'train/cat/a.gif': 'x', 'train/cat/b.txt': 'y' }));
    expect(images.warnings).toEqual(['2 files are no JPEG, PNG or WebP by name: train/cat/a.gif, train/cat/b.txt.']);
  });

  test('the same image in training and validation', async () => {
    const images = await open(await folderOf({ ...divided, 'val/cat/again.jpg': 1, 'val/dog/other.jpg': 9 }));
    expect(images.warnings).toEqual([
      '1 validation image is also in the training set: val/cat/again.jpg is train/cat/1.jpg.',
    ]);
  });

  test('a symbolic link that leads back, and one that does not', async () => {
    const folder = await folderOf({ ...divided, 'elsewhere/emu/1.jpg': 5 });
    fs.symlinkSync('..', path.join(folder, 'train/cat/up'));
    fs.symlinkSync('.', path.join(folder, 'train/cat/self'));
    fs.symlinkSync('../../elsewhere/emu', path.join(folder, 'train/cat/away'));
    const images = await open(folder);
    expect(namesOf(images.train)).toEqual(['train/cat/1.jpg', 'train/cat/away/1.jpg', 'train/dog/2.png']);
    expect(images.warnings).toEqual([
      expect.stringContaining('Left out, since they lead back to where they lie: train/cat/self, train/cat/up'),
    ]);
  });
});

test('another image, name or label is another hash', async () => {
  const renamed = { 'train/cat/0.jpg': 1, 'train/dog/2.png': 2, 'val/cat/3.webp': 3, 'val/dog/4.JPEG': 4 };
  const listed = (labels: string) => ({ ...divided, 'train.txt': labels, 'val.txt': 'val/cat/3.webp 0' });
  const hashes = new Set<string>();
  for (const files of [
    divided,
    renamed,
    { ...divided, 'train/cat/1.jpg': 5 },
    listed('train/cat/1.jpg 0\ntrain/dog/2.png 1'),
    listed('train/cat/1.jpg 1\ntrain/dog/2.png 0'),
  ]) {
    hashes.add((await open(await folderOf(files))).hash);
  }
  expect(hashes.size).toBe(5);
  expect(hashes).toContain((await open(await folderOf(divided))).hash);
});

test('what is read is the same as what the view asks of each image', async () => {
  const images = await open(await folderOf(divided));
  const [a, b] = [
    await images.validation.read(Int32Array.of(0), small),
    await images.validation.read(Int32Array.of(1), small),
  ];
  const both = await images.validation.read(Int32Array.of(0, 1), small);
  expect(Buffer.compare(both, Buffer.concat([a, b]))).toBe(0);
});

/** A JPEG whose header says another size. */
function resized(jpeg: Buffer, side: number): Buffer {
  const bytes = Buffer.from(jpeg);
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(side, frame + 5);
  bytes.writeUInt16BE(side, frame + 7);
  return bytes;
}
