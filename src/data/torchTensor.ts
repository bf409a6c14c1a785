/** The values of a tensor of a PyTorch checkpoint, from the part of its storage that it views. */
import { UserError } from '../core/errors.ts';
import { floatsOfBfloat16, floatsOfHalves } from '../core/halfFloats.ts';
import type { TensorReference } from './torchPickle.ts';

/** Bytes of an element; nothing for a type that is not known. */
export const sizeOfType = (dtype: string): number | undefined => types.get(dtype)?.size;

/** Which bytes of its storage a tensor needs. */
export interface Extent {
  readonly begin: number;
  readonly end: number;
}

/** Throws a `UserError` where the storage does not have what the tensor wants; `storageSize` is in bytes. */
export function extentOf(tensor: TensorReference, whose: string, storageSize: number): Extent {
  const { dtype, shape, strides, storage, offset } = tensor;
  const size = sizeOfType(dtype) ?? 1;
  const unit = storage.dtype === undefined ? 1 : (sizeOfType(storage.dtype) ?? size);
  const first = storage.begin * unit + offset * size;
  const count = countOf(shape);
  const last = shape.reduce((sum, length, i) => sum + (length - 1) * (strides[i] ?? 0), 0);
  const end = count === 0 ? first : first + (last + 1) * size;
  const available = Math.min((storage.begin + storage.length) * unit, storageSize);
  if (end > available) {
    throw wrong(whose, `wants its storage up to byte ${end}, but that has ${available} bytes`);
  }
  // A stride of 0 repeats a value: a few bytes could ask for any memory.
  if (count > maxRepeated && count * size > end - first) {
    throw wrong(whose, `has ${count} values made of ${(end - first) / size}`);
  }
  return { begin: first, end };
}

/** Row by row, as 32-bit floats, out of the bytes of its extent. */
export function valuesOf({ dtype, shape, strides }: TensorReference, whose: string, bytes: ArrayBuffer): Float32Array {
  const type = types.get(dtype);
  if (!type?.read) {
    const hint = 'In PyTorch, convert it with .float(), and save the state dict again.';
    throw new UserError(`${whose} has values of type ${dtype}, which are not read.`, { hint });
  }
  const values = type.read(bytes);
  const count = countOf(shape);
  if (isContiguous(shape, strides)) return values instanceof Float32Array ? values : new Float32Array(values);
  const contiguous = new Float32Array(count);
  const index = shape.map(() => 0);
  for (let i = 0, at = 0; i < count; i++) {
    contiguous[i] = values[at] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      const stride = strides[axis] as number;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        at += stride;
        break;
      }
      index[axis] = 0;
      at -= (next - 1) * stride;
    }
  }
  return contiguous;
}

const maxRepeated = 2 ** 24;

interface Type {
  readonly size: number;
  /** Absent where such values are not read. */
  readonly read?: (bytes: ArrayBuffer) => ArrayLike<number>;
}

const types: ReadonlyMap<string, Type> = new Map<string, Type>([
  ['float32', { size: 4, read: (bytes) => new Float32Array(bytes) }],
  ['float64', { size: 8, read: (bytes) => new Float64Array(bytes) }],
  ['float16', { size: 2, read: (bytes) => floatsOfHalves(new Uint16Array(bytes)) }],
  ['bfloat16', { size: 2, read: (bytes) => floatsOfBfloat16(new Uint16Array(bytes)) }],
  ['int64', { size: 8, read: (bytes) => mapped(new BigInt64Array(bytes), Number) }],
  ['uint64', { size: 8, read: (bytes) => mapped(new BigUint64Array(bytes), Number) }],
  ['int32', { size: 4, read: (bytes) => new Int32Array(bytes) }],
  ['uint32', { size: 4, read: (bytes) => new Uint32Array(bytes) }],
  ['int16', { size: 2, read: (bytes) => new Int16Array(bytes) }],
  ['uint16', { size: 2, read: (bytes) => new Uint16Array(bytes) }],
  ['int8', { size: 1, read: (bytes) => new Int8Array(bytes) }],
  ['uint8', { size: 1, read: (bytes) => new Uint8Array(bytes) }],
  ['complex64', { size: 8 }],
  ['complex128', { size: 16 }],
  ['bool', { size: 1, read: (bytes) => mapped(new Uint8Array(bytes), (value) => (value === 0 ? 0 : 1)) }],
]);

function mapped<T>(
  values: { readonly length: number; readonly [at: number]: T },
  toFloat: (value: T) => number,
): Float32Array {
  const floats = new Float32Array(values.length);
  for (let i = 0; i < floats.length; i++) floats[i] = toFloat(values[i] as T);
  return floats;
}

const countOf = (shape: readonly number[]) =>
  shape.includes(0) ? 0 : shape.reduce((product, length) => product * length, 1);

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] as number;
    if (length !== 1 && strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}

function wrong(whose: string, what: string): UserError {
  return new UserError(`${whose} ${what}.`, { hint: 'Get this file again, and check that it was copied as a whole.' });
}
