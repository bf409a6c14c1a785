/** What a run keeps of its data in `data.json`: all that its model can be exported with, when the data themselves have moved. */
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { UserError } from '../core/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import { runFiles } from '../store/layout.ts';

const ofAll = {
  /** Of the data set, as in the config. */
  name: z.string(),
  hash: z.string(),
  classes: z.number().int(),
  classNames: z.array(z.string()),
};
const schema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('images'),
    ...ofAll,
    /** Absent: they have different ones. */
    size: z.object({ height: z.number(), width: z.number() }).optional(),
    channels: z.number(),
    mean: z.array(z.number()),
    std: z.array(z.number()),
  }),
  z.object({ kind: z.literal('text'), ...ofAll, length: z.number(), vocabulary: z.number() }),
]);

export type DataFacts = z.infer<typeof schema>;

export function dataFactsOf(data: Dataset): DataFacts {
  return schema.parse(data); // it leaves out the samples
}

/** Of a run; nothing of one that an older version made. Throws a `UserError` where the file is damaged. */
export function readDataFacts(folder: string): DataFacts | undefined {
  const file = path.join(folder, runFiles.data);
  if (!fs.existsSync(file)) return undefined;
  try {
    return schema.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new UserError(`${file} is not as a run writes it.`, {
      hint: 'Remove it: then the data set is read again.',
      cause,
    });
  }
}
