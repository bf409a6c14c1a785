/** Images for tests of data sets, made with sharp. */
import fs from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';

export type PictureFormat = 'jpeg' | 'png' | 'webp';

/** Soft shapes of colour, the same for the same number. */
export async function picture(height: number, width: number, seed = 0, channels: 1 | 3 | 4 = 3) {
  const values = Uint8Array.from(
    { length: 9 * 7 * channels },
    (_, i) => 127 + 90 * Math.sin(1e4 * (i + 1) + 99 * seed),
  );
  const large = sharp(values, { raw: { width: 9, height: 7, channels } }).resize(width, height, {
    fit: 'fill',
    kernel: 'cubic',
  });
  return sharp(await large.raw().toBuffer(), { raw: { width, height, channels } });
}

/** The bytes of such an image's file. */
export async function encoded(format: PictureFormat, height: number, width: number, seed = 0): Promise<Buffer> {
  return (await picture(height, width, seed)).toFormat(format).toBuffer();
}

/** Writes a file, and the folders above it. */
export function write(file: string, content: Uint8Array | string): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  return file;
}

/** A PNG that says it is this large, with next to no pixels in it. */
export function hugePng(height: number, width: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1000))),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([signature, ...chunks]);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), content]);
  const bytes = Buffer.alloc(body.length + 8);
  bytes.writeUInt32BE(content.length, 0);
  body.copy(bytes, 4);
  bytes.writeUInt32BE(crc32(body), body.length + 4);
  return bytes;
}

/** The checksum of PNG (Node has one from 22 on). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
