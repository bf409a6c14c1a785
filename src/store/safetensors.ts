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
  const { entries, metadata } = readHeader(bytes, bytes.length, file);
  const tensors: TensorFile = new Map();
  for (const { name, dtype, shape, begin, end } of entries) {
    if (!isKnown(dtype)) {
      throw new UserError(`${file}: tensor "${name}" has the type ${dtype}; known are F32, I64, I32 and U8.`, {
        hint: 'Convert the checkpoint to 32-bit floats (F32).',
      });
    }
    // A copy, since the tensor need not begin at a multiple of its element's size; the slice of a Buffer would be none.
    const copy = new Uint8Array(bytes.subarray(begin, end));
    const data = dtype === 'I64' ? narrowed(new BigInt64Array(copy.buffer)) : new kinds[dtype].array(copy.buffer);
    if (!data) throw new UserError(`${file}: tensor "${name}" (I64) holds numbers of more than 32 bits.`);
    tensors.set(name, { dtype, shape, data });
  }
  return { tensors, metadata };
}

/** A tensor as the header has it, and where its bytes lie in the file. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** How many bytes of a file its header takes, by the first 8; `length` is that of the file. */
export function headerEnd(bytes: Uint8Array, length: number, file: string): number {
  if (bytes.length < 8) throw damaged(file, length, 'the file ends within the 8 bytes of the header length');
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerLength > Math.min(length - 8, LONGEST_HEADER)) {
    throw damaged(file, 0, `the header shall have ${headerLength} bytes, the file has ${length - 8} more`);
  }
  return 8 + headerLength;
}

/** What the header says: `bytes` are those of the file as far as the header goes, or more; `length` is that of the file. */
export function readHeader(
  bytes: Uint8Array,
  length: number,
  file: string,
): { entries: HeaderEntry[]; metadata: Record<string, string> } {
  const start = headerEnd(bytes, length, file);
  const header = parseHeader(bytes.subarray(8, start));
  if (!header) throw damaged(file, 8, 'the header is no JSON object');

  let metadata: Record<string, string> = {};
  const entries: HeaderEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === metadataKey) {
      if (!isMetadata(value)) throw damaged(file, 8, `"${metadataKey}" holds something other than texts`);
      metadata = { ...value };
      continue;
    }
    const entry = parseEntry(value);
    if (!entry) throw damaged(file, 8, `tensor "${name}" has no dtype, shape and data_offsets`);
    const { dtype, shape } = entry;
    const [begin, end] = [start + entry.begin, start + entry.end];
    if (end > length) {
      throw damaged(file, length, `the file ends before tensor "${name}", which lies at ${begin} to ${end}`);
    }
    const size = elementSizes[dtype];
    if (size !== undefined && end - begin !== elements(shape) * size) {
      throw damaged(file, begin, `tensor "${name}" of shape [${shape}] has ${end - begin} bytes`);
    }
    entries.push({ name, dtype, shape, begin, end });
  }
  let covered = start;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) throw damaged(file, covered, `tensor "${name}" begins at ${begin} instead`);
    covered = end;
  }
  if (covered !== length) throw damaged(file, covered, 'bytes follow that belong to no tensor');
  return { entries, metadata };
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
/** The format's own limit, so that a damaged length takes no memory. */
const LONGEST_HEADER = 100e6;

const kinds = {
  I64: { size: 8, array: Int32Array },
  F32: { size: 4, array: Float32Array },
  I32: { size: 4, array: Int32Array },
  U8: { size: 1, array: Uint8Array },
} as const;

/** Bytes of one element of each type of the format that has whole ones. */
const elementSizes: Readonly<Record<string, number>> = {
  ...{ F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4 },
  ...{ F16: 2, BF16: 2, I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1 },
};

function damaged(file: string, offset: number, what: string): UserError {
  return new UserError(`${file}: damaged at byte ${offset}: ${what}.`, {
    hint: 'Take another checkpoint, or get the file again.',
  });
}

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
