/** A data set of one part, split into training and validation. */
import { RandomStream } from '../core/random.ts';

/**
 * Draws `share` of each class for validation, at least one sample of a class that has two, and none of a class that has one. Every
 * run draws the same, whatever its seed, so that runs can be compared. The indices of both parts ascend.
 */
export function stratifiedSplit(labels: Int32Array, share: number): { train: Int32Array; validation: Int32Array } {
  const members = new Map<number, number[]>();
  for (const [sample, label] of labels.entries()) {
    const known = members.get(label);
    if (known) known.push(sample);
    else members.set(label, [sample]);
  }
  const drawn = new Uint8Array(labels.length);
  for (const [label, samples] of members) {
    if (samples.length < 2) continue;
    const count = Math.min(Math.max(Math.round(samples.length * share), 1), samples.length - 1);
    const order = new RandomStream(0, 'split', 0, label).permutation(samples.length);
    for (const at of order.subarray(0, count)) drawn[samples[at] as number] = 1;
  }
  const indices = Int32Array.from(labels.keys());
  return {
    train: indices.filter((sample) => !drawn[sample]),
    validation: indices.filter((sample) => drawn[sample]),
  };
}
