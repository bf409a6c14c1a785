/**
 * The loops of `augment/resize.ts` for RGB in WebAssembly with SIMD, several times as fast: the same numbers to the bit, so Pillow's.
 * Assembled here from its instructions, as no compiler for it is among the tools. https://webassembly.github.io/spec/core/binary
 */
import type { Pixels } from '../augment/pixels.ts';
import { comesHeightFirst, type Kernel, kernel, precision } from '../augment/resizeKernel.ts';

/** What the module gives: its passes take addresses in its memory, and lengths. */
interface Loops {
  readonly memory: WebAssembly.Memory;
  narrow(
    source: number,
    rows: number,
    sourceRow: number,
    target: number,
    width: number,
    targetRow: number,
    ...taps: Taps
  ): void;
  lower(source: number, row: number, target: number, height: number, ...taps: Taps): void;
}

/** Bytes of the weights of a position, and where the tables lie. */
type Taps = [stride: number, starts: number, counts: number, weights: number];

/** Resizes RGB images, and mirrors them on the way; each call takes the memory of the one before. */
export function createResizer(): (image: Pixels, height: number, width: number, mirrored?: boolean) => Pixels {
  const { memory, narrow, lower } = new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports as Loops;

  return (image, height, width, mirrored = false) => {
    if (image.channels !== 3) throw new Error(`Expected RGB, found ${image.channels} channels.`);
    const isLowerFirst = comesHeightFirst(image, height, width);
    const straight = kernel(image.width, width);
    const across = mirrored ? reversed(straight) : straight;
    const down = kernel(image.height, height);
    const sourceRow = image.width * 3;
    const targetRow = 16 * Math.ceil((width * 3 + 4) / 16); // a store may reach over the end of a row
    const row = isLowerFirst ? sourceRow : targetRow;
    const rows = isLowerFirst ? height : image.height;

    let end = 0;
    const reserve = (bytes: number) => {
      const start = end;
      end += 16 * Math.ceil(bytes / 16) + 16;
      return start;
    };
    // Rows are narrowed in pairs: the last may have a partner that nobody looks at.
    const source = reserve((image.height + 1) * sourceRow);
    const between = reserve((rows + 1) * row);
    const target = reserve((height + 1) * targetRow);
    const tables = ({ starts, counts, weights }: Kernel) =>
      [starts, counts, weights].map((table) => reserve(table.byteLength)) as [number, number, number];
    const [acrossTables, downTables] = [tables(across), tables(down)];
    grow(memory, end);

    const bytes = new Uint8Array(memory.buffer);
    bytes.set(image.values, source);
    const put = ({ starts, counts, weights, stride }: Kernel, places: [number, number, number], unit: number): Taps => {
      const words = new Int32Array(memory.buffer);
      const tables = [starts.map((start) => start * unit), counts, weights];
      for (const [i, table] of tables.entries()) words.set(table, (places[i] as number) / 4);
      return [4 * stride, ...places];
    };
    const acrossTaps = put(across, acrossTables, 3);
    const downTaps = put(down, downTables, row);
    if (isLowerFirst) {
      lower(source, row, between, height, ...downTaps);
      narrow(between, rows, row, target, width, targetRow, ...acrossTaps);
    } else {
      narrow(source, rows, sourceRow, between, width, row, ...acrossTaps);
      lower(between, row, target, height, ...downTaps);
    }
    const values = new Uint8Array(height * width * 3);
    for (let y = 0; y < height; y++) {
      const start = target + y * targetRow;
      values.set(bytes.subarray(start, start + width * 3), y * width * 3);
    }
    return { values, height, width, channels: 3 };
  };
}

/** What makes the last position, for the first one, and so on. */
function reversed({ starts, counts, weights, stride }: Kernel): Kernel {
  const last = starts.length - 1;
  const turned = weights.map((_, at) => weights[(last - Math.floor(at / stride)) * stride + (at % stride)] as number);
  return { starts: starts.toReversed(), counts: counts.toReversed(), weights: turned, stride };
}

function grow(memory: WebAssembly.Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / 65536);
  if (missing > 0) memory.grow(missing);
}

type Code = readonly (number | Code)[];

const [i32, v128, none] = [0x7f, 0x7b, 0x40];
/** Instructions by the names of the specification; operands come before them. */
const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const constant = (value: number): Code => [0x41, ...signed(value)];
const add: Code = [0x6a];
const multiply: Code = [0x6c];
const load: Code = [0x28, 2, 0];
const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const load128: Code = [simd(0), 0, 0];
const load32Splat: Code = [simd(9), 2, 0];
const store128: Code = [simd(11), 0, 0];
const splat: Code = simd(17);
const load32Zero: Code = [simd(92), 0, 0];
const store32: Code = [simd(90), 0, 0, 0];
const narrow16: Code = simd(102);
const narrow32: Code = simd(133);
const widen8 = { low: simd(137), high: simd(138) };
const widen16 = { low: simd(169), high: simd(170) };
const shiftRight: Code = simd(172);
const add4: Code = simd(174);
const multiply4: Code = simd(181);

/** `local` grows by what the code leaves. */
const increase = (local: number, by: Code): Code => [get(local), by, add, set(local)];
/** Repeats `body`, at least once, while the local is less than the other. */
const whileLess = (body: Code, local: number, limit: number): Code => [
  0x03,
  none,
  body,
  get(local),
  get(limit),
  0x48,
  0x0d,
  0,
  0x0b,
];
/** Repeats `body`, at least once, while the local, reduced by one each time, is not 0. */
const times = (local: number, body: Code): Code => [
  0x03,
  none,
  body,
  get(local),
  constant(-1),
  add,
  0x22,
  local,
  0x0d,
  0,
  0x0b,
];

const half: Code = [constant(1 << (precision - 1)), splat];
const add4To = (sum: number, value: Code): Code => [get(sum), value, add4, set(sum)];

/** Fewer columns or more of them, two rows at a time: a pixel is three of four lanes. */
function narrowCode(): Code {
  const { source, rows, sourceRow, target, width, targetRow, stride, starts, counts, weights } = locals(
    0,
    'source rows sourceRow target width targetRow stride starts counts weights',
  );
  const { y, x, at, below, weight, taps, pixel, table } = locals(10, 'y x at below weight taps pixel table');
  const { sum, sumBelow, factor } = locals(18, 'sum sumBelow factor');
  const channels = (address: number): Code => [get(address), load32Zero, widen8.low, widen16.low];
  const tap: Code = [
    [get(weight), load32Splat, set(factor)],
    add4To(sum, [channels(at), get(factor), multiply4]),
    add4To(sumBelow, [channels(below), get(factor), multiply4]),
    [increase(at, constant(3)), increase(below, constant(3)), increase(weight, constant(4))],
  ];
  const bytes = (value: number): Code => [
    get(value),
    constant(precision),
    shiftRight,
    get(value),
    narrow32,
    get(value),
    narrow16,
  ];
  const column: Code = [
    [get(x), constant(4), multiply, get(starts), add, load, get(source), add, set(at)],
    [get(at), get(sourceRow), add, set(below)],
    [get(x), constant(4), multiply, get(counts), add, load, set(taps)],
    [get(table), set(weight), increase(table, get(stride))],
    [half, set(sum), half, set(sumBelow)],
    times(taps, tap),
    [get(pixel), bytes(sum), store32],
    [get(pixel), get(targetRow), add, bytes(sumBelow), store32],
    [increase(pixel, constant(3)), increase(x, constant(1))],
  ];
  const pair: Code = [
    [constant(0), set(x), get(target), set(pixel), get(weights), set(table)],
    whileLess(column, x, width),
    [increase(source, [get(sourceRow), get(sourceRow), add]), increase(target, [get(targetRow), get(targetRow), add])],
    increase(y, constant(2)),
  ];
  return [declare([8, i32], [3, v128]), whileLess(pair, y, rows), 0x0b];
}

/** Fewer rows or more of them, 16 bytes at a time. */
function lowerCode(): Code {
  const { source, row, target, height, stride, starts, counts, weights } = locals(
    0,
    'source row target height stride starts counts weights',
  );
  const { y, x, at, weight, taps, first } = locals(8, 'y x at weight taps first');
  const { a, b, c, d, factor, bytes } = locals(14, 'a b c d factor bytes');
  const four = (sum: number, half8: Code, half16: Code): Code =>
    add4To(sum, [get(bytes), half8, half16, get(factor), multiply4]);
  const tap: Code = [
    [get(weight), load32Splat, set(factor), get(at), load128, set(bytes)],
    four(a, widen8.low, widen16.low),
    four(b, widen8.low, widen16.high),
    four(c, widen8.high, widen16.low),
    four(d, widen8.high, widen16.high),
    [increase(at, get(row)), increase(weight, constant(4))],
  ];
  const shifted = (sum: number): Code => [get(sum), constant(precision), shiftRight];
  const part: Code = [
    [get(first), get(x), add, set(at), get(weights), set(weight)],
    [get(y), constant(4), multiply, get(counts), add, load, set(taps)],
    [a, b, c, d].map((sum) => [half, set(sum)]),
    times(taps, tap),
    [get(target), get(x), add, shifted(a), shifted(b), narrow32, shifted(c), shifted(d), narrow32, narrow16, store128],
    increase(x, constant(16)),
  ];
  const line: Code = [
    [constant(0), set(x), get(y), constant(4), multiply, get(starts), add, load, get(source), add, set(first)],
    whileLess(part, x, row),
    [increase(weights, get(stride)), increase(target, get(row)), increase(y, constant(1))],
  ];
  return [declare([6, i32], [6, v128]), whileLess(line, y, height), 0x0b];
}

/** The module: two functions of so many numbers, and a memory, exported. */
function assemble(): Uint8Array<ArrayBuffer> {
  const signature = (count: number): Code => [0x60, count, Array.from({ length: count }, () => i32), 0];
  const body = (code: Code): Code => vector(flat(code));
  const section = (id: number, ...parts: Code[]): Code => [id, vector(flat([parts.length, ...parts]))];
  const name = (text: string): Code => vector(Array.from(text, (letter) => letter.charCodeAt(0)));
  return Uint8Array.from(
    flat([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, signature(10), signature(8)),
      section(3, [0], [1]),
      section(5, [0, 1]),
      section(7, [name('memory'), 2, 0], [name('narrow'), 0, 0], [name('lower'), 0, 1]),
      section(10, body(narrowCode()), body(lowerCode())),
    ]),
  );
}

const declare = (...groups: [count: number, type: number][]): Code => [groups.length, ...groups];
const vector = (bytes: readonly number[]): Code => [...unsigned(bytes.length), ...bytes];
const flat = (code: Code): number[] => code.flatMap((part) => (typeof part === 'number' ? [part] : flat(part)));

type Words<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Text;

/** The numbers of locals by their names, from `first` on. */
function locals<Text extends string>(first: number, names: Text): Record<Words<Text>, number> {
  return Object.fromEntries(names.split(' ').map((name, i) => [name, first + i])) as Record<Words<Text>, number>;
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  const isLast = value >= -64 && value < 64;
  return isLast ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
