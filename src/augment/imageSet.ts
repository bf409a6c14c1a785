/** Labelled images, in memory or read as they are wanted: what a data set gives, and the engine takes its batches from. */
import type { View } from './view.ts';

export interface ImageSet {
  readonly count: number;
  /** (count), from 0. */
  readonly labels: Int32Array;
  /**
   * Images as a view shows them, (samples, side, side, channels), 0 to 255. `keys` name the random streams of each: the samples
   * themselves where absent.
   */
  read(samples: Int32Array, view: View, keys?: Int32Array): Promise<Uint8Array>;
}
