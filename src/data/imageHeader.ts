/** What the first and the last bytes of a JPEG, PNG or WebP file tell without decoding it: its size, and whether it is all there. */

/** The bytes of one image, wherever they lie. */
export interface ImageBytes {
  readonly size: number;
  /** So many bytes from a position on, or as many as there are. */
  read(at: number, length: number): Promise<Uint8Array>;
}

export interface ImageHeader {
  readonly height: number;
  readonly width: number;
  /** Whether the file may hold transparency. */
  readonly alpha: boolean;
}

/** Decoding an image of more pixels is refused: what packs well may be of any size. */
export const maxPixels = 100e6;

/** The header of an image that can be decoded, or what is wrong with it, as the end of a sentence: "… is a text". */
export async function readHeader(bytes: ImageBytes): Promise<ImageHeader | string> {
  if (bytes.size === 0) return 'is empty';
  if (bytes.size > maxBytes) return `has ${bytes.size} bytes, more than ${maxBytes}`;
  const start = await bytes.read(0, 32);
  const format = formats.find(({ begins }) => begins(start));
  if (!format) return 'is no JPEG, PNG or WebP image';
  const header = await format.header(bytes, start);
  if (typeof header === 'string') return header;
  const { height, width } = header;
  if (height * width > maxPixels) return `has ${width} × ${height} pixels, more than ${maxPixels / 1e6} million`;
  if (height === 0 || width === 0) return `has ${width} × ${height} pixels`;
  return (await format.isWhole(bytes, start)) ? header : 'is cut off';
}

/** More than any image of `maxPixels` takes. */
const maxBytes = 2 ** 30;
/** So many segments or chunks before the pixels are plausible. */
const maxParts = 10_000;
/** An end mark is looked for in so many last bytes: some programs append their own. */
const tailBytes = 4096;

interface Format {
  begins(start: Uint8Array): boolean;
  header(bytes: ImageBytes, start: Uint8Array): Promise<ImageHeader | string>;
  isWhole(bytes: ImageBytes, start: Uint8Array): Promise<boolean>;
}

/** ITU T.81: markers, segments with their lengths, the frame header among them. */
const jpeg: Format = {
  begins: (start) => start[0] === 0xff && start[1] === 0xd8 && start[2] === 0xff,
  async header(bytes) {
    let at = 2;
    for (let part = 0; part < maxParts; part++) {
      const segment = view(await bytes.read(at, 9));
      if (segment.byteLength < 9 || segment.getUint8(0) !== 0xff) break;
      const marker = segment.getUint8(1);
      if (marker === 0xff) {
        at += 1; // a fill byte
        continue;
      }
      const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
      if (isFrame) return { height: segment.getUint16(5), width: segment.getUint16(7), alpha: false };
      if (marker === 0xd9 || marker === 0xda) break;
      at += 2 + segment.getUint16(2);
    }
    return 'has no readable JPEG header';
  },
  isWhole: (bytes) => endsWith(bytes, [0xff, 0xd9]),
};

/** ISO 15948: chunks with their lengths. */
const png: Format = {
  begins: (start) => startsWith(start, 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  async header(bytes, start) {
    if (start.length < 29 || !isText(start, 12, 'IHDR')) return 'has no readable PNG header';
    const size = { width: view(start).getUint32(16), height: view(start).getUint32(20) };
    const colourType = start[25] as number;
    return { ...size, alpha: (colourType & 4) !== 0 || (await hasTransparency(bytes)) };
  },
  isWhole: (bytes) => endsWith(bytes, [0x49, 0x45, 0x4e, 0x44]),
};

/** https://developers.google.com/speed/webp/docs/riff_container */
const webp: Format = {
  begins: (start) => isText(start, 0, 'RIFF') && isText(start, 8, 'WEBP'),
  async header(_bytes, start) {
    if (start.length === 32) {
      const chunk = view(start);
      if (isText(start, 12, 'VP8 ')) {
        return { width: chunk.getUint16(26, true) & 0x3fff, height: chunk.getUint16(28, true) & 0x3fff, alpha: false };
      }
      if (isText(start, 12, 'VP8L')) {
        const bits = chunk.getUint32(21, true);
        return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, alpha: true };
      }
      if (isText(start, 12, 'VP8X')) {
        const size = (at: number) => chunk.getUint16(at, true) + (chunk.getUint8(at + 2) << 16) + 1;
        return { width: size(24), height: size(27), alpha: (chunk.getUint8(20) & 0x10) !== 0 };
      }
    }
    return 'has no readable WebP header';
  },
  isWhole: async (bytes, start) => bytes.size >= 8 + view(start).getUint32(4, true),
};

const formats: readonly Format[] = [jpeg, png, webp];

/** Whether a PNG names a transparent colour, which it does before its pixels. */
async function hasTransparency(bytes: ImageBytes): Promise<boolean> {
  let at = 8;
  for (let part = 0; part < maxParts; part++) {
    const chunk = await bytes.read(at, 8);
    if (chunk.length < 8 || isText(chunk, 4, 'IDAT')) return false;
    if (isText(chunk, 4, 'tRNS')) return true;
    at += 12 + view(chunk).getUint32(0);
  }
  return true;
}

async function endsWith(bytes: ImageBytes, mark: readonly number[]): Promise<boolean> {
  const length = Math.min(bytes.size, tailBytes);
  const tail = await bytes.read(bytes.size - length, length);
  for (let at = tail.length - mark.length; at >= 0; at--) if (startsWith(tail, at, mark)) return true;
  return false;
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const startsWith = (bytes: Uint8Array, at: number, mark: readonly number[]) =>
  mark.every((byte, i) => bytes[at + i] === byte);
const isText = (bytes: Uint8Array, at: number, text: string) =>
  startsWith(
    bytes,
    at,
    Array.from(text, (letter) => letter.charCodeAt(0)),
  );
