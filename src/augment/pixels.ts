/** An image in memory, as every augmentation takes it and gives it back. */

export interface Pixels {
  /** (height, width, channels), 0 to 255. */
  readonly values: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A part of an image, in whole pixels. */
export interface Area {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}
