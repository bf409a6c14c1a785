/**
 * Checkpoints on disk: the safetensors format, a JSON header and the plain bytes of each tensor, which PyTorch reads as it is.
 * https://github.com/huggingface/safetensors#format
 */
import fs from 'node:fs';
import { UserError } from '../core/errors.ts';

export interface Tensor {
  readonly dtype: 'I64' | 'F32' | 'I32' | 'U8';
  readonly shape: readonly number[];
  /** Of I64, the type of PyTorch's counters, an Int32Array: no count here needs more bits. */
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** Tensors by name, in order. */
export type TensorFile = Map<string, Tensor>;

/** The content of a file; wide types come first, so that each tensor begins at a multiple of its element's size. */
export function encodeSafetensors(tensors: TensorFile, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header[metadataKey] = metadata;
  const ordered = [...tensors].sort(([, a], [, b]) => kinds[b.dtype].size - kinds[a.dtype].size);
  let length = 0;
  for (const [name, tensor] of ordered) {
    const { dtype, shape, data } = tensor;
    if (!(data instanceof kinds[dtype].array)) throw new Error(`Tensor "${name}" is no ${dtype} inside`);
    if (elements(shape) !== data.length)
      throw new Error(`Tensor "${name}": ${data.length} values for shape [${shape}]`);
    if (name === metadataKey) throw new Error(`A tensor cannot be named "${metadataKey}"`);
    const end = length + data.length * kinds[dtype].size;
    header[name] = { dtype, shape, data_offsets: [length, end] };
    length = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8, 8 + headerLength);
  bytes.set(text, 8);
  let at = 8 + headerLength;
  for (const [, { dtype, data }] of ordered) {
    const plain = dtype === 'I64' ? BigInt64Array.from(data, BigInt) : data;
    bytes.set(new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength), at);
    at += plain.byteLength;
  }
  return bytes;
}

/**
 * The tensors and metadata in the content of a file. `file` is named in the `UserError` that a damaged or unknown content gives,
 * with the byte offset of the trouble.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  file: string,
): { tensors: TensorFile; metadata: Record<string, string> } {
  const damaged = (offset: number, what: string) =>
    new UserError(`${file}: damaged at byte ${offset}: ${what}.`, {
      hint: 'Take another checkpoint, or get the file again.',
    });
  if (bytes.length < 8) throw damaged(bytes.length, 'the file ends within the 8 bytes of the header length');
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerLength > bytes.length - 8) {
    throw damaged(0, `the header shall have ${headerLength} bytes, the file has ${bytes.length - 8} more`);
  }
  const start = 8 + headerLength;
  const header = parseHeader(bytes.subarray(8, start));
  if (!header) throw damaged(8, 'the header is no JSON object');

  const tensors: TensorFile = new Map();
  let metadata: Record<string, string> = {};
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === metadataKey) {
      if (!isMetadata(value)) throw damaged(8, `"${metadataKey}" holds something other than texts`);
      metadata = { ...value };
      continue;
    }
    const entry = parseEntry(value);
    if (!entry) throw damaged(8, `tensor "${name}" has no dtype, shape and data_offsets`);
    const { dtype, shape, begin, end } = entry;
    if (!isKnown(dtype)) {
      throw new UserError(`${file}: tensor "${name}" has the type ${dtype}; known are F32, I64, I32 and U8.`, {
        hint: 'Convert the checkpoint to 32-bit floats (F32).',
      });
    }
    const { size, array } = kinds[dtype];
    if (end > bytes.length - start) {
      throw damaged(
        bytes.length,
        `the file ends before tensor "${name}", which lies at ${start + begin} to ${start + end}`,
      );
    }
    if (end - begin !== elements(shape) * size) {
      throw damaged(start + begin, `tensor "${name}" of shape [${shape}] has ${end - begin} bytes`);
    }
    ranges.push({ name, begin, end });
    // A copy, since the tensor need not begin at a multiple of its element's size; the slice of a Buffer would be none.
    const copy = new Uint8Array(bytes.subarray(start + begin, start + end));
    const data = dtype === 'I64' ? narrowed(new BigInt64Array(copy.buffer)) : new array(copy.buffer);
    if (!data) throw new UserError(`${file}: tensor "${name}" (I64) holds numbers of more than 32 bits.`);
    tensors.set(name, { dtype, shape, data });
  }
  let covered = 0;
  for (const { name, begin, end } of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) throw damaged(start + covered, `tensor "${name}" begins at ${start + begin} instead`);
    covered = end;
  }
  if (start + covered !== bytes.length) throw damaged(start + covered, 'bytes follow that belong to no tensor');
  return { tensors, metadata };
}

/** The metadata of a file, of which no more than the header is read; nothing where that is damaged. */
export function readMetadata(file: string): Record<string, string> | undefined {
  const descriptor = fs.openSync(file, 'r');
  try {
    const length = Buffer.alloc(8);
    fs.readSync(descriptor, length, 0, 8, 0);
    const size = Number(length.readBigUInt64LE());
    if (size > fs.fstatSync(descriptor).size) return undefined;
    const bytes = Buffer.alloc(size);
    fs.readSync(descriptor, bytes, 0, size, 8);
    const metadata = parseHeader(bytes)?.[metadataKey];
    return isMetadata(metadata) ? metadata : undefined;
  } finally {
    fs.closeSync(descriptor);
  }
}

const metadataKey = '__metadata__';

const kinds = {
  I64: { size: 8, array: Int32Array },
  F32: { size: 4, array: Float32Array },
  I32: { size: 4, array: Int32Array },
  U8: { size: 1, array: Uint8Array },
} as const;

/** The same numbers in 32 bits, where they fit. */
function narrowed(wide: BigInt64Array): Int32Array | undefined {
  return wide.every((value) => value === BigInt.asIntN(32, value)) ? Int32Array.from(wide, Number) : undefined;
}

const isKnown = (dtype: string): dtype is Tensor['dtype'] => Object.hasOwn(kinds, dtype);
const elements = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parseHeader(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined; // not UTF-8 or not JSON: the caller says where
  }
}

function isMetadata(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
}

function parseEntry(value: unknown): { dtype: string; shape: number[]; begin: number; end: number } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Array.isArray(shape) || !shape.every(isCount)) return undefined;
  if (!Array.isArray(offsets) || offsets.length !== 2) return undefined;
  const [begin, end] = offsets as unknown[];
  return isCount(begin) && isCount(end) && begin <= end ? { dtype, shape, begin, end } : undefined;
}
