/** The schema of the config's `augment` group: what is done to training images, and how test images are cropped. */
import * as z from 'zod';
import { described, natural, nonNegative, positive, share } from './schemaParts.ts';

const randAugment = z.strictObject({
  magnitude: described(z.number().min(0).max(10), 'Strength, 0 to 10: the “m” of timm.'),
  std: described(nonNegative, 'Standard deviation of the strength: timm’s “mstd”. Default: 0.5.').optional(),
  ops: described(natural, 'Operations drawn for an image. Default: 2.').optional(),
  increasing: described(
    z.boolean(),
    'Every operation grows stronger with the magnitude: timm’s “inc1”. Default: true.',
  ).optional(),
});

export const augmentSchema = z.strictObject({
  crop: z
    .enum(['none', 'pad', 'resized'])
    .meta({
      markdownDescription: 'How training images are cropped.',
      markdownEnumDescriptions: [
        'As test images: resized to `imageSize` where they have another size.',
        'Padded with black by `padding` pixels, then a random crop of the old size.',
        'A random part of at least `minScale` of the area, of a random shape, resized to `imageSize` (bicubic).',
      ],
    })
    .optional(),
  padding: described(natural, '`"crop": "pad"`: pixels of padding before the random crop.').optional(),
  minScale: described(
    positive.max(1),
    '`"crop": "resized"`: least share of the image’s area that a crop has. The reference: 0.08.',
  ).optional(),
  flip: described(z.boolean(), 'Flip horizontally with probability ½.').optional(),
  threeAugment: described(
    z.boolean(),
    '3-Augment of DeiT-III: each image becomes grey, is solarized or is blurred, one of the three.',
  ).optional(),
  randAugment: described(
    randAugment,
    'RandAugment as in timm: some operations drawn from 15, each applied with probability ½. Absent: none.',
  ).optional(),
  colorJitter: described(
    nonNegative,
    'Colour jitter: brightness, contrast and saturation change by up to this share; 0: none.',
  ).optional(),
  mixup: described(
    nonNegative,
    'Mixup: a of Beta(a, a), from which the share of each image is drawn; 0: none.',
  ).optional(),
  cutmix: described(
    nonNegative,
    'CutMix: a of Beta(a, a), from which the area that stays is drawn; 0: none.',
  ).optional(),
  switchProb: described(share, 'Where both mixup and CutMix are on: probability that a batch gets CutMix.').optional(),
  mixProb: described(share, 'Probability that a batch is mixed at all.').optional(),
  randomErasing: described(
    share,
    'Random erasing: probability that a rectangle of an image becomes noise, pixel by pixel; 0: none.',
  ).optional(),
  repeated: described(
    natural,
    'Repeated augmentation: how many times in a row an image comes, each time augmented anew; an epoch keeps its length and sees fewer images.',
  ).optional(),
  testCrop: described(
    positive.max(1),
    'Test images: the shorter side is resized to `imageSize` / this, then the centre is cropped.',
  ).optional(),
});
