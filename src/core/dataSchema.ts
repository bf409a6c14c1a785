/** The schema of the config's `data` group: which data set, how it is read and divided. */
import * as z from 'zod';
import { datasets } from './catalog.ts';
import { described, natural, oneOf, positive } from './schemaParts.ts';

export const dataSchema = z.strictObject({
  dataset: oneOf(datasets, 'The data set.'),
  path: described(z.string().min(1), 'Folder or file of the data, relative to this file.').optional(),
  split: described(
    z.number().positive().lt(1),
    'Share of the samples that validation takes, of every class alike and the same for every seed, where the data are not divided already. Default: 0.1.',
  ).optional(),
  labels: z
    .enum(['fine', 'coarse'])
    .meta({
      markdownDescription: '`cifar100`: which of the two labels of an image is learned. Default: `fine`.',
      markdownEnumDescriptions: ['The 100 classes.', 'The 20 groups of five classes.'],
    })
    .optional(),
  imageColumn: described(
    z.string().min(1),
    '`image-parquet`: the column with the images. Default: `image`.',
  ).optional(),
  textColumn: described(z.string().min(1), '`text`: the column with the texts. Default: `text`.').optional(),
  pairColumn: described(
    z.string().min(1),
    '`text`: the column with the second text of a pair, which becomes the second segment. Absent: texts are single.',
  ).optional(),
  labelColumn: described(
    z.string().min(1),
    '`text`, `image-parquet`: the column with the labels. Default: `label`.',
  ).optional(),
  tokenizer: described(
    z.string().min(1),
    '`text`: a `tokenizer.json` or a `vocab.txt` of WordPiece, or the folder with one, relative to this file.',
  ).optional(),
  lowercase: described(
    z.boolean(),
    '`text`: lower case without accents, as in BERT “uncased”. Default: what the tokenizer’s files say, else true.',
  ).optional(),
  length: described(
    z.number().int().min(3),
    '`text`: tokens of a sequence; longer texts are cut off, shorter ones padded. Default: 128.',
  ).optional(),
  mean: described(z.array(z.number()).min(1), 'Mean of each channel of the pixels (0 to 1), subtracted.').optional(),
  std: described(
    z.array(positive).min(1),
    'Standard deviation of each channel of the pixels; they are divided by it.',
  ).optional(),
  skipBroken: described(
    z.number().int().min(0),
    'Image files: how many may be broken. They are left out, with a warning that names them; with more the run does not start. Default: 0.',
  ).optional(),
  workers: described(
    natural.max(64),
    'Image files: threads of each run that decode and augment. Default: 2.',
  ).optional(),
  trainOn: described(
    natural,
    'How many of the training samples are used, drawn once, the same for every seed. Absent: all.',
  ).optional(),
  validateEvery: described(
    natural,
    'Epochs from one validation to the next; there is always one after the last epoch.',
  ).optional(),
  validateOn: described(
    natural,
    'How many validation samples, from the first on, are used on the way; after the last epoch it is always all. Absent: all.',
  ).optional(),
});
