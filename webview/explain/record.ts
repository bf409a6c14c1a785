/** A record of single samples as it came: checked, and its arrays looked up in the bytes beside it. */
import type { Block, Samples } from '../../src/core/samples.ts';
import { fromWire } from '../../src/core/wire.ts';
import { checkSamples } from './checkSamples.ts';

export interface SampleRecord {
  readonly samples: Samples;
  readonly bytes: Uint8Array;
}

/** An image of 1 or 3 channels, row-major. */
export interface Pixels {
  readonly values: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** What each part of one sample gets of the attention. */
export interface Attention {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/** The record of a message; throws where the text is not one, or names bytes that are not there. */
export function readRecord(text: string, bytes: Uint8Array): SampleRecord {
  const samples = checkSamples(fromWire(text));
  const { trainingImages, attention, worstImages } = samples.blocks;
  checkBlock('trainingImages', trainingImages, 'uint8', 4, bytes);
  checkBlock('worstImages', worstImages, 'uint8', 4, bytes);
  checkBlock('attention', attention, 'float32', 3, bytes);
  return { samples, bytes };
}

/** The image of a sample; nothing where it was not kept. */
export function imageOf({ samples, bytes }: SampleRecord, of: 'training' | 'worst', index: number): Pixels | undefined {
  const block = of === 'training' ? samples.blocks.trainingImages : samples.blocks.worstImages;
  const [images = 0, height = 0, width = 0, channels = 0] = block?.shape ?? [];
  if (!block || index < 0 || index >= images || height * width === 0) return undefined;
  const size = height * width * channels;
  const begin = block.offset + index * size;
  return { values: bytes.subarray(begin, begin + size), height, width, channels };
}

/** The attention of a training sample; nothing where it was not kept, or the model has none. */
export function attentionOf({ samples, bytes }: SampleRecord, index: number): Attention | undefined {
  const block = samples.blocks.attention;
  const [rowsOfBlock = 0, rows = 0, columns = 0] = block?.shape ?? [];
  if (!block || index < 0 || index >= rowsOfBlock || rows * columns === 0) return undefined;
  const size = rows * columns;
  const view = new DataView(bytes.buffer, bytes.byteOffset + block.offset + index * size * 4, size * 4);
  return { values: Float32Array.from({ length: size }, (_, i) => view.getFloat32(4 * i, true)), rows, columns };
}

/** How many training samples have a kept attention. */
export const attentionCount = ({ samples }: SampleRecord): number => samples.blocks.attention?.shape[0] ?? 0;

/** Texts have tokens where images have pixels. */
export const isOfTexts = ({ samples }: SampleRecord): boolean =>
  samples.training.some(({ tokens }) => tokens) || (samples.validation?.worst.some(({ tokens }) => tokens) ?? false);

function checkBlock(
  name: string,
  block: Block | undefined,
  dtype: Block['dtype'],
  dimensions: number,
  bytes: Uint8Array,
): void {
  if (!block) return;
  const { offset, shape } = block;
  if (block.dtype !== dtype || shape.length !== dimensions) {
    throw new TypeError(
      `"${name}": expected ${dtype} of ${dimensions} dimensions, got ${block.dtype} of ${shape.length}`,
    );
  }
  const channels = shape[3] ?? 1;
  if (channels !== 1 && channels !== 3) throw new TypeError(`"${name}": expected 1 or 3 channels, got ${channels}`);
  const end = offset + shape.reduce((product, length) => product * length, dtype === 'uint8' ? 1 : 4);
  if (!(end <= bytes.length)) throw new RangeError(`"${name}" would end at ${end} of ${bytes.length} bytes`);
}
