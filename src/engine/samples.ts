/** Records single samples of an epoch: what entered its first steps, what was masked, what both branches said, and how validation went. */
import type { Config } from '../core/config.ts';
import type { Block, Prediction, Samples, TrainingSample, WorstSample } from '../core/samples.ts';
import type { ValidatedBatch } from './evaluate.ts';
import { unitsOf } from './masks.ts';
import type { Term } from './methods/method.ts';
import { type HostCriterion, hostCriteria, rankedFirst } from './sampleLosses.ts';
import type { Executor, HostBatch, HostDraws, HostModelInput, HostText, StepLogits } from './step/executor.ts';
import type { Problem } from './step/step.ts';
import type { TrainingData } from './trainingData.ts';

/** Training samples of a record, and the steps that they may come from. */
const MOST_SAMPLES = 256;
const MOST_STEPS = 8;
/** Validation samples with the highest loss. */
const MOST_WORST = 24;
/** Classes of a confusion matrix that is recorded: it has a number for each pair of them. */
const MOST_CONFUSED = 1000;
/** Training samples whose attention is recorded. */
const MOST_ATTENTION = 64;
/** Images of a record, of either set: as many as fit, and not fewer. */
const IMAGE_BYTES = 4 * 2 ** 20;
const LEAST_IMAGES = 16;

/** A record, and the arrays that its blocks lie in. */
export interface RecordedSamples {
  readonly samples: Samples;
  readonly bytes: Uint8Array;
}

/** Whether the samples of an epoch, counted from 1, are recorded. */
export function isSampledEpoch({ run: { samplesEvery }, train }: Config, epoch: number): boolean {
  return samplesEvery > 0 && (epoch % samplesEvery === 0 || epoch === train.epochs);
}

/** The record of one epoch. It sees what the steps are given and give; it changes none of it. */
export class SampleRecorder {
  readonly #config: Config;
  readonly #data: TrainingData;
  readonly #problem: Pick<Problem, 'model' | 'method'>;
  readonly #criterion: HostCriterion;
  #firstStep: number | undefined;
  #steps = 0;
  readonly #training: TrainingSample[] = [];
  readonly #images: Uint8Array[] = [];
  readonly #attention: Float32Array[] = [];
  #shape: readonly number[] = [];
  /** (classes, classes). */
  readonly #confusion: Int32Array;
  #validated = 0;
  #worst: { readonly loss: number; readonly sample: WorstSample; readonly image: Uint8Array | undefined }[] = [];

  constructor(config: Config, data: TrainingData, problem: Pick<Problem, 'model' | 'method'>) {
    this.#config = config;
    this.#data = data;
    this.#problem = problem;
    this.#criterion = hostCriteria[config.train.loss];
    this.#confusion = new Int32Array(data.classes <= MOST_CONFUSED ? data.classes ** 2 : 0);
  }

  /** Whether the next step's samples are still to be recorded. */
  get wantsMore(): boolean {
    return this.#steps < MOST_STEPS && this.#training.length < MOST_SAMPLES;
  }

  /** The samples of one step, with the logits that it read. The attention is that of the weights after it. */
  async addStep(
    step: number,
    batches: readonly HostBatch[],
    logits: StepLogits,
    executor: Pick<Executor, 'attention'>,
  ): Promise<void> {
    this.#firstStep ??= step;
    this.#steps++;
    for (const [b, batch] of batches.entries()) {
      const before = this.#training.length;
      const count = Math.min(batch.input.shape[0], MOST_SAMPLES - before);
      for (let i = 0; i < count; i++) this.#training.push(this.#trainingSample(batch, logits[b] ?? {}, i));
      const { input } = batch;
      this.#shape = input.shape.slice(1);
      if (input.kind === 'images') {
        const images = Math.min(count, this.#mostImages(input) - before);
        for (let i = 0; i < images; i++) this.#images.push(this.#pixels(input.values, i));
      }
      const most = Math.min(MOST_ATTENTION, input.kind === 'images' ? this.#mostImages(input) : MOST_ATTENTION);
      if (before < most) await this.#addAttention(input, most, Math.min(count, most - before), executor);
    }
  }

  /** A batch of validation, in their order. */
  addValidation({ from, input, labels, logits, losses }: ValidatedBatch): void {
    const { classes } = this.#data;
    this.#validated += labels.length;
    const predicted = Array.from(labels, (label, i) => rankedFirstWith(label, rowOf(logits, i, classes)));
    for (const [i, label] of labels.entries()) {
      const cell = label * classes + (predicted[i] as number);
      if (this.#confusion.length > 0) this.#confusion[cell] = (this.#confusion[cell] as number) + 1;
    }
    const bound = this.#worst.length < MOST_WORST ? Number.NEGATIVE_INFINITY : badness(this.#worst.at(-1)?.loss ?? 0);
    const fresh = Array.from(losses, (loss, i) => ({ loss, i })).filter(({ loss }) => badness(loss) > bound);
    const worst = [...this.#worst, ...fresh].sort((a, b) => badness(b.loss) - badness(a.loss));
    this.#shape = input.shape.slice(1);
    this.#worst = worst.slice(0, MOST_WORST).map((entry) => {
      if ('sample' in entry) return entry;
      const { i, loss } = entry;
      const label = labels[i] as number;
      const row = rowOf(logits, i, classes);
      const said = this.#prediction(row, predicted[i] as number, label, loss);
      const sample = { sample: from + i, label, ...said, ...(input.kind === 'text' ? this.#tokens(input, i) : {}) };
      return { loss, sample, image: input.kind === 'images' ? this.#pixels(input.values, i) : undefined };
    });
  }

  /** The record as it is written; `step` is the last one of the epoch. */
  finish(epoch: number, step: number): RecordedSamples {
    const { classes, classNames } = this.#data;
    const { masking } = this.#problem.model;
    const { rows, columns } = masking;
    const worst = this.#worst.map(({ sample }) => sample);
    const worstImages = this.#worst.flatMap(({ image }) => image ?? []);
    const bytes = new Packer();
    const ofImages = (images: readonly Uint8Array[]) => bytes.add('uint8', this.#shape, images);
    const blocks = {
      // First, so that it lies at a multiple of four bytes.
      ...named('attention', bytes.add('float32', [rows, columns], this.#attention)),
      ...named('trainingImages', ofImages(this.#images)),
      ...named('worstImages', ofImages(worstImages.slice(0, mostOf(worstImages[0]?.length ?? 1)))),
    };
    const [height = rows, width = columns] = this.#data.kind === 'images' ? this.#shape : [];
    const masks = this.#problem.method.masked.length > 0;
    const samples: Samples = {
      v: 1,
      epoch,
      step: this.#firstStep ?? step,
      classNames: [...(classNames ?? Array.from({ length: classes }, (_, c) => String(c)))],
      ...(masks ? { grid: { rows, columns }, unit: [height / rows, width / columns] } : {}),
      training: this.#training,
      ...(this.#validated > 0
        ? { validation: { samples: this.#validated, confusion: rowsOf(this.#confusion, classes), worst } }
        : {}),
      blocks,
    };
    return { samples, bytes: bytes.all() };
  }

  #trainingSample(batch: HostBatch, logits: StepLogits[number], i: number): TrainingSample {
    const { classes } = this.#data;
    const { terms } = this.#problem.method;
    const target = rowOf(batch.target, i, classes);
    const label = rankedFirst(target);
    const { targetThreshold, smoothing } = this.#config.train;
    const off = targetThreshold === undefined ? smoothing / classes : 0;
    const said = (term: Term): Prediction => {
      const of = (branch: Term['branch']) => rowOf(logits[branch] ?? new Float32Array(), i, classes);
      const loss = term.sampleLoss({ logits: of, target, criterion: this.#criterion });
      const row = of(term.branch);
      return this.#prediction(row, rankedFirst(row), label, loss);
    };
    // As in the step's event, the only branch counts as the main one.
    const main = terms.find(({ branch }) => branch === 'main') ?? (terms[0] as Term);
    const sub = terms.find((term) => term !== main);
    return {
      sample: batch.samples?.[i] ?? 0,
      label,
      mixed: target.filter((value) => value > off + 1e-6).length > 1,
      main: said(main),
      ...(sub ? { sub: said(sub) } : {}),
      ...this.#kept(batch, i),
      ...(batch.input.kind === 'text' ? this.#tokens(batch.input, i) : {}),
    };
  }

  #prediction(logits: Float32Array, predicted: number, label: number, loss: number): Prediction {
    const probabilities = this.#criterion.activation(logits);
    return {
      predicted,
      confidence: probabilities[label] as number,
      certainty: probabilities[predicted] as number,
      loss,
    };
  }

  /** The units that the masked branch saw of a sample, as its step was told. */
  #kept({ input, draws }: HostBatch, i: number): Pick<TrainingSample, 'kept'> {
    const { method, model } = this.#problem;
    const drawn = method.masked.map((branch) => draws[branch]).find((of) => of !== undefined);
    if (!drawn) return {};
    const units = unitsOf(model.masking);
    const places = input.kind === 'text' ? tokensOf(input, i) : units;
    return { kept: keptUnits(drawn, input, i, units).filter((unit) => unit < places) };
  }

  #tokens(input: HostText, i: number): { tokens: string[] } {
    const tokenOf = (this.#data.kind === 'text' && this.#data.tokenOf) || (() => undefined);
    const ids = rowOf(input.ids, i, input.shape[1]).subarray(0, tokensOf(input, i));
    return { tokens: Array.from(ids, (id) => tokenOf(id) ?? String(id)) };
  }

  /** Images of the batch's first `most` samples run through the model, always as many, so that it is recorded once; `count` are kept. */
  async #addAttention(
    input: HostModelInput,
    most: number,
    count: number,
    executor: Pick<Executor, 'attention'>,
  ): Promise<void> {
    const values = await executor.attention(firstOf(input, Math.min(most, input.shape[0])));
    if (!values) return;
    const units = unitsOf(this.#problem.model.masking);
    for (let i = 0; i < count; i++) this.#attention.push(rowOf(values, i, units));
  }

  /** An image as bytes: what normalization has made of them, undone. */
  #pixels(values: Float32Array, i: number): Uint8Array {
    if (this.#data.kind !== 'images') throw new Error('Texts have no pixels.');
    const { mean, std, channels } = this.#data;
    const [height = 0, width = 0] = this.#shape;
    const size = height * width * channels;
    const pixels = new Uint8ClampedArray(size); // rounds and clamps
    for (let c = 0; c < channels; c++) {
      const [scale, offset] = [255 * (std[c] as number), 255 * (mean[c] as number)];
      for (let at = c; at < size; at += channels) pixels[at] = scale * (values[i * size + at] as number) + offset;
    }
    return new Uint8Array(pixels.buffer);
  }

  #mostImages({ shape }: HostModelInput): number {
    return mostOf(shape.slice(1).reduce((product, length) => product * length, 1));
  }
}

/** How many images of so many bytes are recorded. */
const mostOf = (imageBytes: number): number => Math.max(LEAST_IMAGES, Math.floor(IMAGE_BYTES / imageBytes));

/** What cannot be compared comes first. */
const badness = (loss: number): number => (Number.isNaN(loss) ? Number.MAX_VALUE : Math.min(loss, Number.MAX_VALUE));

function keptUnits({ keep, hidden, ids }: HostDraws, input: HostModelInput, i: number, units: number): number[] {
  if (keep) {
    const { indices, kept, present } = keep;
    const seen = rowOf(indices, i, kept).filter((_, at) => present?.[i * kept + at] !== 0);
    return Array.from(seen.sort());
  }
  const all = Array.from({ length: units }, (_, unit) => unit);
  if (hidden) return all.filter((unit) => hidden[i * units + unit] === 0);
  if (ids && input.kind === 'text') return all.filter((unit) => ids[i * units + unit] === input.ids[i * units + unit]);
  return all;
}

/** The class with the highest logit: the label where it is one of several, as validation counts it right. */
function rankedFirstWith(label: number, logits: Float32Array): number {
  const first = rankedFirst(logits);
  return logits[label] === logits[first] ? label : first;
}

const tokensOf = ({ present, shape: [, length] }: HostText, i: number): number =>
  rowOf(present, i, length).reduce((sum, one) => sum + one, 0);

function firstOf(input: HostModelInput, count: number): HostModelInput {
  if (input.kind === 'images') {
    const [, ...size] = input.shape;
    const each = size.reduce((product, length) => product * length, 1);
    return { kind: 'images', values: input.values.subarray(0, count * each), shape: [count, ...size] };
  }
  const [, length] = input.shape;
  const end = count * length;
  const [ids, types] = [input.ids.subarray(0, end), input.types.subarray(0, end)];
  return { kind: 'text', ids, types, present: input.present.subarray(0, end), shape: [count, length] };
}

const rowOf = <T extends Float32Array | Int32Array>(values: T, i: number, size: number): T =>
  values.subarray(i * size, (i + 1) * size) as T;

const rowsOf = (values: Int32Array, size: number): number[][] =>
  Array.from({ length: values.length / size }, (_, i) => Array.from(rowOf(values, i, size)));

const named = <K extends string>(name: K, block: Block | undefined) =>
  (block ? { [name]: block } : {}) as { [name in K]?: Block };

/** Arrays one behind the other. */
class Packer {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** One block of rows of this shape; none where there are no rows. */
  add(dtype: Block['dtype'], shape: readonly number[], rows: readonly ArrayBufferView[]): Block | undefined {
    if (rows.length === 0) return undefined;
    const offset = this.#length;
    for (const { buffer, byteOffset, byteLength } of rows) {
      this.#parts.push(new Uint8Array(buffer, byteOffset, byteLength));
      this.#length += byteLength;
    }
    return { offset, dtype, shape: [rows.length, ...shape] };
  }

  all(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}
