/** The criteria for one sample on the host, in double precision: for what a run records of its samples. */

/** Of one sample: logits and targets are of its classes. */
export interface HostCriterion {
  readonly loss: (logits: Numbers, target: Numbers) => number;
  /** Each class's probability, and what another branch learns. */
  readonly activation: (logits: Numbers) => Float64Array;
  /** What the logits decide for, 0 or 1. */
  readonly decision: (logits: Numbers) => Float64Array;
}

type Numbers = Float32Array | Float64Array;

/** By the names of `criteria`, whose tensors hold a whole batch. */
export const hostCriteria = {
  ce: {
    loss: (logits, target) => {
      const all = logSumExp(logits);
      let loss = 0;
      for (let c = 0; c < logits.length; c++) loss += (target[c] as number) * (all - (logits[c] as number));
      return loss;
    },
    activation: (logits) => {
      const all = logSumExp(logits);
      return mapped(logits, (logit) => Math.exp(logit - all));
    },
    decision: (logits) => {
      const values = new Float64Array(logits.length);
      values[rankedFirst(logits)] = 1;
      return values;
    },
  },
  bce: {
    loss: (logits, target) => {
      let sum = 0;
      for (let c = 0; c < logits.length; c++) {
        const x = logits[c] as number;
        sum += Math.max(x, 0) - x * (target[c] as number) + Math.log1p(Math.exp(-Math.abs(x)));
      }
      return sum / logits.length;
    },
    activation: (logits) => mapped(logits, (logit) => 1 / (1 + Math.exp(-logit))),
    decision: (logits) => mapped(logits, (logit) => (logit > 0 ? 1 : 0)),
  },
} as const satisfies Record<string, HostCriterion>;

/** The class with the largest value; of several the first. */
export function rankedFirst(values: Numbers): number {
  let first = 0;
  for (let c = 1; c < values.length; c++) if ((values[c] as number) > (values[first] as number)) first = c;
  return first;
}

function logSumExp(logits: Numbers): number {
  let [largest, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (let c = 0; c < logits.length; c++) largest = Math.max(largest, logits[c] as number);
  for (let c = 0; c < logits.length; c++) sum += Math.exp((logits[c] as number) - largest);
  return largest + Math.log(sum);
}

function mapped(values: Numbers, f: (value: number) => number): Float64Array {
  const result = new Float64Array(values.length);
  for (let c = 0; c < values.length; c++) result[c] = f(values[c] as number);
  return result;
}
