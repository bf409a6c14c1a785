/** What a tar archive holds and where, found by its headers alone: bodies are skipped. POSIX.1-2001 with GNU's long names. */
import { open } from 'node:fs/promises';
import { decode, decodeLongPath, decodePax } from 'tar-stream/headers.js';
import { damaged, fileError } from './dataFile.ts';
import { readAt } from './imageBytes.ts';

export interface TarEntry {
  readonly name: string;
  /** Where its content begins … */
  readonly start: number;
  /** … and how many bytes it is. */
  readonly length: number;
  /** The content; only for what is small. */
  read(): Promise<Buffer>;
}

const block = 512;
/** Small files lie between the headers: one read gets several of both. */
const windowBytes = 8 * block;
/** Longer names are no names. */
const maxNameBytes = 1 << 16;

/** The files in an archive, in their order. Throws a `UserError` that names the byte where it is damaged or cut off. */
export async function* tarEntries(file: string): AsyncGenerator<TarEntry, void> {
  const handle = await open(file).catch((cause: unknown) => {
    throw fileError(file, cause);
  });
  try {
    const { size } = await handle.stat();
    let window: { start: number; bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) };
    const read = async (at: number, length: number): Promise<Buffer> => {
      if (at < window.start || at + length > window.start + window.bytes.length) {
        window = { start: at, bytes: await readAt(handle, at, Math.max(length, windowBytes)) };
      }
      const from = at - window.start;
      return Buffer.from(window.bytes.subarray(from, from + length));
    };
    let renamed: { name?: string; size?: number } = {};
    for (let at = 0; ; ) {
      const head = await read(at, block);
      if (head.length < block) throw damaged(file, at + head.length, 'the archive ends without its end mark');
      const header = headerIn(head, file, at);
      if (!header) return;
      const { name = header.name, size: length = header.size } = renamed;
      const start = at + block;
      if (!(length >= 0 && start + length <= size)) {
        throw damaged(file, at, `the archive ends at byte ${size}, within ${name} (${length} bytes from ${start})`);
      }
      at = start + Math.ceil(length / block) * block;
      if (/^(pax-header|gnu-long-path)$/.test(header.type ?? '')) {
        if (length > maxNameBytes) throw damaged(file, start, `a name has ${length} bytes`);
        const content = await read(start, length);
        renamed = header.type === 'pax-header' ? changed(content) : { name: decodeLongPath(content) };
        continue;
      }
      if (header.type === 'file' || header.type === 'contiguous-file') {
        yield { name, start, length, read: () => read(start, length) };
      }
      if (header.type !== 'pax-global-header' && header.type !== 'gnu-long-link-path') renamed = {};
    }
  } finally {
    await handle.close();
  }
}

function headerIn(head: Buffer, file: string, at: number) {
  try {
    return decode(head, 'utf8', true);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw damaged(file, at, 'here should be the header of a file in the archive');
  }
}

function changed(content: Buffer): { name?: string; size?: number } {
  const { path, size } = decodePax(content);
  return { ...(path === undefined ? {} : { name: path }), ...(size === undefined ? {} : { size: Number(size) }) };
}
