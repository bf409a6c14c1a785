/** What a data set is to everybody else: whole images of one size in memory, with labels, in two sets. */
import type { Config } from '../core/config.ts';

export interface ImageSet {
  readonly count: number;
  /** [count, height, width, channels], 0 to 255. */
  readonly pixels: Uint8Array;
  /** [count], from 0. */
  readonly labels: Int32Array;
}

/** A data set as its files tell it. */
export interface Images {
  readonly classNames: string[];
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly train: ImageSet;
  readonly validation: ImageSet;
}

export interface Dataset extends Images {
  readonly kind: 'images';
  /** As in the config and the catalog. */
  readonly name: string;
  readonly classes: number;
  /** Of each channel, of the pixels as 0 to 1: subtracted from them … */
  readonly mean: number[];
  /** … and what they are divided by then. */
  readonly std: number[];
  /** `sha256:…` over shapes, pixels and labels of both sets. */
  readonly hash: string;
}

/** Where data lie. */
export interface DataFolders {
  /** The data that come with the extension. */
  readonly mediaFolder: string;
  /** The config's folder: relative paths start there. */
  readonly configFolder: string;
}

/** How one data set is found and read. */
export interface DatasetReader {
  /** Throws a `UserError` where files are missing or damaged. */
  read(data: Config['data'], folders: DataFolders): Promise<Images>;
  /** The published statistics of its training pixels; computed where they are absent. */
  readonly statistics?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}
