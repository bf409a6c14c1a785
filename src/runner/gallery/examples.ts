/** What the gallery shows: each augmentation at several strengths, with the config that asks for it. */
import { drawErasure, erase } from '../../augment/erase.ts';
import { drawMix, mixImages } from '../../augment/mix.ts';
import type { Pixels } from '../../augment/pixels.ts';
import { increasingRandAugmentOps, randAugmentOps } from '../../augment/randAugment.ts';
import { render } from '../../augment/view.ts';
import { type AugmentConfig, resolveAugment } from '../../core/augmentConfig.ts';
import type { ConfigInput } from '../../core/configSchema.ts';
import { RandomStream } from '../../core/random.ts';

/** One line of the gallery: the same augmentation several times. */
export interface Row {
  readonly title: string;
  /** The config that asks for it, or an operation's strength. */
  readonly setting: string;
  readonly images: readonly Pixels[];
}

export interface Group {
  readonly title: string;
  readonly about: string;
  readonly rows: readonly Row[];
}

const side = 112;
const columns = 8;
const seed = 0;
const draws = Array.from({ length: columns }, (_, i) => i);
/** ImageNet's mean colour, which recipes fill with. */
const fill = [123, 116, 103];

type Augment = NonNullable<ConfigInput['augment']>;

export function galleryOf(scene: Pixels): Group[] {
  return [
    {
      title: 'Crops',
      about: 'Which part of an image is seen. Test images are never drawn anew.',
      rows: [
        tested(scene, 1),
        tested(scene, 0.875),
        ...[0.08, 0.35, 0.8].map((minScale) => asked(scene, 'Random resized crop', { crop: 'resized', minScale })),
        asked(scene, 'Padding and crop', { crop: 'pad', padding: 12, flip: true }),
      ],
    },
    {
      title: 'Colours',
      about: '3-Augment (DeiT-III) and colour jitter.',
      rows: [
        asked(scene, '3-Augment', { threeAugment: true }),
        ...[0.1, 0.3, 0.6].map((colorJitter) => asked(scene, 'Colour jitter', { colorJitter })),
      ],
    },
    {
      title: 'RandAugment',
      about: 'Two of fifteen operations for an image, each applied with probability ½.',
      rows: [
        ...[3, 7, 9].map((magnitude) => asked(scene, 'Increasing', { randAugment: { magnitude } })),
        asked(scene, 'First form', { randAugment: { magnitude: 7, increasing: false } }),
      ],
    },
    {
      title: 'RandAugment’s operations, increasing form',
      about: 'From magnitude 0 to 10; the signs are drawn.',
      rows: increasingRandAugmentOps.map((op) => atMagnitudes(scene, op)),
    },
    {
      title: 'RandAugment’s operations that differ in the first form',
      about: 'Several grow weaker with the magnitude, as in the recipe of ResNet strikes back.',
      rows: randAugmentOps.filter((op) => !increasingRandAugmentOps.includes(op)).map((op) => atMagnitudes(scene, op)),
    },
    {
      title: 'On normalized images',
      about: 'Random erasing fills with noise; mixup and CutMix mix a batch with itself in reverse order.',
      rows: [
        erased(scene, 0.25),
        erased(scene, 1),
        ...[0.1, 0.8].map((mixup) => mixed(scene, 'Mixup', { mixup })),
        ...[0.2, 1].map((cutmix) => mixed(scene, 'CutMix', { cutmix })),
      ],
    },
  ];
}

const plain = (scene: Pixels) => render(scene, { side, testCrop: 1 }, 0);

const tested = (scene: Pixels, testCrop: number): Row => ({
  title: 'Test crop',
  setting: JSON.stringify({ testCrop }),
  images: [render(scene, { side, testCrop }, 0)],
});

function asked(scene: Pixels, title: string, augment: Augment): Row {
  const training = { augment: resolveAugment(augment), seed, epoch: 0, fill };
  const images = draws.map((key) => render(scene, { side, testCrop: 1, training }, key));
  return { title, setting: JSON.stringify(augment), images };
}

function atMagnitudes(scene: Pixels, { name, levels, apply }: (typeof randAugmentOps)[number]): Row {
  const image = plain(scene);
  const magnitudes = levels ? [0, 1.5, 3, 4.5, 6, 7.5, 9, 10] : [0];
  const images = magnitudes.map((magnitude, i) => apply(image, magnitude, new RandomStream(seed, name, 0, i), fill));
  return { title: name, setting: levels ? `${magnitudes.join(' · ')}` : 'has no strength', images };
}

/** Normalized by nothing but the scale: what the picture shows is what the model gets. */
const floatsOf = (image: Pixels) => Float32Array.from(image.values, (value) => value / 127.5 - 1);
const pixelsOf = (image: Pixels, values: Float32Array): Pixels => ({
  ...image,
  values: Uint8Array.from(values, (value) => Math.min(255, Math.max(0, Math.round((value + 1) * 127.5)))),
});

function erased(scene: Pixels, probability: number): Row {
  const image = plain(scene);
  const images = draws.map((key) => {
    const stream = new RandomStream(seed, 'gallery.erase', 0, key);
    const values = floatsOf(image);
    const area = drawErasure(probability, side, side, stream);
    if (area) erase(values, 0, image, area, stream);
    return pixelsOf(image, values);
  });
  return { title: 'Random erasing', setting: JSON.stringify({ randomErasing: probability }), images };
}

/** Each with a partner that is easily told apart. */
function mixed(scene: Pixels, title: string, augment: Augment): Row {
  const image = plain(scene);
  const partner = { ...image, values: image.values.map((value) => 255 - value) };
  const size = image.values.length;
  const images = draws.map((key) => {
    const values = new Float32Array(2 * size);
    values.set(floatsOf(image));
    values.set(floatsOf(partner), size);
    const mix = drawMix(
      resolveAugment(augment) satisfies AugmentConfig,
      side,
      side,
      new RandomStream(seed, 'mix', 0, key),
    );
    const batch = { values, shape: [2, side, side, image.channels] as const };
    return pixelsOf(image, (mix ? mixImages(batch, mix) : batch).values.subarray(0, size));
  });
  return { title, setting: JSON.stringify(augment), images };
}
