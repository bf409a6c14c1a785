/**
 * `npm run bench:data [-- --json] [--quick] [--count N] [--workers N] [--rounds N]`: images a second that the loader decodes and augments,
 * against PyTorch's DataLoader on the same files, in turn: as bytes, and normalized as they enter a step;
 * and how long a ViT-S that trains on them waits for its images. What the figures mean: docs/benchmarks.md.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { build } from '../build.mjs';
import { fail, root, SetupError } from '../setup/step.mjs';
import { bundle } from './bundle.mjs';
import { findTorch, machine, median } from './measure.mjs';
import { print } from './print.mjs';

/** As the photographs of ImageNet are on average. */
const HEIGHT = 375;
const WIDTH = 500;
const SIDE = 224;
const BATCH = 64;

const options = /** @type {const} */ ({
  json: { type: 'boolean' },
  quick: { type: 'boolean' },
  count: { type: 'string', default: '1000' },
  workers: { type: 'string', default: '2' },
  rounds: { type: 'string', default: '3' },
});

async function main() {
  const { values } = parseArgs({ options });
  const { quick = false } = values;
  const [count, workers, rounds] = [quick ? '128' : values.count, values.workers, quick ? '1' : values.rounds].map(
    Number,
  );
  const show = (row) =>
    values.json || row.row === 'machine' ? print(values.json === true)(row) : console.log(textOf(row));
  show({ row: 'machine', ...machine() });
  const folder = await makeImages(count ?? 0);
  const torch = findTorch();
  const reader = await openOurs(folder, workers);
  try {
    for (const as of /** @type {const} */ (['bytes', 'normalized'])) show(await compare(as));
    show(await waiting(folder, workers));
  } finally {
    reader.close();
  }

  async function compare(as) {
    /** @type {Record<'ours' | 'pytorch', { images: number, seconds: number, cpuSeconds: number }[]>} */
    const found = { ours: [], pytorch: [] };
    await reader.epoch(0, as);
    for (let round = 1; round <= (rounds ?? 0); round++) {
      found.ours.push(await reader.epoch(round, as));
      if (torch) found.pytorch.push(theirs(torch.python, folder, workers, as));
    }
    const sideOf = (measured) => ({
      imagesPerSecond: median(measured.map(({ images, seconds }) => images / seconds)),
      cpuMs: median(measured.map(({ images, cpuSeconds }) => (1e3 * cpuSeconds) / images)),
    });
    const ours = sideOf(found.ours);
    const row = { row: 'data', as, images: count, height: HEIGHT, width: WIDTH, side: SIDE, workers, ours };
    if (!torch) return { ...row, notCompared: 'no PyTorch' };
    const pytorch = sideOf(found.pytorch);
    const ratio = { images: ours.imagesPerSecond / pytorch.imagesPerSecond, cpu: ours.cpuMs / pytorch.cpuMs };
    return { ...row, pytorch, ratio };
  }
}

/** Share of its time that the engine waits for images: MaskSub on a ViT-S/16 at 224 pixels, with the augmentations of DeiT-III. */
async function waiting(folder, workers) {
  await build();
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-bench-'));
  const config = {
    data: { dataset: 'image-folder', path: folder, workers, split: 0.02, validateOn: 1 },
    model: { name: 'vit', size: 's/16', imageSize: SIDE },
    recipe: 'deit3-vit-s-400',
    train: { epochs: 1, batchSize: 32, accumulate: 1 },
    compare: { baseline: false },
    run: { logEvery: 1 },
  };
  try {
    const file = path.join(home, 'bench.masksub.json');
    fs.writeFileSync(file, JSON.stringify(config));
    const cli = path.join(root, 'dist', 'cli.js');
    const told = execFileSync(process.execPath, [cli, 'run', file, '--json', '--out', path.join(home, 'runs')], {
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    const events = told
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const steps = events.filter(({ type, step }) => type === 'step' && step > 1);
    const waits = steps.map(({ dataWait }) => dataWait);
    return {
      row: 'waiting',
      steps: steps.length,
      median: median(waits),
      most: Math.max(...waits),
      imagesPerSecond: median(steps.map(({ imagesPerSecond }) => imagesPerSecond)),
    };
  } finally {
    fs.rmSync(home, { recursive: true });
  }
}

const textOf = (row) => (row.row === 'waiting' ? waitingText(row) : comparisonText(row));
const waitingText = ({ steps, median, most, imagesPerSecond }) =>
  `ViT-S/16 with MaskSub, ${steps} steps of 32: waits for images ${(100 * median).toFixed(2)} % of its time (at most ${(100 * most).toFixed(2)} %), ${imagesPerSecond.toFixed(1)} images/s`;
const comparisonText = ({ as, images, height, width, side, workers, ours, pytorch, notCompared, ratio }) =>
  [
    `${images} JPEGs of ${width} × ${height} to ${side}, ${as}, ${workers} workers: ours ${sideText(ours)}`,
    pytorch ? `PyTorch ${sideText(pytorch)}` : notCompared,
    ...(ratio ? [`ratio ${ratio.images.toFixed(2)} images, ${ratio.cpu.toFixed(2)} CPU time`] : []),
  ].join('; ');
const sideText = ({ imagesPerSecond, cpuMs }) =>
  `${imagesPerSecond.toFixed(0)} images/s (CPU ${cpuMs.toFixed(2)} ms each)`;

/** Makes the images once: gradients, edges and noise, about as large as photographs of this size are as JPEGs of quality 90. */
async function makeImages(count) {
  const folder = path.join(root, '.masksub', 'bench-data', String(count));
  const mark = path.join(folder, 'complete');
  if (fs.existsSync(mark)) return path.join(folder, 'images');
  for (let i = 0; i < count; i++) {
    const file = path.join(folder, 'images', i % 2 ? 'odd' : 'even', `${String(i).padStart(5, '0')}.jpg`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await sharp(photo(i), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .jpeg({ quality: 90 })
      .toFile(file);
  }
  fs.writeFileSync(mark, '');
  return path.join(folder, 'images');
}

function photo(seed) {
  const values = new Uint8ClampedArray(HEIGHT * WIDTH * 3);
  let state = (seed + 1) * 2654435761;
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const inDisc = Math.hypot(x - 250 - 90 * Math.sin(seed), y - 180 - 80 * Math.cos(seed)) < 70 + (seed % 50);
      const stripes = y > 250 && (x + seed) % 23 < 9 ? 40 : 0;
      for (let c = 0; c < 3; c++) {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        const noise = ((state >>> 24) - 128) / 6;
        values[at++] =
          120 + 80 * Math.sin(0.011 * x + 0.017 * y + c + seed) + (inDisc ? 50 - 40 * c : 0) + stripes + noise;
      }
    }
  }
  return values;
}

async function openOurs(folder, workers) {
  const file = await bundle({
    loaderWorker: 'src/data/loaderWorker.ts',
    imageFolder: 'src/data/imageFolder.ts',
    imageSource: 'src/engine/imageSource.ts',
    augment: 'src/core/augmentConfig.ts',
  });
  const load = async (name) => import(pathToFileURL(file(name)).href);
  const { imageFolder } = await load('imageFolder');
  const { imageSource } = await load('imageSource');
  const { resolveAugment } = await load('augment');
  const folders = { configFolder: root, mediaFolder: root, workerFile: file('loaderWorker') };
  const images = await imageFolder.read({ dataset: 'image-folder', path: folder, workers, split: 1e-6 }, folders);
  const augment = resolveAugment({ crop: 'resized', flip: true });
  const { train } = images;
  const seen = { ...images, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
  const source = imageSource({ train: { seed: 0 }, augment }, seen, SIDE, 0);
  return {
    async epoch(epoch, as) {
      const view = { side: SIDE, testCrop: 1, training: { augment, seed: 0, epoch, fill: [124, 116, 104] } };
      const order = Int32Array.from({ length: train.count }, (_, i) => (i * 7919 + epoch) % train.count);
      const [begun, cpu] = [performance.now(), process.cpuUsage()];
      // Two batches at a time, as the training loop has them.
      const reading = [];
      for (let at = 0; at < order.length; at += BATCH) {
        const samples = order.subarray(at, at + BATCH);
        const drawn = { epoch, index: at / BATCH, samples, keys: samples };
        reading.push(as === 'bytes' ? train.read(samples, view) : source.training(drawn, new Float32Array(0)));
        if (reading.length > 2) await reading.shift();
      }
      await Promise.all(reading);
      const { user, system } = process.cpuUsage(cpu);
      return { images: order.length, seconds: (performance.now() - begun) / 1e3, cpuSeconds: (user + system) / 1e6 };
    },
    close: () => images.close(),
  };
}

function theirs(python, folder, workers, as) {
  const script = path.join(root, 'scripts', 'bench', 'data.py');
  try {
    return JSON.parse(execFileSync(python, [script, folder, String(workers), as], { encoding: 'utf8' }));
  } catch (error) {
    throw new SetupError(`PyTorch does not load the images: ${error instanceof Error ? error.message : error}`);
  }
}

await main().catch(fail);
