/** What `batchHash` is made of: equal in a pair, whose runs see the same batches. */
import type { Batches } from './batches.ts';
import type { HostBatch, HostModelInput } from './step/executor.ts';

/** Batches whose contents go into `batchHash`. */
const HASHED_BATCHES = 10;

/** Inputs, labels and order of the first batches, as they enter the step. */
export async function* firstBatches(batches: Batches): AsyncGenerator<ArrayBufferView> {
  let order = batches.order(0);
  for (let i = 0; i < HASHED_BATCHES; i++) {
    const [epoch, index] = [Math.floor(i / batches.perEpoch), i % batches.perEpoch];
    if (index === 0 && epoch > 0) order = batches.order(epoch);
    const batch: HostBatch = await batches.batch(epoch, index, order);
    yield* inputArrays(batch.input);
    yield batch.target;
  }
}

function inputArrays(input: HostModelInput): ArrayBufferView[] {
  return input.kind === 'images' ? [input.values] : [input.ids, input.types, input.present];
}
