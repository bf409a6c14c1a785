/** The IDX format of MNIST: a big-endian header of dimensions, then bytes; gzipped or not. http://yann.lecun.com/exdb/mnist/ */
import { promisify } from 'node:util';
import { createGunzip, gunzip } from 'node:zlib';
import { damaged, readWhole } from './dataFile.ts';

export interface IdxArray {
  readonly file: string;
  readonly shape: readonly number[];
  readonly values: Uint8Array;
  /** Where the values begin in the (unpacked) file. */
  readonly offset: number;
}

/**
 * Reads a file of unsigned bytes with one of the numbers of dimensions in `ranks`. Throws a `UserError` that names the file, the
 * byte offset (of the unpacked content, where it is gzipped) and what to do, where it is damaged or something else.
 */
export async function readIdx(file: string, ranks: readonly number[]): Promise<IdxArray> {
  const packed = await readWhole(file);
  const isPacked = packed[0] === 0x1f && packed[1] === 0x8b;
  return parseIdx(isPacked ? await unpack(packed, file) : packed, isPacked ? `${file} (unpacked)` : file, ranks);
}

/** The array in the content of a file; `file` is for messages. */
export function parseIdx(bytes: Uint8Array, file: string, ranks: readonly number[]): IdxArray {
  if (bytes.length < 4) throw damaged(file, bytes.length, 'the file ends within the magic number');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== 0) {
    throw damaged(file, 0, `no IDX file: the magic number is ${hex(view.getUint32(0), 8)}, expected 0x000008…`);
  }
  const type = view.getUint8(2);
  if (type !== 0x08) throw damaged(file, 2, `the element type is ${hex(type, 2)}, expected 0x08 (unsigned byte)`);
  const rank = view.getUint8(3);
  if (!ranks.includes(rank)) throw damaged(file, 3, `the array has ${rank} dimensions, expected ${ranks.join(' or ')}`);
  const offset = 4 + 4 * rank;
  if (bytes.length < offset) throw damaged(file, bytes.length, `the file ends within its ${rank} dimensions`);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const empty = shape.indexOf(0);
  if (empty >= 0) throw damaged(file, 4 + 4 * empty, `dimension ${empty + 1} of ${shape.join(' × ')} is 0`);
  const end = offset + shape.reduce((product, length) => product * length, 1);
  if (bytes.length < end) {
    throw damaged(file, bytes.length, `the file ends here; ${shape.join(' × ')} values would end at byte ${end}`);
  }
  if (bytes.length > end)
    throw damaged(file, end, `${bytes.length - end} bytes too many after ${shape.join(' × ')} values`);
  return { file, shape, values: bytes.subarray(offset), offset };
}

async function unpack(packed: Uint8Array, file: string): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(packed, { maxOutputLength: mostBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw damaged(file, 0, 'it unpacks to more than 2 GiB');
    const text = cause instanceof Error ? cause.message : String(cause);
    if (text === 'unexpected end of file') {
      throw damaged(file, packed.length, 'the gzip file ends here, before its content does');
    }
    if (text === 'incorrect data check' || text === 'incorrect length check') {
      throw damaged(file, packed.length - 8, 'the checksum there does not fit the unpacked content');
    }
    throw damaged(
      file,
      await firstBadByte(packed),
      `the gzip data are wrong there or up to ${slice} bytes later (${text})`,
    );
  }
}

/** More is no data set that fits a memory, but a mistake or an attack. */
const mostBytes = 2 ** 31;

const slice = 1024;

/** zlib does not tell where it stumbled: unpack again in small slices, and see which one fails. */
async function firstBadByte(packed: Uint8Array): Promise<number> {
  const stream = createGunzip();
  const failure = new Promise<true>((resolve) => stream.on('error', () => resolve(true)));
  stream.resume(); // the content itself is of no use here
  for (let at = 0; at < packed.length; at += slice) {
    const written = new Promise<false>((resolve) =>
      stream.write(packed.subarray(at, at + slice), () => resolve(false)),
    );
    if ((await Promise.race([failure, written])) || stream.errored) return at;
  }
  stream.destroy();
  return packed.length;
}

const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`;
