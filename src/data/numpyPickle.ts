/** NumPy's arrays and scalars as they stand in pickles, without NumPy. https://numpy.org/neps/nep-0001-npy-format.html */
import { latin1Bytes } from './pickleLiterals.ts';
import { Malformed, type PickleGlobal, PickleName } from './pickleMachine.ts';

/** The type of the elements: `u1`, `f8`, …; `order` is `<`, `>` or `|`. */
export class NumpyType {
  readonly code: string;
  order = '|';

  constructor(code: string) {
    this.code = code;
  }
}

/** An array; `bytes` is what it says, whether or not that fits its shape. */
export class NumpyArray {
  shape: readonly number[] = [];
  type = new NumpyType('');
  /** Whether the first axis varies fastest. */
  fortran = false;
  /** Text of Python 2 has a character per byte. */
  raw: Uint8Array | string = '';

  get bytes(): Uint8Array {
    return typeof this.raw === 'string' ? latin1Bytes(this.raw) : this.raw;
  }
}

const emptyArray = (): NumpyArray => new NumpyArray();

/** `module.name` to what stands for it; NumPy 2 renamed `numpy.core`, Python 3 wrote bytes as text for the older protocols. */
export const numpyGlobals: readonly (readonly [name: string, global: PickleGlobal])[] = [
  ['numpy.ndarray', {}],
  ['numpy.dtype', { call: ([code]) => new NumpyType(textOf(code)), build: buildType }],
  ['_codecs.encode', { call: encode }],
  ...['numpy.core', 'numpy._core'].flatMap((core): [string, PickleGlobal][] => [
    [`${core}.multiarray._reconstruct`, { call: emptyArray, build: buildArray }],
    [`${core}.multiarray.scalar`, { call: ([type, bytes]) => scalar(type, bytes) }],
    [`${core}.numeric._frombuffer`, { call: fromBuffer }],
  ]),
];

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof PickleName) return value.name;
  if (value instanceof Uint8Array) return String.fromCharCode(...value.subarray(0, 16));
  throw new Malformed('a NumPy type has no name');
}

function buildType(made: object, state: unknown): void {
  if (!(made instanceof NumpyType) || !Array.isArray(state)) throw new Malformed('a NumPy type has no state');
  made.order = textOf(state[1]);
}

/** State: version (newer ones), shape, type, whether Fortran's order, bytes. */
function buildArray(made: object, state: unknown): void {
  if (!(made instanceof NumpyArray) || !Array.isArray(state)) throw new Malformed('a NumPy array has no state');
  const [shape, type, fortran, raw]: readonly unknown[] = state.length === 5 ? state.slice(1) : state;
  fill(made, shape, type, fortran === true || fortran === 1, raw);
}

function fromBuffer([raw, type, shape, order]: readonly unknown[]): NumpyArray {
  return fill(new NumpyArray(), shape, type, textOf(order) === 'F', raw);
}

function fill(array: NumpyArray, shape: unknown, type: unknown, fortran: boolean, raw: unknown): NumpyArray {
  const isText = typeof raw === 'string' || raw instanceof Uint8Array;
  // An array of objects has a list here.
  if (!isText && !Array.isArray(raw)) throw new Malformed('a NumPy array has no bytes');
  if (!(type instanceof NumpyType)) throw new Malformed('a NumPy array has no type');
  return Object.assign(array, { shape: shapeOf(shape, 'a NumPy array'), type, fortran, raw: isText ? raw : '' });
}

/** A copy: a tuple in a pickle may change later. */
export function shapeOf(value: unknown, whose: string): number[] {
  const isShape = Array.isArray(value) && value.length <= maxRank;
  if (!isShape || !value.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new Malformed(`${whose} has no shape`);
  }
  return [...value];
}

/** As in NumPy and PyTorch. */
const maxRank = 64;

/** A number, or null where it is none. */
function scalar(type: unknown, raw: unknown): unknown {
  if (!(type instanceof NumpyType)) throw new Malformed('a NumPy scalar has no type');
  const bytes = typeof raw === 'string' ? latin1Bytes(raw) : raw;
  const size = Number(type.code.slice(1));
  if (!(bytes instanceof Uint8Array) || bytes.length < size) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return scalars[type.code]?.(view, type.order !== '>') ?? null;
}

const scalars: Readonly<Record<string, (view: DataView, littleEndian: boolean) => number | bigint | boolean>> = {
  b1: (view) => view.getUint8(0) !== 0,
  i1: (view) => view.getInt8(0),
  u1: (view) => view.getUint8(0),
  i2: (view, little) => view.getInt16(0, little),
  u2: (view, little) => view.getUint16(0, little),
  i4: (view, little) => view.getInt32(0, little),
  u4: (view, little) => view.getUint32(0, little),
  i8: (view, little) => view.getBigInt64(0, little),
  u8: (view, little) => view.getBigUint64(0, little),
  f4: (view, little) => view.getFloat32(0, little),
  f8: (view, little) => view.getFloat64(0, little),
};

function encode([text, encoding]: readonly unknown[]): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1') throw new Malformed('bytes are written in an unknown way');
  return latin1Bytes(text);
}
