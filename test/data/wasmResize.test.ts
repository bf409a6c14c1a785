/** Resizing in WebAssembly: the numbers are those of the loops in TypeScript, which are compared with Pillow's. */
import { expect, test } from 'vitest';
import { mirrored } from '../../src/augment/padAndFlip.ts';
import { resize } from '../../src/augment/resize.ts';
import { RandomStream } from '../../src/core/random.ts';
import { createResizer } from '../../src/data/wasmResize.ts';

const resizeFast = createResizer();

test.each([
  ['smaller', 60, 71, 32, 32],
  ['larger', 13, 10, 32, 40],
  ['lower and wider', 90, 10, 31, 33],
  ['much lower, so that the height comes first', 200, 3, 40, 7],
  ['higher and narrower', 7, 200, 33, 5],
  ['out of one pixel', 1, 1, 5, 6],
  ['to one pixel', 45, 67, 1, 1],
  ['not at all', 20, 30, 20, 30],
  ['after a larger one, whose rests lie in memory', 9, 9, 8, 8],
])('%s', (_what, height, width, toHeight, toWidth) => {
  const stream = new RandomStream(height, 'test.resize');
  // Black and white besides, which overshoot.
  const values = Uint8Array.from(
    { length: height * width * 3 },
    () => [0, 255, stream.below(256)][stream.below(3)] ?? 0,
  );
  const image = { values, height, width, channels: 3 };
  const fast = resizeFast(image, toHeight, toWidth);
  const expected = resize(image, toHeight, toWidth);
  expect(fast).toMatchObject({ height: toHeight, width: toWidth, channels: 3 });
  expect(Buffer.compare(fast.values, expected.values)).toBe(0);
  const turned = resizeFast(image, toHeight, toWidth, true);
  expect(Buffer.compare(turned.values, mirrored(expected).values)).toBe(0);
});

test('an image of another number of channels is a bug', () => {
  expect(() => resizeFast({ values: new Uint8Array(4), height: 2, width: 2, channels: 1 }, 1, 1)).toThrow(
    'Expected RGB',
  );
});
