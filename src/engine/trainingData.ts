/** What the engine needs of a data set: labelled images or texts, in two sets. */
import type { View } from '../augment/view.ts';

export type TrainingData = ImageData | TextData;

interface Labelled {
  readonly name: string;
  readonly classes: number;
  /** Over samples and labels. */
  readonly hash: string;
}

export interface ImageData extends Labelled {
  readonly kind: 'images';
  /** Where all images have one. */
  readonly size?: { readonly height: number; readonly width: number } | undefined;
  readonly channels: number;
  /** Of each channel, for pixels scaled to 0 … 1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly train: ImageSet;
  readonly validation: ImageSet;
}

/** Labelled images, in memory or read as they are wanted. */
export interface ImageSet {
  readonly count: number;
  readonly labels: Int32Array;
  /**
   * Images as a view shows them, (samples, side, side, channels), 0 to 255. `keys` name the random streams of each: the samples
   * themselves where absent.
   */
  read(samples: Int32Array, view: View, keys?: Int32Array): Promise<Uint8Array>;
}

export interface TextData extends Labelled {
  readonly kind: 'text';
  /** Places of a sequence: longer texts have been cut, shorter ones are padded. */
  readonly length: number;
  /** Token ids that the tokenizer knows. */
  readonly vocabulary: number;
  /** The id of [MASK]. */
  readonly maskToken: number;
  readonly train: TextSet;
  readonly validation: TextSet;
}

/** Labelled texts as tokens, [CLS] first. */
export interface TextSet {
  readonly count: number;
  /** Token ids, (count, length). */
  readonly ids: Int32Array;
  /** Segment of each token, (count, length). */
  readonly types: Int32Array;
  /** Tokens of each text, (count); the places after them are padding. */
  readonly tokens: Int32Array;
  readonly labels: Int32Array;
}
