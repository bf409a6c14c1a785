/** Checkpoints: what goes in comes out, other readers find what the format says, and damage is named with its place. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type Tensor, type TensorFile } from '../../src/store/safetensors.ts';

const tensor = fc
  .tuple(
    fc.constantFrom('I64' as const, 'F32' as const, 'I32' as const, 'U8' as const),
    fc.array(fc.nat(4), { maxLength: 4 }),
  )
  .chain(([dtype, shape]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const exact = { minLength: count, maxLength: count };
    const data =
      dtype === 'F32' ? fc.float32Array(exact) : dtype === 'U8' ? fc.uint8Array(exact) : fc.int32Array(exact);
    return data.map((values): Tensor => ({ dtype, shape, data: values }));
  });
const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__');
const files = fc.array(fc.tuple(name, tensor), { maxLength: 6 }).map((entries): TensorFile => new Map(entries));

const example: TensorFile = new Map([
  ['flag', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) }],
  ['weight', { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1, -2) }],
]);

describe('round trip', () => {
  test('any tensors and metadata, wherever the bytes lie in memory', () => {
    const metadata = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(files, metadata, fc.nat(7), (tensors, texts, shift) => {
        const bytes = encodeSafetensors(tensors, texts);
        const shifted = new Uint8Array(bytes.length + shift).subarray(shift);
        shifted.set(bytes);
        const decoded = decodeSafetensors(shifted, 'f');
        expect(decodeSafetensors(Buffer.from(bytes), 'f')).toEqual(decoded);
        expect(new Map([...decoded.tensors].sort())).toEqual(new Map([...tensors].sort()));
        expect(Object.entries(decoded.metadata).sort()).toEqual(Object.entries(texts).sort());
      }),
    );
  });

  test('a view into a larger array is written, and nothing around it', () => {
    const whole = Float32Array.of(9, 1, 2, 9);
    const bytes = encodeSafetensors(new Map([['a', { dtype: 'F32', shape: [2], data: whole.subarray(1, 3) }]]));
    expect(decodeSafetensors(bytes, 'f').tensors.get('a')?.data).toEqual(Float32Array.of(1, 2));
  });
});

test('the bytes are those of the format', () => {
  const bytes = encodeSafetensors(example, { step: '7' });
  const header =
    '{"__metadata__":{"step":"7"},"weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"flag":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  const expected = Buffer.concat([
    Buffer.from([padded.length, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from(padded),
    Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 1, 2, 3]),
  ]);
  expect(Buffer.from(bytes).equals(expected)).toBe(true);
});

test('a counter of PyTorch has 64 bits on disk, and is refused where it needs them', () => {
  const bytes = encodeSafetensors(new Map([['n', { dtype: 'I64', shape: [], data: Int32Array.of(-7) }]]));
  expect(new DataView(bytes.buffer).getBigInt64(bytes.length - 8, true)).toBe(-7n);
  new DataView(bytes.buffer).setBigInt64(bytes.length - 8, 1n << 31n, true);
  expect(() => decodeSafetensors(bytes, 'f')).toThrow('"n" (I64) holds numbers of more than 32 bits');
});

/** A file with this header text and so many zero bytes of data. */
function fileOf(header: string, size: number): Uint8Array {
  const text = Buffer.from(header);
  const bytes = Buffer.alloc(8 + text.length + size);
  bytes.writeBigUInt64LE(BigInt(text.length));
  bytes.set(text, 8);
  return bytes;
}

describe('damage', () => {
  test('a file cut off anywhere is refused, with the file and an offset', () => {
    const bytes = encodeSafetensors(example, { step: '7' });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length), 'x/a.safetensors')).toThrow(
        /^x\/a\.safetensors: damaged at byte \d+: /,
      );
    }
  });

  const one = (entry: string) => `{"a":${entry}}`;
  test.each([
    ['bytes behind', fileOf(one('{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'), 3), 'bytes follow'],
    ['a hole', fileOf(one('{"dtype":"U8","shape":[1],"data_offsets":[1,2]}'), 2), '"a" begins at'],
    ['a wrong length', fileOf(one('{"dtype":"F32","shape":[2],"data_offsets":[0,4]}'), 4), 'shape [2] has 4 bytes'],
    ['no JSON', fileOf('{', 0), 'no JSON object'],
    ['an array', fileOf('[]', 0), 'no JSON object'],
    ['a negative size', fileOf(one('{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}'), 1), 'has no dtype'],
    ['offsets reversed', fileOf(one('{"dtype":"U8","shape":[1],"data_offsets":[1,0]}'), 1), 'has no dtype'],
    ['metadata that are no texts', fileOf('{"__metadata__":{"step":7}}', 0), 'other than texts'],
    ['an unknown type', fileOf(one('{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}'), 2), 'has the type BF16'],
    ['a huge header', Buffer.alloc(16, 0xff), 'header shall have'],
  ])('%s', (_what, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'f')).toThrow(message);
  });

  test('tensors that share bytes', () => {
    const entry = '{"dtype":"U8","shape":[2],"data_offsets":';
    const bytes = fileOf(`{"a":${entry}[0,2]},"b":${entry}[1,3]}}`, 3);
    expect(() => decodeSafetensors(bytes, 'f')).toThrow('"b" begins at');
  });
});

test('a tensor that contradicts itself is a bug of the writer', () => {
  const wrong = (t: Tensor) => () => encodeSafetensors(new Map([['a', t]]));
  expect(wrong({ dtype: 'F32', shape: [3], data: new Float32Array(2) })).toThrow('2 values for shape [3]');
  expect(wrong({ dtype: 'I32', shape: [2], data: new Float32Array(2) })).toThrow('no I32');
});
