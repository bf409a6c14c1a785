/** Batches: which samples, augmented how, with which masks. Everything random is drawn here, on the host, from named streams. */
import type { Config } from '../core/config.ts';
import { isRange } from '../core/methodConfig.ts';
import { RandomStream } from '../core/random.ts';
import { scheduledValue } from '../core/schedules.ts';
import { drawMix, mixImages, mixTargets } from './augment/mix.ts';
import { type CropAndFlip, drawCropAndFlip } from './augment/pad.ts';
import { drawOrder, keptTokens, typicalRatio, unitsOf } from './masks.ts';
import type { Branch, Method } from './methods/method.ts';
import type { DropSite, Model } from './models/model.ts';
import type { HostBatch, HostDraws, HostImages } from './step/executor.ts';

/** Labelled images: pixels (count, height, width, channels), 0 to 255. */
export interface ImageSet {
  readonly count: number;
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
}

/** What the engine needs of a data set. */
export interface TrainingData {
  readonly name: string;
  readonly classes: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Of each channel, for pixels scaled to 0 … 1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly train: ImageSet;
  readonly validation: ImageSet;
  /** Over pixels and labels. */
  readonly hash: string;
}

/** Ratios that a range has when one is drawn for a batch: each is another form of the step, which is recorded once. */
const RATIOS_OF_RANGE = 8;

export class Batches {
  /** Batches in an epoch; an incomplete last one is dropped. */
  readonly perEpoch: number;
  readonly #config: Config;
  readonly #data: TrainingData;
  readonly #model: Model;
  readonly #method: Method;
  /** The training samples in use. */
  readonly #samples: Int32Array;
  readonly #normalized: readonly Float32Array[];
  readonly #black: readonly number[];

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
    this.#normalized = data.mean.map((mean, c) =>
      Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - mean) / (data.std[c] as number)),
    );
    this.#black = this.#normalized.map((table) => table[0] as number);
  }

  /** The samples of an epoch, counted from 0, in the order in which they are seen. */
  order(epoch: number): Int32Array {
    const stream = new RandomStream(this.#config.train.seed, 'shuffle', epoch);
    return stream.permutation(this.#samples.length).map((i) => this.#samples[i] as number);
  }

  /** Batch `index` of `epoch`; the same for every method, but for the draws of its branches. */
  batch(epoch: number, index: number, order: Int32Array): HostBatch {
    const { train, augment } = this.#config;
    const samples = order.subarray(index * train.batchSize, (index + 1) * train.batchSize);
    const crops = Array.from(samples, (sample) =>
      drawCropAndFlip(augment, new RandomStream(train.seed, 'augment', epoch, sample)),
    );
    const images = this.#images(this.#data.train, samples, crops);
    const target = this.#targets(samples);
    const [, height, width] = images.shape;
    const mix = drawMix(augment, height, width, new RandomStream(train.seed, 'mix', epoch, index));
    return {
      input: mix ? mixImages(images, mix) : images,
      target: this.#threshold(mix ? mixTargets(target, samples.length, mix) : target),
      draws: Object.fromEntries(
        this.#method.terms.map(({ branch }) => [branch, this.#draws(branch, epoch, index, samples)]),
      ),
    };
  }

  /** Validation samples `from` to `to` as they are. */
  validation(from: number, to: number): HostImages {
    const samples = Int32Array.from({ length: to - from }, (_, i) => from + i);
    return this.#images(this.#data.validation, samples, undefined);
  }

  /** The mask of validation samples: the same at every epoch and for every method. */
  validationMask(from: number, to: number): HostDraws {
    const samples = Int32Array.from({ length: to - from }, (_, i) => from + i);
    const ratio = typicalRatio(this.#config);
    return this.#mask('mask.validation', samples, 0, () => ratio);
  }

  #images(set: ImageSet, samples: Int32Array, crops: readonly CropAndFlip[] | undefined): HostImages {
    const { height, width, channels } = this.#data;
    const values = new Float32Array(samples.length * height * width * channels);
    let at = 0;
    samples.forEach((sample, i) => {
      const { top, left, flip } = crops?.[i] ?? { top: 0, left: 0, flip: false };
      const start = sample * height * width * channels;
      for (let y = 0; y < height; y++) {
        const row = y + top;
        for (let x = 0; x < width; x++) {
          const column = left + (flip ? width - 1 - x : x);
          const inside = row >= 0 && row < height && column >= 0 && column < width;
          const pixel = start + (row * width + column) * channels;
          for (let c = 0; c < channels; c++) {
            const table = this.#normalized[c] as Float32Array;
            values[at++] = inside ? (table[set.pixels[pixel + c] as number] as number) : (this.#black[c] as number);
          }
        }
      }
    });
    return { kind: 'images', values, shape: [samples.length, height, width, channels] };
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

  #draws(branch: Branch, epoch: number, index: number, samples: Int32Array): HostDraws {
    const masked = this.#method.masked.includes(branch);
    const mask = masked ? this.#mask('mask', samples, epoch, this.#ratios(epoch, index)) : {};
    const seen = mask.keep?.kept ?? unitsOf(this.#model.masking);
    const drop = {
      ...this.#dropPath(branch, epoch, samples),
      ...this.#dropout(branch, epoch, samples, seen),
    };
    return {
      ...mask,
      ...(Object.keys(drop).length > 0 ? { drop } : {}),
    };
  }

  /** For each sample which units it sees. */
  #mask(purpose: string, samples: Int32Array, epoch: number, ratioOf: (sample: number) => number): HostDraws {
    const { masking } = this.#model;
    const units = unitsOf(masking);
    const drawn = Array.from(samples, (sample) => {
      const kept = keptTokens(units, ratioOf(sample));
      const stream = new RandomStream(this.#config.train.seed, purpose, epoch, sample);
      return { kept, order: drawOrder(masking, this.#config.method.maskShape, kept, stream) };
    });
    if (masking.kind === 'remove') {
      const kept = drawn[0]?.kept ?? 0; // the same for all: sequences of a batch have one length
      const indices = new Int32Array(samples.length * kept);
      drawn.forEach(({ order }, i) => {
        indices.set(order.subarray(0, kept), i * kept);
      });
      return { keep: { indices, kept } };
    }
    const hidden = new Float32Array(samples.length * units);
    drawn.forEach(({ order, kept }, i) => {
      for (const unit of order.subarray(kept)) hidden[i * units + unit] = 1;
    });
    return { hidden };
  }

  /** The mask ratio of each sample of a batch. */
  #ratios(epoch: number, index: number): (sample: number) => number {
    const { method, train } = this.#config;
    const { maskRatio } = method;
    if (!isRange(maskRatio)) {
      const ratio = scheduledValue(maskRatio, epoch + index / this.perEpoch, train.epochs);
      return () => ratio;
    }
    const { min, max, per } = maskRatio;
    if (per === 'sample') {
      return (sample) => min + (max - min) * new RandomStream(train.seed, 'maskRatio', epoch, sample).uniform();
    }
    const step = new RandomStream(train.seed, 'maskRatio.batch', epoch, index).below(RATIOS_OF_RANGE);
    return () => min + ((max - min) * step) / (RATIOS_OF_RANGE - 1);
  }

  /** Stochastic depth: a factor for each sample at each residual branch. */
  #dropPath(branch: Branch, epoch: number, samples: Int32Array): Record<string, Float32Array> {
    const sites = this.#sites(branch, 'path');
    const factors = sites.map(() => new Float32Array(samples.length));
    samples.forEach((sample, i) => {
      const stream = new RandomStream(this.#config.train.seed, `dropPath.${branch}`, epoch, sample);
      sites.forEach(({ rate }, s) => {
        (factors[s] as Float32Array)[i] = stream.uniform() < rate ? 0 : 1 / (1 - rate);
      });
    });
    return Object.fromEntries(sites.map(({ site }, s) => [site, factors[s] as Float32Array]));
  }

  /** Dropout: a factor for each element, in a branch that sees `seen` units. */
  #dropout(branch: Branch, epoch: number, samples: Int32Array, seen: number): Record<string, Float32Array> {
    return Object.fromEntries(
      this.#sites(branch, 'dropout').map(({ site, rate, elements }) => {
        const each = (elements?.(seen) ?? []).reduce((product, size) => product * size, 1);
        const factors = new Float32Array(samples.length * each);
        const kept = 1 / (1 - rate);
        samples.forEach((sample, i) => {
          const stream = new RandomStream(this.#config.train.seed, `dropout.${branch}.${site}`, epoch, sample);
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
