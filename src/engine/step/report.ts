/** The figures of a step: computed with it as one tensor, read as one array. */
import * as tf from '@tensorflow/tfjs-core';
import type { StepScalars } from '../optim/optimizer.ts';
import type { StepReport } from './executor.ts';
import { type BatchTensors, type Problem, type StepOutcome, weightOf } from './step.ts';

/**
 * Losses batch by batch, samples ranked right, the Gram matrix of the gradients, whether all is finite: one tensor, so that one read
 * gets all.
 */
export function reportTensor(outcome: StepOutcome, batches: readonly BatchTensors[]): tf.Tensor1D {
  const losses = outcome.batches.flatMap((batch) => Object.values(batch.losses));
  const correct = outcome.batches.map((batch, i) => {
    const logits = Object.values(batch.logits)[0] as tf.Tensor2D;
    const target = (batches[i] as BatchTensors).target;
    return tf.sum(tf.cast(tf.equal(tf.argMax(logits, -1), tf.argMax(target, -1)), 'float32')) as tf.Scalar;
  });
  const { gram, finite } = outcome;
  return tf.concat1d([
    tf.stack([...losses, ...correct]) as tf.Tensor1D,
    tf.reshape<tf.Rank.R1>(gram, [gram.size]),
    tf.reshape<tf.Rank.R1>(finite, [1]),
  ]);
}

/** What a report is made from: numbers as `reportTensor` lays them out, and what the step was told. */
export interface ReportSource<Numbers = Float32Array> {
  readonly numbers: Numbers;
  readonly batches: number;
  readonly scalars: StepScalars;
}

export function reportOf({ method }: Problem, { numbers, batches, scalars }: ReportSource): StepReport {
  const { terms } = method;
  const weights = terms.map(({ branch }) => scalars[weightOf(branch)] ?? 1);
  const losses = numbers.subarray(0, batches * terms.length);
  const correct = numbers.subarray(losses.length, losses.length + batches);
  const gram = numbers.subarray(losses.length + batches, -1);
  const product = (i: number, j: number) => gram[i * terms.length + j] as number;
  const mean = (term: number) =>
    losses.reduce((sum, loss, i) => (i % terms.length === term ? sum + loss : sum), 0) / batches;
  const norms = terms.map((_, i) => Math.sqrt(product(i, i)));
  const [a = 0, b = 0] = norms;
  return {
    loss: {
      total: weights.reduce((sum, weight, i) => sum + weight * mean(i), 0),
      branches: Object.fromEntries(terms.map(({ branch }, i) => [branch, mean(i)])),
    },
    grad: {
      total: Math.sqrt(
        Math.max(
          0,
          weights.reduce((sum, w, i) => sum + weights.reduce((row, v, j) => row + w * v * product(i, j), 0), 0),
        ),
      ),
      branches: Object.fromEntries(terms.map(({ branch }, i) => [branch, norms[i]])),
      cosine: terms.length > 1 ? product(0, 1) / (a * b || 1) : undefined,
    },
    correct: correct.reduce((sum, value) => sum + value, 0),
    finite: numbers.at(-1) === 1,
  };
}
