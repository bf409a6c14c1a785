/** A tensor of a weights file whose values are still on the disk, whatever the file's format. */

export interface StoredTensor {
  /** The file's own name of the type. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /**
   * The values row by row; reads no more of the file than this tensor. Throws a `UserError` where they are no numbers that a weight may
   * be, or the disk refuses.
   */
  read(): Promise<Float32Array>;
}
