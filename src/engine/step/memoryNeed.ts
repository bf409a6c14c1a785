/** What a step needs of memory, in words, before it is run and when it could not be. */
import { UserError } from '../../core/errors.ts';

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0)} GB`;

/** Largest batch size whose step fits, by our estimate. Part of the need does not grow with the batch, so a little more may fit. */
export function fittingBatchSize(batchSize: number, need: number, available: number): number {
  return Math.floor((batchSize * available) / need);
}

/** Says that a step needs more memory than there is, with the batch size that would fit; nothing where it fits. */
export function memoryProblem(batchSize: number, need: number, available: number): string | undefined {
  if (need <= available) return undefined;
  return `A step with train.batchSize ${batchSize} needs about ${gigabytes(need)} of memory, ${gigabytes(available)} are free. ${memoryAdvice(batchSize, need, available)}`;
}

export function memoryAdvice(batchSize: number, need: number, available: number): string {
  const fits = fittingBatchSize(batchSize, need, available);
  return fits >= 1
    ? `By our estimate train.batchSize ${fits} would fit; train.accumulate makes up for the rest.`
    : 'By our estimate no batch size would fit: take a smaller model or image.';
}

/** What TensorFlow says when the system refuses it memory. */
const refusals = /^RESOURCE_EXHAUSTED|OOM when allocating|bad_alloc/m;

export const isOutOfMemory = (error: unknown): boolean => error instanceof Error && refusals.test(error.message);

/** An error of a step, for a person where it is for lack of memory; `need` where it is known, `had`: what the process got at most. */
export function withMemoryAdvice(error: unknown, batchSize: number, need: number | undefined, had: number): unknown {
  if (!isOutOfMemory(error)) return error;
  const about = need ? `: it needs about ${gigabytes(need)}` : '';
  const hint = need
    ? memoryAdvice(batchSize, need, Math.min(had, need))
    : 'Lower train.batchSize; train.accumulate makes up for it.';
  return new UserError(`There is not enough memory for a step with train.batchSize ${batchSize}${about}.`, {
    hint,
    cause: error,
  });
}
