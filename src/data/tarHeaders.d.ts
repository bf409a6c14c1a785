/** What tar-stream's own reader uses, and this project to skip what it need not read. */
declare module 'tar-stream/headers.js' {
  interface TarHeader {
    name: string;
    size: number;
    type: string | null;
  }
  /** Nothing for a block of zeros; throws where the checksum is wrong. */
  export function decode(block: Uint8Array, encoding: string, allowUnknown?: boolean): TarHeader | null;
  export function decodeLongPath(bytes: Uint8Array, encoding?: string): string;
  export function decodePax(bytes: Uint8Array): Record<string, string>;
}
