/**
 * The two containers of `torch.save`: a zip archive since PyTorch 1.6, a row of pickles before. Storages stay in the file until
 * they are read. https://docs.pytorch.org/docs/stable/notes/serialization.html
 */
import fs from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { UserError } from '../core/errors.ts';
import { damaged } from './dataFile.ts';
import { unpickle, unpickleNext } from './pickle.ts';
import { type StorageReference, torchPickle } from './torchPickle.ts';
import { sizeOfType } from './torchTensor.ts';

export interface TorchArchive {
  /** What was saved, with references to storages. */
  readonly value: unknown;
  /** In bytes; nothing where there is no such storage. */
  storageSize(key: string): number | undefined;
  /** Bytes of a storage, which must be there. */
  readStorage(key: string, begin: number, end: number): Promise<ArrayBuffer>;
  close(): Promise<void>;
}

/** Throws a `UserError` where the file is damaged, or is something else. */
export async function openTorchArchive(file: string): Promise<TorchArchive> {
  const handle = await openFile(file);
  try {
    const { size } = await handle.stat();
    const head = Buffer.from(await readRange(handle, file, 0, Math.min(size, 512)));
    if (head.length === 0) throw unknownKind(file, 'it is empty');
    const source: Source = { handle, file, size };
    if (head.toString('latin1', 0, 2) === 'PK') return await openZip(source);
    if (head.toString('latin1', 257, 262) === 'ustar')
      throw unknownKind(file, 'it is a tar archive, as PyTorch wrote before version 0.1.10');
    if (head[8] === 0x7b && head.length > 9) throw unknownKind(file, 'it is a safetensors file, as it seems');
    if (head[0] !== 0x80) throw unknownKind(file, `it begins with the bytes ${head.toString('hex', 0, 4)}`);
    return await openLegacy(source);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface Source {
  readonly handle: FileHandle;
  readonly file: string;
  readonly size: number;
}

const saveAgain = 'Load it in PyTorch where you trust it, and save `model.state_dict()` as safetensors.';

async function openZip({ handle, file, size }: Source): Promise<TorchArchive> {
  const reader = new BoundedReader(handle.fd, size);
  const options = { autoClose: false, strictFileNames: true };
  const zip = await inZip(file, () => fromRandomAccessReaderPromise(reader, size, options));
  const entries = await inZip(file, () => readEntries(zip, file));
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickleName] = pickles;
  if (pickleName === undefined || pickles.length > 1) {
    throw unknownKind(file, 'it is a zip archive without a data.pkl');
  }
  const root = pickleName.slice(0, -'data.pkl'.length);
  if (entries.has(`${root}constants.pkl`) || [...entries.keys()].some((name) => name.startsWith(`${root}code/`))) {
    const hint = 'In PyTorch, save `torch.jit.load(FILE, map_location="cpu").state_dict()` as safetensors.';
    throw unknownKind(file, 'it is a TorchScript archive, which holds a program', hint);
  }
  const read = async (name: string, begin: number, end: number): Promise<ArrayBuffer> => {
    const entry = entries.get(name);
    if (!entry) throw damaged(file, size, `there is no ${name} in the archive`);
    if (entry.compressionMethod !== 0 || entry.isEncrypted()) {
      const message = `${file}: ${name} is compressed or encrypted, which torch.save does not do.`;
      throw new UserError(message, { hint: 'Save it again with torch.save, or as safetensors.' });
    }
    const { fileDataStart } = await inZip(file, () => zip.readLocalFileHeaderPromise(entry, { minimal: true }));
    if (fileDataStart + entry.uncompressedSize > size) throw damaged(file, size, `the file ends here, within ${name}`);
    return readRange(handle, file, fileDataStart + begin, fileDataStart + end);
  };
  const readWhole = async (name: string, most: number): Promise<Uint8Array> => {
    const length = entries.get(name)?.uncompressedSize ?? 0;
    if (length > most) throw damaged(file, 0, `${name} has ${length} bytes; more than ${most} make no sense`);
    return new Uint8Array(await read(name, 0, length));
  };
  if (entries.has(`${root}byteorder`)) {
    checkByteOrder(
      file,
      Buffer.from(await readWhole(`${root}byteorder`, 16))
        .toString()
        .trim() === 'little',
    );
  }
  return {
    value: unpickle(await readWhole(pickleName, maxPickle), `${file} (${pickleName})`, torchPickle),
    storageSize: (key) => entries.get(`${root}data/${key}`)?.uncompressedSize,
    readStorage: (key, begin, end) => read(`${root}data/${key}`, begin, end),
    close: () => handle.close(),
  };
}

const maxPickle = 2 ** 26;

async function readEntries(zip: ZipFile, file: string): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName)) throw damaged(file, 0, `the archive has ${entry.fileName} twice`);
    entries.set(entry.fileName, entry);
  }
  return entries;
}

/** Reads within the file alone: a damaged archive sends the library to positions at which the system's own reader throws. */
class BoundedReader extends RandomAccessReader {
  private readonly descriptor: number;
  private readonly size: number;

  constructor(descriptor: number, size: number) {
    super();
    this.descriptor = descriptor;
    this.size = size;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (position + length <= this.size) fs.read(this.descriptor, buffer, offset, length, position, callback);
    else callback(new Error(`byte ${position + length} is beyond its end`));
  }

  override _readStreamForRange(): Readable {
    throw new Error('Storages are read through the file itself.');
  }
}

/** Errors of the zip library are about the file, as long as the system did not make them. */
async function inZip<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof UserError || !(cause instanceof Error) || 'errno' in cause) throw cause;
    throw new UserError(`${file}: the zip archive is damaged or cut off: ${cause.message.replace(/\.$/, '')}.`, {
      hint: 'Get this file again, and check that it was copied as a whole.',
      cause,
    });
  }
}

/** Pickles of a magic number, a version, the system, the value and the keys of its storages; then these, with lengths. */
async function openLegacy({ handle, file, size }: Source): Promise<TorchArchive> {
  const bytes = new Uint8Array(await readRange(handle, file, 0, Math.min(size, maxPickle)));
  let end = 0;
  const next = (persistent?: (id: unknown) => StorageReference): unknown => {
    const read = unpickleNext(bytes, file, { ...torchPickle, persistent: persistent ?? torchPickle.persistent }, end);
    end = read.end;
    return read.value;
  };
  if (next() !== 0x1950a86a20f9469cfc6cn)
    throw unknownKind(file, 'it is a pickle that torch.save did not write', saveAgain);
  const version = next();
  if (version !== 1001)
    throw unknownKind(file, `it has the version ${String(version)} of the old format; known is 1001`);
  const system = next();
  checkByteOrder(file, !(system instanceof Map && system.get('little_endian') === false));
  const dtypes = new Map<string, string | undefined>();
  const value = next((id) => {
    const storage = torchPickle.persistent(id);
    dtypes.set(storage.key, storage.dtype);
    return storage;
  });
  const keys = next();
  const storages = new Map<string, { readonly start: number; readonly size: number }>();
  for (const key of Array.isArray(keys) ? keys : []) {
    if (end + 8 > size) throw damaged(file, size, `the file ends here, before the storage ${String(key)}`);
    const length = Number(new DataView(await readRange(handle, file, end, end + 8)).getBigInt64(0, true));
    const bytes = length * (sizeOfType(dtypes.get(key) ?? 'uint8') ?? 1);
    const start = end + 8;
    if (bytes < 0 || start + bytes > size) {
      throw damaged(
        file,
        size,
        `the file ends here; ${length} values of the storage ${String(key)} would end at byte ${start + bytes}`,
      );
    }
    storages.set(key, { start, size: bytes });
    end = start + bytes;
  }
  return {
    value,
    storageSize: (key) => storages.get(key)?.size,
    readStorage: (key, begin, end) => {
      const start = storages.get(key)?.start ?? 0;
      return readRange(handle, file, start + begin, start + end);
    },
    close: () => handle.close(),
  };
}

function checkByteOrder(file: string, little: boolean): void {
  if (little) return;
  throw new UserError(`${file}: its numbers are written with the big end first, which is not read.`, {
    hint: saveAgain,
  });
}

function unknownKind(
  file: string,
  what: string,
  hint = 'Name a file that torch.save wrote, or a safetensors file.',
): UserError {
  return new UserError(`${file} is no PyTorch checkpoint that can be read: ${what}.`, { hint });
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    if (code === undefined) throw cause;
    const message =
      code === 'ENOENT' || code === 'ENOTDIR' ? `not found: ${file}` : `cannot be read: ${file} (${code})`;
    throw new UserError(`PyTorch checkpoint ${message}.`, { hint: 'Check path and permissions.', cause });
  }
  throw new UserError(`PyTorch checkpoint cannot be read: ${file} is no file.`, { hint: 'Name the file itself.' });
}

/** The caller has checked the range against the file's size. */
async function readRange(handle: FileHandle, file: string, begin: number, end: number): Promise<ArrayBuffer> {
  const buffer = new ArrayBuffer(end - begin);
  for (let at = 0; at < buffer.byteLength; ) {
    // The system reads no more than 2 GiB at once.
    const part = new Uint8Array(buffer, at, Math.min(buffer.byteLength - at, 2 ** 28));
    const { bytesRead } = await handle.read(part, 0, part.length, begin + at);
    if (bytesRead === 0) throw damaged(file, begin + at, 'the file ends here; it changed while it was read');
    at += bytesRead;
  }
  return buffer;
}
