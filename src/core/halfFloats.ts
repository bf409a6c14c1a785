/** 16-bit floats as files hold them, as 32-bit ones: IEEE 754's half precision, and bfloat16. */

/** Each value of half precision: 1 bit of sign, 5 of exponent, 10 of fraction. */
export function floatsOfHalves(stored: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfOf(bits));
  const values = new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i++) values[i] = table[stored[i] as number] as number;
  return values;
}

/** Each value of bfloat16, which is the upper half of a 32-bit float. */
export function floatsOfBfloat16(stored: Uint16Array): Float32Array {
  const bits = new Uint32Array(stored.length);
  for (let i = 0; i < stored.length; i++) bits[i] = (stored[i] as number) << 16;
  return new Float32Array(bits.buffer);
}

/** All of half precision. */
let table: Float32Array | undefined;

function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}
