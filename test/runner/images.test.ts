/** A folder of image files to a trained model, by the command line: the same pixels for a pair, whoever decodes them. */
import fs from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { dataReportSchema } from '../../src/core/dataReport.ts';
import { encoded, hugePng, write } from '../data/pictures.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectRefusal } from '../support/cli.ts';

/** Two classes, 24 images of different sizes and formats, a config that asks for every augmentation. */
async function pictures(data: object = {}): Promise<string> {
  const folder = temporaryFolder();
  const formats = ['jpeg', 'png', 'webp'] as const;
  for (let i = 0; i < 24; i++) {
    const format = formats[i % 3] ?? 'png';
    const set = i < 16 ? 'train' : 'val';
    const file = path.join(folder, 'data', set, i % 2 ? 'odd' : 'even', `${i}.${format}`);
    write(file, await encoded(format, 20 + i, 40 - i, i));
  }
  const config = {
    name: 'pictures',
    data: { dataset: 'image-folder', path: 'data', ...data },
    model: { name: 'vit', imageSize: 16, patchSize: 4, width: 8, depth: 1, heads: 2 },
    train: { epochs: 2, batchSize: 4, warmupEpochs: 0 },
    augment: {
      crop: 'resized',
      flip: true,
      threeAugment: true,
      randAugment: { magnitude: 9 },
      colorJitter: 0.3,
      mixup: 0.8,
      cutmix: 1,
      randomErasing: 0.5,
      repeated: 2,
      testCrop: 0.875,
    },
  };
  write(path.join(folder, 'pictures.masksub.json'), JSON.stringify(config));
  return folder;
}

async function eventsOf(cwd: string, ...set: string[]) {
  const changes = set.flatMap((change) => ['--set', change]);
  const run = await cli(['run', 'pictures.masksub.json', '--json', ...changes], { cwd });
  expect(run.code, run.stderr).toBe(0);
  return run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('both runs of a pair see the same pixels, whichever thread decodes them', async () => {
  const cwd = await pictures();
  const events = await eventsOf(cwd);
  const hashes = events.filter(({ type }) => type === 'start').map(({ batchHash }) => batchHash);
  expect(hashes).toHaveLength(2);
  expect(new Set(hashes).size).toBe(1);
  const ends = events.filter(({ type }) => type === 'end');
  expect(ends.map(({ state, summary }) => [state, summary.final.samples])).toEqual([
    ['finished', 8],
    ['finished', 8],
  ]);
  const alone = await eventsOf(cwd, 'data.workers=1', 'compare.baseline=false');
  expect(alone.find(({ type }) => type === 'start')?.batchHash).toBe(hashes[0]);
});

test('a broken file ends it before it starts, or is left out and said', async () => {
  const cwd = await pictures();
  write(path.join(cwd, 'data', 'train', 'odd', 'empty.jpg'), '');
  expectRefusal(await cli(['run', 'pictures.masksub.json'], { cwd }), 'empty.jpg', 'skipBroken');
  const events = await eventsOf(cwd, 'data.skipBroken=1', 'compare.baseline=false');
  const warnings = events.filter(({ type }) => type === 'warning').map(({ message }) => message);
  expect(warnings).toEqual([expect.stringContaining('empty.jpg')]);
});

test('masksub data shows counts and pictures, and what is in both sets', async () => {
  const cwd = await pictures();
  const train = path.join(cwd, 'data', 'train', 'odd');
  fs.copyFileSync(path.join(train, '1.png'), path.join(cwd, 'data', 'val', 'odd', 'copy.png'));
  const { stdout, code } = await cli(['data', 'pictures.masksub.json', '--json'], { cwd });
  expect(code).toBe(0);
  const report = dataReportSchema.parse(JSON.parse(stdout));
  expect(report.classes).toEqual([
    { name: 'even', train: 8, validation: 4 },
    { name: 'odd', train: 8, validation: 5 },
  ]);
  expect(report.warnings).toEqual([expect.stringMatching(/copy\.png.*1\.png/)]);
  expect(report.samples).toHaveLength(16);
  expect(report.samples[0]?.image).toMatch(/^data:image\/png;base64,/);
  expect(report.samples[0]?.name).toMatch(/^train\/even\//);
  expect(report.images).toMatchObject({ smallest: { height: 43, width: 17 }, largest: { height: 30, width: 30 } });
});

test('masksub data names the samples that cannot be decoded', async () => {
  const cwd = await pictures({ skipBroken: 1 });
  write(path.join(cwd, 'data', 'train', 'odd', '0.png'), hugePng(100, 100));
  const { stdout } = await cli(['data', 'pictures.masksub.json', '--json'], { cwd });
  const { warnings } = dataReportSchema.parse(JSON.parse(stdout));
  expect(warnings).toEqual([expect.stringContaining('train/odd/0.png cannot be decoded')]);
});

test('masksub data --sheet draws the samples, a row for each class', async () => {
  const cwd = await pictures();
  const { code, stderr } = await cli(['data', 'pictures.masksub.json', '--sheet', 'sheet.png'], { cwd });
  expect(code, stderr).toBe(0);
  const { width, height } = await sharp(path.join(cwd, 'sheet.png')).metadata();
  expect([width, height]).toEqual([4 + 8 * 100, 4 + 2 * 100]);
});

test('masksub augment --gallery writes a page with every operation', async () => {
  const cwd = temporaryFolder();
  const { code, stdout } = await cli(['augment', '--gallery'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toContain('augment-gallery.html');
  const page = fs.readFileSync(path.join(cwd, 'augment-gallery.html'), 'utf8');
  for (const name of ['Random resized crop', '3-Augment', 'ShearX', 'SolarizeAdd', 'Random erasing', 'CutMix']) {
    expect(page).toContain(name);
  }
  expect(page.match(/<img /g)?.length).toBeGreaterThan(250);
});
