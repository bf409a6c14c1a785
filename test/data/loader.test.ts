/** The loader's threads: the same pixels however many there are, and no batch that is waited for in vain. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { render, type View } from '../../src/augment/view.ts';
import { resolveAugment } from '../../src/core/augmentConfig.ts';
import { type LoaderOptions, openLoader, type WantedImage } from '../../src/data/loader.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { bundled, bundledLoaderWorker, decoderFolder } from '../support/loaderWorker.ts';
import { failure } from './failure.ts';
import { encoded, picture, write } from './pictures.ts';

const workerFile = bundledLoaderWorker();
const size = { height: 50, width: 60, alpha: false };
const augment = resolveAugment({ crop: 'resized', flip: true, threeAugment: true, colorJitter: 0.3 });
const view: View = { side: 32, testCrop: 0.875, training: { augment, seed: 3, epoch: 2, fill: [124, 116, 104] } };

async function open(options: LoaderOptions = {}) {
  const loader = await openLoader({ workerFile, engineFolder: decoderFolder, ...options });
  onTestFinished(() => loader.close());
  return loader;
}

async function wanted(count: number): Promise<WantedImage[]> {
  const folder = temporaryFolder();
  return Promise.all(
    Array.from({ length: count }, async (_, key) => {
      const file = write(path.join(folder, `${key}.png`), await encoded('png', size.height, size.width, key));
      return { place: { file }, ...size, key };
    }),
  );
}

test('one, two and four threads give the same pixels in the order that was asked for', async () => {
  const images = await wanted(23);
  const found: Buffer[] = [];
  for (const workers of [1, 2, 4]) {
    const loader = await open({ workers });
    // Two batches at a time, as the training loop has them.
    const batches = await Promise.all([loader.read(images.slice(0, 15), view), loader.read(images.slice(15), view)]);
    found.push(Buffer.concat(batches.map(({ pixels }) => pixels)));
    expect(batches.flatMap(({ failures }) => failures)).toEqual([]);
  }
  expect(found.map((pixels) => pixels.length)).toEqual(new Array(3).fill(23 * 32 * 32 * 3));
  expect(found.every((pixels) => pixels.equals(found[0] as Buffer))).toBe(true);
  const alone = await (await open({ workers: 1 })).read([images[17] as WantedImage], view);
  expect(Buffer.compare(alone.pixels, (found[0] as Buffer).subarray(17 * 3072, 18 * 3072))).toBe(0);
});

test('an image in a file is seen as one in memory', async () => {
  const [image] = await wanted(1);
  const { height, width } = size;
  const values = new Uint8Array(await (await picture(height, width)).raw().toBuffer());
  const { pixels } = await (await open()).read([image as WantedImage], view);
  expect(Buffer.compare(pixels, render({ values, height, width, channels: 3 }, view, 0).values)).toBe(0);
});

test('an image that cannot be decoded is grey, and told', async () => {
  const images = await wanted(6);
  fs.writeFileSync((images[4] as WantedImage).place.file, 'gone');
  const { pixels, failures } = await (await open({ workers: 2 })).read(images, { side: 4, testCrop: 1 });
  expect(failures).toEqual([{ at: 4, reason: expect.stringMatching(/./) }]);
  expect([...pixels.subarray(4 * 48, 5 * 48)]).toEqual(new Array(48).fill(128));
});

test('a batch of nothing is empty', async () => {
  expect((await (await open()).read([], view)).pixels.length).toBe(0);
});

test('a thread that dies fails what waits, and what comes after', async () => {
  const dying = write(
    path.join(temporaryFolder(), 'worker.mjs'),
    "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error('out of luck'); }); parentPort.postMessage({ type: 'ready' });",
  );
  const loader = await open({ workerFile: dying, workers: 2 });
  const images = await wanted(9);
  await expect(loader.read(images, view)).rejects.toThrow('out of luck');
  await expect(loader.read(images, view)).rejects.toThrow('out of luck');
});

test('a bug in an augmentation is no broken image', async () => {
  const training = { ...view.training, augment: undefined } as unknown as View['training'] & object;
  await expect((await open()).read(await wanted(1), { ...view, training })).rejects.toThrow(TypeError);
});

test('closing fails what waits', async () => {
  const loader = await open();
  const waiting = loader.read(await wanted(9), view);
  loader.close();
  await expect(waiting).rejects.toThrow('The reading of images was ended.');
});

test('without the decoder there is a way out', async () => {
  const { message, hint } = await failure(open({ engineFolder: temporaryFolder() }));
  expect(message).toContain('the package sharp cannot be loaded');
  expect(hint).toContain('npm start');
});

test('threads do not keep the process alive, but a batch does', async () => {
  const images = await wanted(5);
  const file = write(
    path.join(temporaryFolder(), 'main.mjs'),
    `import { openLoader } from ${JSON.stringify(bundled('src/data/loader.ts'))};
    const loader = await openLoader(${JSON.stringify({ workerFile, engineFolder: decoderFolder })});
    const { pixels } = await loader.read(${JSON.stringify(images)}, { side: 4, testCrop: 1 });
    console.log(pixels.length);`,
  );
  expect(execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 }).trim()).toBe('240');
});
