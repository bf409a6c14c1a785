/** What a run recorded of single samples: `samples/epoch-000005.json` and its `.bin`, for the views that explain a run. */
import * as z from 'zod';
import { real } from './events.ts';

const count = z.number().int().nonnegative();

/** What one branch said of one sample. */
const predictionSchema = z.object({
  /** The class that it ranks first. */
  predicted: count,
  /** The probability (0 to 1) that it gives to the sample's label. */
  confidence: real,
  /** The probability (0 to 1) of the class that it ranks first. */
  certainty: real,
  /** Its loss on this sample, as the method has it: for MaskSub's sub-branch the cross-entropy against the main branch. */
  loss: real,
});
export type Prediction = z.infer<typeof predictionSchema>;

const trainingSampleSchema = z.object({
  /** Position in the training data, from 0. */
  sample: count,
  /** The class with most weight in the target. */
  label: count,
  /** True where the target holds more than one class (mixup, cutmix). */
  mixed: z.boolean(),
  main: predictionSchema,
  /** Absent for a run with one branch. */
  sub: predictionSchema.optional(),
  /** Patches that the sub-branch saw, as the step drew them, ascending; absent where nothing was masked. */
  kept: z.array(count).optional(),
  /** The tokens of a text as they entered the step, without padding. */
  tokens: z.array(z.string()).optional(),
});
export type TrainingSample = z.infer<typeof trainingSampleSchema>;

const worstSampleSchema = z.object({
  /** Position in the validation data, from 0. */
  sample: count,
  label: count,
  ...predictionSchema.shape,
  tokens: z.array(z.string()).optional(),
});
export type WorstSample = z.infer<typeof worstSampleSchema>;

/** An array in the `.bin` file, row-major, little-endian. */
const blockSchema = z.object({
  offset: count,
  dtype: z.enum(['uint8', 'float32']),
  shape: z.array(count).max(4),
});
export type Block = z.infer<typeof blockSchema>;

export const samplesSchema = z.object({
  v: z.literal(1),
  epoch: count,
  /** The first of the steps that the training samples are of. */
  step: count,
  /** `sha256:` and the hash of the `.bin` file: what belongs to another record, or is damaged, is not taken for this one's. */
  hash: z.string().optional(),
  classNames: z.array(z.string()),
  /** Patches of an image that a mask may hide, or the tokens of a text as one row; absent where the method masks nothing. */
  grid: z.object({ rows: count, columns: count }).optional(),
  /** Tokens, or the side of a patch in pixels of the stored images, that one unit of the grid stands for: height and width. */
  unit: z.tuple([z.number(), z.number()]).optional(),
  /** Samples of real training steps of this epoch: what entered, what was masked, what both branches said. */
  training: z.array(trainingSampleSchema),
  /** Absent where the epoch was not validated. */
  validation: z
    .object({
      samples: count,
      /** Validation samples by label (rows) and by the class ranked first (columns); empty beyond 1,000 classes. */
      confusion: z.array(z.array(count)),
      /** Highest loss first. */
      worst: z.array(worstSampleSchema),
    })
    .optional(),
  /**
   * Of the first training samples and of the worst: images (n, height, width, channels) as they entered the model, uint8; of the first
   * training samples the attention of the last block over the grid, averaged over heads: of the class token where the head reads that,
   * else what each patch receives of the others on average (n, rows, columns), float32.
   */
  blocks: z.object({
    trainingImages: blockSchema.optional(),
    attention: blockSchema.optional(),
    worstImages: blockSchema.optional(),
  }),
});
export type Samples = z.infer<typeof samplesSchema>;
