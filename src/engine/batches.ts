/** Batches: which samples, augmented how, with which masks. Everything random is drawn here, on the host, from named streams. */
import type { Config } from '../core/config.ts';
import { isRange, keptTokens, typicalRatio } from '../core/maskRatio.ts';
import { RandomStream } from '../core/random.ts';
import { scheduledValue } from '../core/schedules.ts';
import { imageSideOf } from './imageSide.ts';
import { imageSource } from './imageSource.ts';
import { type DrawnMask, drawMask, unitsOf } from './masks.ts';
import type { Branch, Method } from './methods/method.ts';
import type { DropSite, Model } from './models/model.ts';
import type { Drawn, SampleSource } from './sampleSource.ts';
import type { HostBatch, HostDraws, HostModelInput } from './step/executor.ts';
import { textSource } from './textSource.ts';
import type { TrainingData } from './trainingData.ts';

/** Ratios that a range has when one is drawn for a batch: each is another form of the step, which is recorded once. */
const RATIOS_OF_RANGE = 8;

/** The mask ratio of each sample, and the least that one of them may have: all have that one, or `varies`. */
interface Ratios {
  readonly of: (key: number) => number;
  readonly least: number;
  readonly varies: boolean;
}

export class Batches {
  /** Batches in an epoch; an incomplete last one is dropped. */
  readonly perEpoch: number;
  readonly #config: Config;
  readonly #data: TrainingData;
  readonly #model: Model;
  readonly #method: Method;
  /** The training samples in use. */
  readonly #samples: Int32Array;
  readonly #source: SampleSource;

  constructor(config: Config, data: TrainingData, model: Model, method: Method) {
    this.#config = config;
    this.#data = data;
    this.#model = model;
    this.#method = method;
    const count = Math.min(config.data.trainOn ?? data.train.count, data.train.count);
    // Drawn with a seed of its own: data sets often lie class by class, and seeds shall differ in everything but the data.
    const drawn = new RandomStream(0, 'subset').permutation(data.train.count).subarray(0, count);
    this.#samples = count < data.train.count ? drawn : Int32Array.from({ length: count }, (_, i) => i);
    this.perEpoch = Math.floor(count / config.train.batchSize);
    this.#source =
      data.kind === 'text'
        ? textSource(data)
        : imageSource(config, data, imageSideOf(config.model, data), unitsOf(model.masking));
  }

  /**
   * What an epoch, counted from 0, sees, in its order: a sample's first time under the sample's own number, another time (repeated
   * augmentation, Hoffer et al. 2020, https://arxiv.org/abs/1901.09335) under a number that is `train.count` larger. An epoch keeps its
   * length, as in DeiT: with three repetitions it sees a third of the samples.
   */
  order(epoch: number): Int32Array {
    const { train, augment } = this.#config;
    const order = new RandomStream(train.seed, 'shuffle', epoch).permutation(this.#samples.length);
    const { count } = this.#data.train;
    return order.map((_, at) => {
      const sample = this.#samples[order[Math.floor(at / augment.repeated)] as number] as number;
      return sample + (at % augment.repeated) * count;
    });
  }

  /** Batch `index` of `epoch`; the same for every method, but for the draws of its branches. */
  async batch(epoch: number, index: number, order: Int32Array): Promise<HostBatch> {
    const { batchSize } = this.#config.train;
    const keys = order.subarray(index * batchSize, (index + 1) * batchSize);
    const drawn = { epoch, index, keys, samples: keys.map((key) => key % this.#data.train.count) };
    const { input, target } = await this.#source.training(drawn, this.#targets(drawn.samples));
    return {
      samples: drawn.samples,
      input,
      target: this.#threshold(target),
      draws: Object.fromEntries(this.#method.terms.map(({ branch }) => [branch, this.#draws(branch, drawn)])),
    };
  }

  /** Numbers that one sample comes to. */
  get sampleSize(): number {
    return this.#source.size;
  }

  /** Validation samples `from` to `to` as they are. */
  validation(from: number, to: number): Promise<HostModelInput> {
    return this.#source.validation(range(from, to));
  }

  /** The mask of validation samples: the same at every epoch and for every method. */
  validationMask(from: number, to: number): HostDraws {
    const ratio = typicalRatio(this.#config);
    const samples = range(from, to);
    return this.#mask(
      'validation',
      { epoch: 0, samples, keys: samples },
      { of: () => ratio, least: ratio, varies: false },
    );
  }

  /** One-hot labels, smoothed: on = 1 − s + s/C, off = s/C. Szegedy et al. 2016, section 7. */
  #targets(samples: Int32Array): Float32Array {
    const { classes, train } = this.#data;
    const { smoothing } = this.#config.train;
    const targets = new Float32Array(samples.length * classes).fill(smoothing / classes);
    samples.forEach((sample, i) => {
      targets[i * classes + (train.labels[sample] as number)] = 1 - smoothing + smoothing / classes;
    });
    return targets;
  }

  #threshold(target: Float32Array): Float32Array {
    const { targetThreshold } = this.#config.train;
    return targetThreshold === undefined ? target : target.map((value) => (value > targetThreshold ? 1 : 0));
  }

  #draws(branch: Branch, drawn: Drawn): HostDraws {
    const { epoch, index } = drawn;
    const masked = this.#method.masked.includes(branch);
    const mask = masked ? this.#mask('train', drawn, this.#ratios(epoch, index)) : {};
    const seen = mask.keep?.kept ?? unitsOf(this.#model.masking);
    const drop = {
      ...this.#dropPath(branch, drawn),
      ...this.#dropout(branch, drawn, seen),
    };
    return {
      ...mask,
      ...(Object.keys(drop).length > 0 ? { drop } : {}),
    };
  }

  /** For each sample which units it sees. */
  #mask(set: 'train' | 'validation', of: Pick<Drawn, 'epoch' | 'samples' | 'keys'>, ratios: Ratios): HostDraws {
    const { epoch, samples, keys } = of;
    const { masking } = this.#model;
    const { train, method } = this.#config;
    const units = unitsOf(masking);
    const purpose = set === 'train' ? 'mask' : 'mask.validation';
    const drawn = Array.from(samples, (sample, i) => {
      const key = keys[i] as number;
      const places = this.#source.places(set, sample);
      const kept = Math.max(masking.fixed ?? 0, keptTokens(places, ratios.of(key), method.maskRounding));
      const stream = new RandomStream(train.seed, purpose, epoch, key);
      return drawMask(masking, method.maskShape, { kept, places }, stream);
    });
    switch (masking.kind) {
      case 'remove': {
        const { present, ...keep } = keptOf(
          drawn,
          Math.max(masking.fixed ?? 0, keptTokens(units, ratios.least)),
          units,
        );
        return { keep: ratios.varies ? { ...keep, present } : keep };
      }
      case 'hide':
        return { hidden: hiddenOf(drawn, units) };
      case 'replace':
        return { ids: this.#replaced(set, samples, hiddenOf(drawn, units)) };
    }
  }

  /** The ids of texts with [MASK] in the place of hidden tokens. */
  #replaced(set: 'train' | 'validation', samples: Int32Array, hidden: Float32Array): Int32Array {
    const data = this.#data;
    if (data.kind !== 'text') throw new Error('Only texts have tokens to replace.');
    const { length, maskToken } = data;
    return Int32Array.from(hidden, (isHidden, at) => {
      const sample = samples[Math.floor(at / length)] as number;
      return isHidden ? maskToken : (data[set].ids[sample * length + (at % length)] as number);
    });
  }

  /** The mask ratios of a batch. */
  #ratios(epoch: number, index: number): Ratios {
    const { method, train } = this.#config;
    const { maskRatio } = method;
    if (!isRange(maskRatio)) {
      const ratio = scheduledValue(maskRatio, epoch + index / this.perEpoch, train.epochs);
      return { of: () => ratio, least: ratio, varies: false };
    }
    const { min, max, per } = maskRatio;
    if (per === 'sample') {
      const of = (key: number) => min + (max - min) * new RandomStream(train.seed, 'maskRatio', epoch, key).uniform();
      return { of, least: min, varies: true };
    }
    const step = new RandomStream(train.seed, 'maskRatio.batch', epoch, index).below(RATIOS_OF_RANGE);
    const ratio = min + ((max - min) * step) / (RATIOS_OF_RANGE - 1);
    return { of: () => ratio, least: ratio, varies: false };
  }

  /** Stochastic depth: a factor for each sample at each residual branch. */
  #dropPath(branch: Branch, { epoch, keys }: Drawn): Record<string, Float32Array> {
    const sites = this.#sites(branch, 'path');
    const factors = sites.map(() => new Float32Array(keys.length));
    keys.forEach((key, i) => {
      const stream = new RandomStream(this.#config.train.seed, `dropPath.${branch}`, epoch, key);
      sites.forEach(({ rate }, s) => {
        (factors[s] as Float32Array)[i] = stream.uniform() < rate ? 0 : 1 / (1 - rate);
      });
    });
    return Object.fromEntries(sites.map(({ site }, s) => [site, factors[s] as Float32Array]));
  }

  /** Dropout: a factor for each element, in a branch that sees `seen` units. */
  #dropout(branch: Branch, { epoch, keys }: Drawn, seen: number): Record<string, Float32Array> {
    return Object.fromEntries(
      this.#sites(branch, 'dropout').map(({ site, rate, elements }) => {
        const each = (elements?.(seen) ?? []).reduce((product, size) => product * size, 1);
        const factors = new Float32Array(keys.length * each);
        const kept = 1 / (1 - rate);
        keys.forEach((key, i) => {
          const stream = new RandomStream(this.#config.train.seed, `dropout.${branch}.${site}`, epoch, key);
          stream.fillDropout(factors.subarray(i * each, (i + 1) * each), rate, kept);
        });
        return [site, factors];
      }),
    );
  }

  /** The sites of a kind where a branch drops, with its rates: the method's own, or the model's. */
  #sites(branch: Branch, kind: DropSite['kind']): DropSite[] {
    const own = this.#method.drops?.[branch];
    const sites = this.#model.dropSites.filter((site) => site.kind === kind);
    return sites
      .map((site) => (own?.kind === kind ? { ...site, rate: own.rate } : site))
      .filter(({ rate }) => rate > 0);
  }
}

/**
 * What stays in the sequences of a batch, which have one length: that of the sample that may keep the most. Others are filled up, with
 * padding as long as there is some: only then `present` has to say what is not there.
 */
function keptOf(drawn: readonly DrawnMask[], kept: number, units: number) {
  const indices = new Int32Array(drawn.length * kept);
  const present = new Float32Array(drawn.length * kept);
  drawn.forEach(({ visible, hidden }, i) => {
    const padding = range(visible.length + hidden.length, units);
    indices.set([...visible, ...padding, ...hidden].slice(0, kept), i * kept);
    present.fill(1, i * kept, i * kept + visible.length);
  });
  return { indices, kept, present };
}

/** 1 for a hidden unit, (B, units). */
function hiddenOf(drawn: readonly DrawnMask[], units: number): Float32Array {
  const values = new Float32Array(drawn.length * units);
  drawn.forEach(({ hidden }, i) => {
    for (const unit of hidden) values[i * units + unit] = 1;
  });
  return values;
}

const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);
