/** Learning-rate schedules and rates over depth: pure functions of step or epoch. */

export interface WarmupCosine {
  readonly learningRate: number;
  readonly minLearningRate: number;
  readonly warmupEpochs: number;
  readonly warmupLearningRate: number;
  readonly epochs: number;
}

/**
 * Linear warm-up, then half a cosine over the epochs that remain; `epoch` may be a fraction, so it serves step by step.
 * He et al. 2022 (MAE), fine-tuning: https://arxiv.org/abs/2111.06377, appendix A.
 */
export function warmupCosine(epoch: number, s: WarmupCosine): number {
  if (epoch < s.warmupEpochs) {
    return s.warmupLearningRate + ((s.learningRate - s.warmupLearningRate) * epoch) / s.warmupEpochs;
  }
  const progress = Math.min(1, (epoch - s.warmupEpochs) / Math.max(s.epochs - s.warmupEpochs, Number.EPSILON));
  return s.minLearningRate + (s.learningRate - s.minLearningRate) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

/** Linear warm-up to the peak, which then stays. */
export function warmupConstant(epoch: number, s: WarmupCosine): number {
  return epoch < s.warmupEpochs ? warmupCosine(epoch, s) : s.learningRate;
}

/** Linear warm-up over the beginning of a cosine that spans all epochs, as timm has it by default. */
function coveredCosine(epoch: number, s: WarmupCosine): number {
  return timmCosine(epoch, { ...s, warmup: s.warmupEpochs, length: s.epochs, warmupPrefix: false });
}

export type LearningRate = WarmupCosine & {
  readonly schedule: 'cosine' | 'constant';
  readonly schedulePer: 'step' | 'epoch';
  /** Each epoch has the rate of the one before it. */
  readonly scheduleLag: boolean;
  /** False: the cosine runs from the first epoch on, and the warm-up covers its beginning. */
  readonly warmupPrefix: boolean;
};

/** The learning rate of step `step`, counted from 1. */
export function learningRateAt(step: number, stepsPerEpoch: number, s: LearningRate): number {
  const at = s.schedule === 'constant' ? warmupConstant : s.warmupPrefix ? warmupCosine : coveredCosine;
  if (s.schedulePer === 'step') return at((step - 1) / stepsPerEpoch, s);
  const epoch = Math.floor((step - 1) / stepsPerEpoch);
  return at(Math.max(0, s.scheduleLag ? epoch - 1 : epoch), s);
}

export interface TimmCosine {
  readonly learningRate: number;
  readonly minLearningRate: number;
  readonly warmup: number;
  readonly warmupLearningRate: number;
  /** Length of the cosine, in the unit of `t`. */
  readonly length: number;
  /** True: the cosine starts after the warm-up. False: it runs from 0 and the warm-up covers its beginning. */
  readonly warmupPrefix: boolean;
}

/** timm's CosineLRScheduler for one cycle, at `t` epochs or steps (Loshchilov & Hutter 2017, SGDR). */
export function timmCosine(t: number, s: TimmCosine): number {
  if (t < s.warmup) return s.warmupLearningRate + (t * (s.learningRate - s.warmupLearningRate)) / s.warmup;
  const time = s.warmupPrefix ? t - s.warmup : t;
  if (time >= s.length) return s.minLearningRate;
  return s.minLearningRate + 0.5 * (s.learningRate - s.minLearningRate) * (1 + Math.cos((Math.PI * time) / s.length));
}

/** Drop-path rate of each block: `constant` (DeiT-III), or growing linearly from 0 to `rate` (MAE, Swin). */
export function dropPathRates(rate: number, depth: number, shape: 'constant' | 'linear'): number[] {
  if (shape === 'constant') return Array.from({ length: depth }, () => rate);
  return Array.from({ length: depth }, (_, block) => (depth === 1 ? 0 : (rate * block) / (depth - 1)));
}

/**
 * Layer-wise learning-rate scale of a parameter with a timm or transformers name: decay^(depth + 1 − id), where id 0 is the embedding,
 * block i has id i + 1 and the rest depth + 1. Bao et al. 2022 (BEiT), https://arxiv.org/abs/2106.08254, appendix.
 */
export function layerDecayScale(parameter: string, depth: number, decay: number): number {
  return decay ** (depth + 1 - layerId(parameter, depth));
}

function layerId(parameter: string, depth: number): number {
  if (/^(cls_token|pos_embed|mask_token)$|^(patch_embed|norm_pre|bert\.embeddings)\./.test(parameter)) return 0;
  const block = /^(?:blocks|bert\.encoder\.layer)\.(\d+)\./.exec(parameter)?.[1];
  return block === undefined ? depth + 1 : Number(block) + 1;
}

/** A number that may change over training: constant; from one value to another; or steps, each an epoch and the value from there on. */
export type Schedule =
  | number
  | { readonly from: number; readonly to: number; readonly schedule: 'linear' | 'cosine' }
  | { readonly steps: readonly (readonly [number, number])[] };

/** The value at `epoch` (may be a fraction) of `epochs`. */
export function scheduledValue(schedule: Schedule, epoch: number, epochs: number): number {
  if (typeof schedule === 'number') return schedule;
  if ('steps' in schedule) {
    const [first = [0, 0]] = schedule.steps;
    return (schedule.steps.findLast(([start]) => start <= epoch) ?? first)[1];
  }
  const progress = Math.min(1, epoch / epochs);
  const share = schedule.schedule === 'linear' ? progress : 0.5 * (1 - Math.cos(Math.PI * progress));
  return schedule.from + (schedule.to - schedule.from) * share;
}
