/** What a data set is before anybody trains on it: counts, sizes, what is odd, samples. Said by the runner, shown in the editor. */
import * as z from 'zod';

const setName = z.enum(['train', 'validation']);

const size = z.object({ height: z.number(), width: z.number() });

const sample = z.object({
  set: setName,
  /** Its class, from 0. */
  label: z.number(),
  /** Where it lies: a file or a number. */
  name: z.string(),
  /** A picture as a data URI … */
  image: z.string().optional(),
  /** … or a text, which may have been cut. */
  text: z.string().optional(),
});

export const dataReportSchema = z.object({
  dataset: z.string(),
  title: z.string(),
  path: z.string().optional(),
  hash: z.string(),
  kind: z.enum(['images', 'text']),
  classes: z.array(z.object({ name: z.string(), train: z.number(), validation: z.number() })),
  train: z.number(),
  validation: z.number(),
  /** Samples that a run trains on, where the config asks for fewer. */
  trainOn: z.number().optional(),
  images: z
    .object({
      /** In pixels; the smallest and the largest where they have different ones. */
      smallest: size,
      largest: size,
      channels: z.number(),
      mean: z.array(z.number()),
      std: z.array(z.number()),
    })
    .optional(),
  texts: z
    .object({
      length: z.number(),
      vocabulary: z.number(),
      /** Tokens of the training texts: the median, the 95th percentile, the longest; none above `length`. */
      tokens: z.object({ median: z.number(), p95: z.number(), longest: z.number() }),
    })
    .optional(),
  warnings: z.array(z.string()),
  samples: z.array(sample),
});

export type DataReport = z.infer<typeof dataReportSchema>;
export type DataSample = z.infer<typeof sample>;
