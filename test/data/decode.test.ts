/** Decoding: the pixels are Pillow's, whatever the file holds. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Geometry } from '../../src/augment/view.ts';
import { decode, loadSharp } from '../../src/data/decode.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { pythonWith } from '../support/python.ts';
import { hugePng, picture, write } from './pictures.ts';

const python = pythonWith('PIL');
const whole = { resize: { height: 96, width: 128 } };
const part: Geometry = { before: { top: 7, left: 20, height: 80, width: 90 }, resize: { height: 56, width: 56 } };
const middle: Geometry = { resize: { height: 64, width: 86 }, after: { top: 4, left: 15, height: 56, width: 56 } };
const larger: Geometry = { before: { top: 30, left: 40, height: 20, width: 16 }, resize: { height: 56, width: 56 } };

/** With an alpha channel of its own shapes, some of it without any. */
async function transparent() {
  const alpha = await (await picture(96, 128, 1, 1)).linear(2, -120).toColourspace('b-w').png().toBuffer();
  return (await picture(96, 128)).joinChannel(alpha);
}

/** Height 96, width 128. */
const files: Record<string, () => Promise<Buffer>> = {
  'a JPEG': async () => (await picture(96, 128)).jpeg({ quality: 90 }).toBuffer(),
  'a progressive JPEG': async () => (await picture(96, 128)).jpeg({ progressive: true }).toBuffer(),
  'a grey JPEG': async () => (await picture(96, 128, 0, 1)).toColourspace('b-w').jpeg().toBuffer(),
  'a turned JPEG': async () => (await picture(96, 128)).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
  'a JPEG with another colour profile': async () => (await picture(96, 128)).withIccProfile('p3').jpeg().toBuffer(),
  'a PNG': async () => (await picture(96, 128)).png().toBuffer(),
  'a grey PNG': async () => (await picture(96, 128, 0, 1)).toColourspace('b-w').png().toBuffer(),
  'a PNG of 16 bits': async () => (await picture(96, 128)).toColourspace('rgb16').png().toBuffer(),
  'a PNG with a palette': async () => (await picture(96, 128)).png({ palette: true, colours: 64 }).toBuffer(),
  'a PNG with transparency': async () => (await transparent()).png().toBuffer(),
  'a WebP': async () => (await picture(96, 128)).webp().toBuffer(),
  'a lossless WebP with transparency': async () =>
    (await transparent()).webp({ lossless: true, exact: true }).toBuffer(),
};

describe.skipIf('missing' in python)('as Pillow decodes and resizes', () => {
  for (const [name, make] of Object.entries(files)) {
    test(name, async () => {
      const bytes = await make();
      const file = write(path.join(temporaryFolder(), 'image'), bytes);
      const { hasAlpha: alpha = false } = await sharp(bytes).metadata();
      const geometries = [whole, part, middle, larger];
      const tasks = geometries.map((geometry) => ({ file, ...geometry }));
      const expected = pillow(tasks);
      const found: number[] = [];
      for (const content of [file, bytes]) {
        for (const geometry of geometries)
          found.push(
            ...(await decode(loadSharp(undefined), content, { height: 96, width: 128, alpha }, geometry)).values,
          );
      }
      expect(found.length).toBe(2 * expected.length);
      expect(found.every((value, i) => value === expected[i % expected.length])).toBe(true);
    });
  }

  test('a large JPEG, which is never whole in memory, nearly so', async () => {
    const bytes = await (await picture(2600, 3900)).jpeg().toBuffer();
    const file = write(path.join(temporaryFolder(), 'image'), bytes);
    const header = { height: 2600, width: 3900, alpha: false };
    const expected = pillow([{ file, resize: { height: 56, width: 84 } }]);
    const { values } = await decode(loadSharp(undefined), file, header, { resize: { height: 56, width: 84 } });
    const differences = values.map((value, i) => Math.abs(value - (expected[i] as number)));
    expect(Math.max(...differences)).toBeLessThanOrEqual(2);
  });
});

test('a CMYK JPEG becomes RGB', async () => {
  const bytes = await (await picture(40, 30)).toColourspace('cmyk').jpeg().toBuffer();
  const { values, channels } = await decode(
    loadSharp(undefined),
    bytes,
    { height: 40, width: 30, alpha: false },
    { resize: { height: 20, width: 20 } },
  );
  expect([channels, values.length]).toEqual([3, 1200]);
});

test('a file that is cut off is an error, and so is one too large, before it takes memory', async () => {
  const jpeg = await (await picture(200, 300)).jpeg().toBuffer();
  const resize = { height: 20, width: 20 };
  const cut = decode(
    loadSharp(undefined),
    jpeg.subarray(0, jpeg.length / 2),
    { height: 200, width: 300, alpha: false },
    { resize },
  );
  await expect(cut).rejects.toThrow();
  const bomb = hugePng(10_000, 12_000);
  const before = process.memoryUsage().rss;
  await expect(
    decode(loadSharp(undefined), bomb, { height: 10_000, width: 12_000, alpha: false }, { resize }),
  ).rejects.toThrow(/pixel limit/);
  expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
});

function pillow(tasks: readonly object[]): Uint8Array {
  if ('missing' in python) throw new Error(python.missing);
  return execFileSync(python.command, ['scripts/reference/decode.py'], {
    input: JSON.stringify(tasks),
    maxBuffer: 1 << 26,
  });
}
