/** Compares numbers with expected ones and remembers the largest error, in units of what is allowed. */

export interface Worst {
  /** Largest |got − expected| / allowed. */
  readonly ratio: number;
  /** Where: the name of the expected tensor or figure. */
  readonly tensor: string;
}

export class Comparison {
  worst: Worst = { ratio: 0, tensor: 'nothing' };

  /** One number; `allowed` is the largest absolute difference that passes. NaN never passes. */
  number(tensor: string, got: number, expected: number, allowed: number): void {
    const ratio = Math.abs(got - expected) / allowed;
    if (!(ratio <= this.worst.ratio))
      this.worst = { ratio: Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio, tensor };
  }

  /** Element by element, with one allowance. A wrong length never passes. */
  array(tensor: string, got: ArrayLike<number>, expected: ArrayLike<number>, allowed: number): void {
    if (got.length !== expected.length) {
      this.worst = {
        ratio: Number.POSITIVE_INFINITY,
        tensor: `${tensor} (${got.length} values for ${expected.length})`,
      };
      return;
    }
    for (let i = 0; i < expected.length; i++) this.number(tensor, got[i] as number, expected[i] as number, allowed);
  }

  get passes(): boolean {
    return this.worst.ratio <= 1;
  }
}

/** Three numbers that stand for a tensor: |t|, Σt/√n, Σ tᵢ·sin(i + 1)/√(Σ sin²(i + 1)); in double precision. */
export function fingerprint(t: ArrayLike<number>): [number, number, number] {
  let [squares, sum, product, sines] = [0, 0, 0, 0];
  for (let i = 0; i < t.length; i++) {
    const value = t[i] as number;
    const sine = Math.sin(i + 1);
    squares += value * value;
    sum += value;
    product += value * sine;
    sines += sine * sine;
  }
  return [Math.sqrt(squares), sum / Math.sqrt(t.length), product / Math.sqrt(sines)];
}

export const maxAbs = (values: ArrayLike<number>) =>
  Array.from(values).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
