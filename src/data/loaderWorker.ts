/** A thread of the loader: reads, decodes and augments chunks of images. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Pixels } from '../augment/pixels.ts';
import { finish, type Geometry, geometryOf } from '../augment/view.ts';
import { describeError, UserError } from '../core/errors.ts';
import { decode, loadSharp, type Sharp } from './decode.ts';
import { createPlaceReader } from './imageBytes.ts';
import type { Chunk, FromWorker, WantedImage, WorkerOptions } from './loader.ts';

/** What an image becomes that cannot be decoded. */
const grey = 128;

const reader = createPlaceReader();

start(workerData as WorkerOptions);

function start({ engineFolder }: WorkerOptions): void {
  const say = (message: FromWorker, pixels?: ArrayBuffer) => parentPort?.postMessage(message, pixels ? [pixels] : []);
  let sharp: Sharp;
  try {
    sharp = loadSharp(engineFolder);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say({ type: 'refused', message: error.message, hint: error.hint ?? '', cause: describeError(error.cause) });
    return;
  }
  parentPort?.on('message', async ({ id, view, images }: Chunk) => {
    const each = view.side * view.side * 3;
    const pixels = new Uint8Array(images.length * each);
    const failures: { at: number; reason: string }[] = [];
    for (const [at, image] of images.entries()) {
      const out = pixels.subarray(at * each, (at + 1) * each);
      const geometry = geometryOf(image.height, image.width, view, image.key);
      const decoded = await read(sharp, image, geometry).catch(reasonOf);
      if (typeof decoded === 'string') {
        out.fill(grey);
        failures.push({ at, reason: decoded });
      } else out.set(finish(decoded, view, image.key).values); // an error in it is a bug, and ends the thread
    }
    say({ type: 'done', id, pixels: pixels.buffer, failures }, pixels.buffer);
  });
  say({ type: 'ready' });
}

async function read(sharp: Sharp, image: WantedImage, geometry: Geometry): Promise<Pixels> {
  return decode(sharp, await reader.content(image.place), image, geometry);
}

/** The first line: the decoders add where in their sources they noticed. */
const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
