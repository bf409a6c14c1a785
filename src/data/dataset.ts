/** What a data set is to everybody else: labelled images or texts, in two sets. */
import type { ImageSet as SeenImages } from '../augment/imageSet.ts';
import type { Config } from '../core/config.ts';
import type { StreamFolders } from './streamedImages.ts';
import type { Texts } from './texts.ts';

/** A data set as it was opened. */
export type Dataset = ImageDataset | TextDataset;

interface Opened {
  /** As in the config and the catalog. */
  readonly name: string;
  readonly classes: number;
  readonly classNames: readonly string[];
  /** `sha256:…` over samples and labels of both sets. */
  readonly hash: string;
  /** Sentences about what is odd and yet usable. */
  readonly warnings: readonly string[];
  /** Ends what reads along. */
  close(): void;
}

export interface ImageDataset extends Opened, Omit<Images, 'close'> {
  readonly kind: 'images';
  /** Of each channel, of the pixels as 0 to 1: subtracted from them … */
  readonly mean: number[];
  /** … and what they are divided by then. */
  readonly std: number[];
}

export type TextDataset = Opened & Texts;

/** Images of a reader. */
export interface ImageSet extends SeenImages {
  /** Where a sample lies, for messages: a file, or a file and a place in it. Absent: in memory, by its number. */
  readonly nameOf?: (sample: number) => string;
}

/** Images as a reader gives them. */
export interface Images {
  readonly classNames: readonly string[];
  readonly channels: number;
  /** Where all images have one. */
  readonly size?: Size | undefined;
  /** Where they have different ones: by area. */
  readonly sizes?: { readonly smallest: Size; readonly largest: Size } | undefined;
  readonly train: ImageSet;
  readonly validation: ImageSet;
  readonly hash: string;
  readonly warnings: readonly string[];
  close?(): void;
}

/** In pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Images of one size, whole in memory. */
export interface PixelImages {
  readonly classNames: string[];
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly train: PixelSet;
  readonly validation: PixelSet;
}

export interface PixelSet {
  readonly count: number;
  /** [count, height, width, channels], 0 to 255. */
  readonly pixels: Uint8Array;
  /** [count], from 0. */
  readonly labels: Int32Array;
}

/** Where data lie. */
export interface DataFolders {
  /** The data that come with the extension. */
  readonly mediaFolder: string;
  /** The config's folder: relative paths start there. */
  readonly configFolder: string;
}

/** How one data set is found and read. All throw a `UserError` where files are missing or damaged. */
export type DatasetReader =
  | {
      readonly kind: 'pixels';
      read(data: Config['data'], folders: DataFolders): Promise<PixelImages>;
      /** The published statistics of its training pixels; computed where they are absent. */
      readonly statistics?: Statistics;
    }
  | {
      readonly kind: 'images';
      read(data: Config['data'], folders: StreamFolders): Promise<Images>;
      readonly statistics: Statistics;
    }
  | {
      readonly kind: 'text';
      read(data: Config['data'], folders: DataFolders): Promise<Texts>;
    };

export interface Statistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}
