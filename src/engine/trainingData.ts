/** What the engine needs of a data set: labelled images or texts, in two sets. */
import type { ImageSet } from '../augment/imageSet.ts';
import type { TextSet } from '../core/textSet.ts';

export type TrainingData = ImageData | TextData;

interface Labelled {
  readonly name: string;
  readonly classes: number;
  /** In the order of the labels; where it is absent they are numbers. */
  readonly classNames?: readonly string[];
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

export interface TextData extends Labelled {
  readonly kind: 'text';
  /** Places of a sequence: longer texts have been cut, shorter ones are padded. */
  readonly length: number;
  /** Token ids that the tokenizer knows. */
  readonly vocabulary: number;
  /** The id of [MASK]. */
  readonly maskToken: number;
  /** The token of an id, as the vocabulary has it. */
  readonly tokenOf?: (id: number) => string | undefined;
  readonly train: TextSet;
  readonly validation: TextSet;
}
