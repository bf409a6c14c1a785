/** Validation: loss and top-1 on whole and on masked inputs, computed in double precision from the logits. */
import type { Validation } from '../core/events.ts';
import type { Batches } from './batches.ts';
import type { Executor, HostModelInput } from './step/executor.ts';
import type { TrainingData } from './trainingData.ts';

/** Samples of a batch, as long as they are small; large ones come in smaller batches, of about 64 MB. */
const BATCH = 500;
const BATCH_VALUES = 2 ** 24;

/** Whole validation inputs, one batch of them, and what came out. */
export interface ValidatedBatch {
  /** Position of the first in the validation data. */
  readonly from: number;
  readonly input: HostModelInput;
  readonly labels: Int32Array;
  /** (B, classes). */
  readonly logits: Float32Array;
  readonly losses: Float64Array;
}

/** Validates on the first `samples` validation samples. The loss is softmax cross-entropy with hard labels, for every criterion. */
export async function validate(
  executor: Executor,
  batches: Batches,
  data: TrainingData,
  samples: number,
  between: () => Promise<boolean>,
  record: (batch: ValidatedBatch) => void = () => {},
): Promise<Validation | undefined> {
  const whole = { loss: 0, correct: 0 };
  const masked = { loss: 0, correct: 0 };
  const size = Math.max(1, Math.min(BATCH, Math.floor(BATCH_VALUES / batches.sampleSize)));
  const read = (from: number) => batches.validation(from, Math.min(samples, from + size));
  let next = read(0);
  for (let from = 0; from < samples; from += size) {
    const to = Math.min(samples, from + size);
    const input = await next;
    if (to < samples) {
      next = read(to); // while the model is at work
      next.catch(() => {}); // it is awaited in its turn, or never
    }
    const labels = data.validation.labels.subarray(from, to);
    const logits = await executor.evaluate(input, {}, 'parameters');
    record({ from, input, labels, logits, losses: addMetrics(whole, logits, labels) });
    const mask = batches.validationMask(from, to);
    addMetrics(masked, await executor.evaluate(input, mask, 'parameters'), labels);
    if (await between()) return undefined;
  }
  return {
    loss: whole.loss / samples,
    top1: whole.correct / samples,
    maskedLoss: masked.loss / samples,
    maskedTop1: masked.correct / samples,
    samples,
  };
}

/** Adds a batch to the sums, and gives the loss of each sample. */
function addMetrics(sums: { loss: number; correct: number }, logits: Float32Array, labels: Int32Array): Float64Array {
  const classes = logits.length / labels.length;
  return Float64Array.from(labels, (label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    const logit = row[label] as number;
    const loss = Math.log(sum) + largest - logit;
    sums.loss += loss;
    if (logit === largest) sums.correct += 1;
    return loss;
  });
}
