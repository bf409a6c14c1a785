/** A safetensors file read tensor by tensor, so that weights of any size are in memory once; 16- and 64-bit floats become 32-bit ones. */
import fs from 'node:fs/promises';
import { UserError } from '../core/errors.ts';
import { floatsOfBfloat16, floatsOfHalves } from '../core/halfFloats.ts';
import type { StoredTensor } from '../core/storedTensor.ts';
import { explainFileError } from './files.ts';
import { type HeaderEntry, headerEnd, readHeader } from './safetensors.ts';

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Reads the header. Throws a `UserError` that names the file where it is damaged, or cannot be read. Close it. */
export async function openSafetensors(file: string): Promise<SafetensorsFile> {
  const handle = await explained(file, fs.open(file, 'r'));
  try {
    const { size } = await explained(file, handle.stat());
    const end = headerEnd(await bytesOf(file, handle, 0, Math.min(8, size)), size, file);
    const { entries, metadata } = readHeader(await bytesOf(file, handle, 0, end), size, file);
    const tensors = new Map(entries.map((entry) => [entry.name, storedTensor(file, handle, entry)] as const));
    return { tensors, metadata, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function storedTensor(file: string, handle: fs.FileHandle, entry: HeaderEntry): StoredTensor {
  const { name, dtype, shape, begin, end } = entry;
  return {
    dtype,
    shape,
    async read() {
      const toFloats = conversions[dtype];
      if (!toFloats) throw new UserError(`${file}: tensor "${name}" has the type ${dtype}, which is none of weights.`);
      return toFloats((await bytesOf(file, handle, begin, end)).buffer);
    },
  };
}

const conversions: Readonly<Record<string, (bytes: ArrayBuffer) => Float32Array>> = {
  F32: (bytes) => new Float32Array(bytes),
  F64: (bytes) => new Float32Array(new Float64Array(bytes)),
  F16: (bytes) => floatsOfHalves(new Uint16Array(bytes)),
  BF16: (bytes) => floatsOfBfloat16(new Uint16Array(bytes)),
};

async function bytesOf(
  file: string,
  handle: fs.FileHandle,
  begin: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - begin);
  // In pieces: the operating system gives at most 2 GiB at a time.
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, 1 << 30);
    const { bytesRead } = await explained(file, handle.read(bytes, at, length, begin + at));
    if (bytesRead === 0) {
      throw new UserError(`${file}: it has become shorter while it was read.`, { hint: 'Get the file again.' });
    }
    at += bytesRead;
  }
  return bytes;
}

function explained<T>(file: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw explainFileError(file, error);
  });
}
