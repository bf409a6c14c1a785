/**
 * Counter-based random streams: a draw depends on its key and counter only, so any sample of any step can be drawn alone.
 * Philox4x32-10, Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (https://doi.org/10.1145/2063384.2063405).
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** One block of Philox: four 32-bit words for a counter of four words and a key of two. */
export function philox(counter: readonly [number, number, number, number], key: readonly [number, number]) {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(M0, c0);
    const high1 = multiplyHigh(M1, c2);
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, Math.imul(M1, c2), high0 ^ c3 ^ k1, Math.imul(M0, c0)];
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  return Uint32Array.of(c0, c1, c2, c3);
}

/** Upper 32 bits of the unsigned product of two 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + (cross >>> 16)) | 0;
}

/**
 * A stream of draws for one (seed, purpose, epoch, sample); made in any order, on any machine, it gives the same numbers.
 * Purposes never share numbers, so a new one shifts nobody.
 */
export class RandomStream {
  readonly #key: readonly [number, number];
  readonly #epoch: number;
  readonly #sample: number;
  #block = 0;
  #words = new Uint32Array(0);
  #next = 0;

  constructor(seed: number, purpose: string, epoch = 0, sample = 0) {
    this.#key = [seed | 0, fnv1a(purpose)];
    this.#epoch = epoch | 0;
    this.#sample = sample | 0;
  }

  /** A 32-bit word. */
  word(): number {
    if (this.#next === this.#words.length) {
      this.#words = philox([this.#block++, this.#epoch, this.#sample, 0], this.#key);
      this.#next = 0;
    }
    return this.#words[this.#next++] as number;
  }

  /** Uniform in [0, 1), 32 bits. */
  uniform(): number {
    return this.word() / 0x1_0000_0000;
  }

  /** A whole number in [0, n), n ≤ 2³²; the bias of the multiplication is below n / 2³². */
  below(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Symmetric beta distribution, Beta(a, a): of two gamma draws the first's share. */
  beta(a: number): number {
    const [first, second] = [this.gamma(a), this.gamma(a)];
    return first + second > 0 ? first / (first + second) : this.below(2); // both may underflow for a tiny a
  }

  /** Gamma distribution with shape `a` and scale 1. Marsaglia & Tsang 2000 (https://doi.org/10.1145/358407.358414). */
  gamma(a: number): number {
    if (a < 1) return this.gamma(a + 1) * (1 - this.uniform()) ** (1 / a);
    const d = a - 1 / 3;
    for (;;) {
      const x = this.normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d * (1 - v + Math.log(v))) return d * v;
    }
  }

  /** Normal with mean 0, redrawn outside ±2 (not ±2 standard deviations), as PyTorch's `trunc_normal_`. */
  truncatedNormal(standardDeviation: number): number {
    for (;;) {
      const value = standardDeviation * this.normal();
      if (Math.abs(value) <= 2) return value;
    }
  }

  /**
   * Sets each element to 0 with probability `rate`, else to `kept`: dropout draws a number for every activation, so they come from a
   * faster generator that this stream starts (sfc32 of Doty-Humphrey's PractRand), 16 bits each.
   */
  fillDropout(out: Float32Array, rate: number, kept: number): void {
    const threshold = Math.round(rate * 0x1_0000);
    let a = this.word() | 0;
    let b = this.word() | 0;
    let c = this.word() | 0;
    let counter = 1;
    const length = out.length;
    // The first dozen words still show the seed. A word serves two elements.
    for (let i = -24; i < length; i += 2) {
      const bits = (((a + b) | 0) + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + bits) | 0;
      if (i < 0) continue;
      // A sign bit in place of a branch, which no processor could foresee.
      out[i] = kept * (1 - (((bits & 0xffff) - threshold) >>> 31));
      if (i + 1 < length) out[i + 1] = kept * (1 - ((((bits >> 16) & 0xffff) - threshold) >>> 31));
    }
  }

  /** A random order of 0 … n − 1 (Fisher and Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }
}

/** 32-bit FNV-1a of a short ASCII name. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
