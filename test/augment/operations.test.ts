/**
 * Operations on images give what Pillow, torchvision and timm give: of a stored image, and where a Python has them of larger ones and
 * at every magnitude. Both come from scripts/reference/augment.py.
 */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { rotate, shearX, shearY, translateX, translateY } from '../../src/augment/affine.ts';
import { gaussianBlur } from '../../src/augment/blur.ts';
import * as color from '../../src/augment/color.ts';
import type { Pixels } from '../../src/augment/pixels.ts';
import { increasingRandAugmentOps, type RandAugmentOp, randAugmentOps } from '../../src/augment/randAugment.ts';
import { crop, resize } from '../../src/augment/resize.ts';
import { testGeometry } from '../../src/augment/resizedCrop.ts';
import { RandomStream } from '../../src/core/random.ts';
import { pythonWith } from '../support/python.ts';
import { difference, imageSchema, packages, photo, reference } from './reference.ts';

const fill = [124, 116, 104];
const lists = { standard: randAugmentOps, increasing: increasingRandAugmentOps };

/** By the names of augment.py. */
const operations: Record<string, (image: Pixels, ...values: [number, number, number, number, number]) => Pixels> = {
  resize,
  resizedCrop: (image, top, left, height, width, side) => resize(crop(image, { top, left, height, width }), side, side),
  testView: (image, side, testCrop) => {
    const geometry = testGeometry(image.height, image.width, side, testCrop);
    return crop(resize(image, geometry.resize.height, geometry.resize.width), geometry.area);
  },
  grayscale: color.grayscale,
  solarize: color.solarize,
  solarizeAdd: color.solarizeAdd,
  posterize: color.posterize,
  invert: color.invert,
  autocontrast: color.autocontrast,
  equalize: color.equalize,
  brightness: color.brightness,
  contrast: color.contrast,
  saturation: color.saturation,
  sharpness: color.sharpness,
  rotate: (image, degrees) => rotate(image, degrees, fill),
  shearX: (image, factor) => shearX(image, factor, fill),
  shearY: (image, factor) => shearY(image, factor, fill),
  translateX: (image, pixels) => translateX(image, pixels, fill),
  translateY: (image, pixels) => translateY(image, pixels, fill),
  gaussianBlur,
};
for (const { name, applyLevel } of Object.values(lists).flat()) {
  operations[`timm.${name}`] = (image, level) => applyLevel(image, level, fill);
}

interface Case {
  readonly image: number;
  readonly operation: string;
  readonly arguments: number[];
}

/** Equal but for values that a processor rounds otherwise: one that fuses multiplication and addition, as Arm's. */
function expectEqual(image: Pixels, { operation, arguments: values }: Omit<Case, 'image'>, expected: Pixels): void {
  const before = image.values.slice();
  const result = operations[operation]?.(image, ...(values as [number, number, number, number, number])) ?? image;
  const { most, share } = difference(result, expected);
  expect(most, `${operation}(${values}) of ${image.height}×${image.width}×${image.channels}`).toBeLessThanOrEqual(1);
  expect(share).toBeLessThan(0.002);
  expect(Buffer.compare(image.values, before), 'the input is not changed').toBe(0);
}

describe('stored', () => {
  const schema = z.object({
    image: imageSchema,
    cases: z.array(z.object({ operation: z.string(), arguments: z.array(z.number()), result: imageSchema })),
  });
  const file = path.join(import.meta.dirname, 'fixtures', 'operations.json');
  const { image, cases } = schema.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  for (const { result, ...one } of cases) {
    test(`${one.operation}(${one.arguments})`, () => expectEqual(image, one, result));
  }

  test('every operation', () => {
    const own = Object.keys(operations).filter((name) => !name.startsWith('timm.'));
    expect(new Set(cases.map(({ operation }) => operation))).toEqual(new Set(own));
  });
});

const python = pythonWith(...packages);

describe.skipIf('missing' in python)(`fresh${'missing' in python ? `: ${python.missing}` : ''}`, () => {
  const images = [photo(224, 224, 3), photo(75, 100, 3), photo(90, 61, 1), photo(4, 3, 3), photo(1, 2, 3)];
  const whole: Record<string, readonly number[][]> = {
    resize: [
      [224, 224],
      [31, 40],
      [300, 17],
      [8, 8],
      [1, 1],
    ],
    resizedCrop: [],
    testView: [[56, 0.875]],
    grayscale: [[]],
    solarize: [[0], [128], [256]],
    solarizeAdd: [[0], [110]],
    posterize: [[0], [1], [4], [8]],
    invert: [[]],
    autocontrast: [[]],
    equalize: [[]],
    brightness: [[0], [0.3], [1], [1.9]],
    contrast: [[0], [0.3], [1], [1.9]],
    saturation: [[0], [0.3], [1], [1.9]],
    sharpness: [[0], [0.3], [1], [1.9]],
    rotate: [[0], [-30], [3.3], [90], [180], [270], [400]],
    shearX: [[0.3], [-0.123]],
    shearY: [[0.3], [-0.123]],
    translateX: [[10], [-3.7], [500]],
    translateY: [[10], [-3.7], [500]],
    gaussianBlur: [[0], [0.1], [0.9], [2], [7.5]],
  };
  const cases: Case[] = Object.entries(whole).flatMap(([operation, lists]) =>
    images.flatMap((_, image) => lists.map((values) => ({ image, operation, arguments: values }))),
  );
  for (const [image, top, left, height, width, side] of [
    [0, 3, 50, 200, 120, 160],
    [1, 0, 0, 75, 100, 64],
    [1, 74, 99, 1, 1, 16],
    [2, 10, 20, 33, 41, 96],
  ] as const) {
    cases.push({ image, operation: 'resizedCrop', arguments: [top, left, height, width, side] });
  }
  // Every rounding of a longer side and of a centre.
  for (const [side, testCrop] of [
    [55, 0.9],
    [48, 0.95],
    [57, 1],
    [33, 0.77],
  ] as const) {
    for (const image of [1, 2]) cases.push({ image, operation: 'testView', arguments: [side, testCrop] });
  }
  const magnitudes = Array.from({ length: 21 }, (_, i) => i / 2);
  const stream = new RandomStream(3, 'test.levels');
  for (const op of Object.values(lists).flat()) {
    for (const magnitude of op.levels ? [0, 4.5, 9, 10] : [0]) {
      const level = op.levels ? [op.drawLevel(magnitude, stream)] : [];
      for (const image of [0, 2]) cases.push({ image, operation: `timm.${op.name}`, arguments: level });
    }
  }

  let found: Awaited<ReturnType<typeof reference>>;
  beforeAll(async () => {
    if ('command' in python) found = await reference(python, { images, cases });
  });

  for (const operation of Object.keys(operations)) {
    test(operation, () => {
      const own = [...cases.entries()].filter(([, one]) => one.operation === operation);
      expect(own.length).toBeGreaterThan(1);
      for (const [i, one] of own) expectEqual(images[one.image] as Pixels, one, found.cases[i] as Pixels);
    });
  }

  for (const [kind, ops] of Object.entries(lists)) {
    test(`${kind} RandAugment has timm's operations and levels`, () => {
      const levels = found.levels[kind] ?? {};
      expect(ops.map(({ name }) => name)).toEqual(Object.keys(levels));
      for (const op of ops) {
        const timm = levels[op.name] ?? {};
        const own = op.levels ? magnitudes.map((magnitude) => [magnitude, levelsOf(op, magnitude)] as const) : [];
        expect(Object.keys(timm)).toHaveLength(own.length);
        for (const [magnitude, drawn] of own) {
          const expected = new Set(timm[magnitude]?.map((level) => level.toFixed(12)));
          expect(drawn, `${op.name} at ${magnitude}`).toEqual(expected);
        }
      }
    });
  }
});

/** Those that occur, of both signs. */
function levelsOf(op: RandAugmentOp, magnitude: number): Set<string> {
  const stream = new RandomStream(4, 'test.levels');
  return new Set(Array.from({ length: 40 }, () => (op.drawLevel(magnitude, stream) || 0).toFixed(12)));
}
