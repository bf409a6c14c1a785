/** How far a run has come: what its continuation must know besides the weights. Written into every checkpoint. */
import * as z from 'zod';
import { encodeEvent, real, summarySchema } from './events.ts';

const progressSchema = z.object({
  /** Completed optimizer steps. */
  step: z.number().int().nonnegative(),
  /** Epochs that are over, with their validation. */
  epochs: z.number().int().nonnegative(),
  /** Sums over the steps of the epoch under way: the loss of the main branch, and the samples ranked right. */
  sums: z.object({ loss: real, correct: z.number() }),
  ...summarySchema.pick({ final: true, best: true, train: true }).shape,
  /** What it took so far: wall-clock and processor seconds, peak resident bytes. */
  cost: summarySchema.shape.cost.pick({ seconds: true, cpuSeconds: true, peakMemoryBytes: true }),
});
export type Progress = z.infer<typeof progressSchema>;

/** Before the first step. */
export function noProgress(): Progress {
  return {
    step: 0,
    epochs: 0,
    sums: { loss: 0, correct: 0 },
    cost: { seconds: 0, cpuSeconds: 0, peakMemoryBytes: 0 },
  };
}

/** As text for a checkpoint's metadata; doubles come back bit for bit. */
export const encodeProgress = (progress: Progress): string => encodeEvent(progress);

/** Nothing for a text that is none; checkpoints of older versions have none. */
export function decodeProgress(text: string | undefined): Progress | undefined {
  try {
    const parsed = progressSchema.safeParse(JSON.parse(text ?? ''));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // no JSON
  }
}
