/** `annotations.json`: what people say of the runs that lie beside it. */
import * as z from 'zod';

/** Written into the file; a reader leaves a later version alone. */
export const ANNOTATIONS_VERSION = 1;

/** Limits of what the dashboard sends, too (messages.ts). */
export const annotationsSchema = z.object({
  version: z.literal(ANNOTATIONS_VERSION),
  /** A list, not an object: an id is the name of a folder, and that may be `__proto__`. */
  runs: z.array(
    // What a later version adds to an entry stays with it.
    z.looseObject({
      /** Name of the run's folder. */
      id: z.string(),
      star: z.boolean().default(false),
      tags: z.array(z.string()).default([]),
      notes: z.string().default(''),
    }),
  ),
});
export type Annotations = z.infer<typeof annotationsSchema>;
