/** Where batches take their samples from: one kind of data, and how it is augmented. */
import type { HostModelInput } from './step/executor.ts';

/** Samples of one batch. */
export interface Drawn {
  readonly epoch: number;
  /** Of the batch within the epoch. */
  readonly index: number;
  readonly samples: Int32Array;
  /** Names of each sample's random streams; with repeated augmentation a sample comes several times, under different ones. */
  readonly keys: Int32Array;
}

export interface SampleSource {
  /** Numbers that one sample comes to. */
  readonly size: number;
  /** Training samples, augmented, and their targets (B, classes), which an augmentation may mix. */
  training(
    drawn: Drawn,
    target: Float32Array,
  ): Promise<{ readonly input: HostModelInput; readonly target: Float32Array }>;
  /** Validation samples as they are. */
  validation(samples: Int32Array): Promise<HostModelInput>;
  /** The places of a sample that hold something a mask could hide, from the first on. */
  places(set: 'train' | 'validation', sample: number): number;
}
