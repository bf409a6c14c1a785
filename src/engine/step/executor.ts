/** What runs training steps: host arrays in, numbers out. The loop and the parity check know nothing else of it. */
import type { Branch } from '../methods/method.ts';
import type { StepScalars } from '../optim/optimizer.ts';

/** The draws of one branch for one batch: `BranchDraws` on the host. */
export interface HostDraws {
  /** Kept tokens, (B, kept); and, where samples keep different numbers of them, which are only there to fill up, (B, kept). */
  readonly keep?: { readonly indices: Int32Array; readonly kept: number; readonly present?: Float32Array };
  /** 1 for a hidden patch, (B, patches). */
  readonly hidden?: Float32Array;
  /** Token ids with some replaced, (B, T). */
  readonly ids?: Int32Array;
  /** Factors at each drop site: of every sample, (B), or of every element. */
  readonly drop?: Readonly<Record<string, Float32Array>>;
}

/** What a model sees of a batch, on the host. */
export type HostModelInput = HostImages | HostText;

/** Images as they enter a model: (B, H, W, C), normalized. */
export interface HostImages {
  readonly kind: 'images';
  readonly values: Float32Array;
  readonly shape: readonly [number, number, number, number];
}

/** Texts as they enter a model: ids, segments, and 1 where there is a token, each (B, T). */
export interface HostText {
  readonly kind: 'text';
  readonly ids: Int32Array;
  readonly types: Int32Array;
  readonly present: Float32Array;
  readonly shape: readonly [number, number];
}

export interface HostBatch {
  /** Positions in the training data, (B); absent where the samples are none of it. */
  readonly samples?: Int32Array;
  readonly input: HostModelInput;
  /** (B, classes). */
  readonly target: Float32Array;
  readonly draws: Readonly<Partial<Record<Branch, HostDraws>>>;
}

/** What one step came to. */
export interface StepReport {
  /** Losses of the branches and their weighted sum, averaged over the batches of the step. */
  readonly loss: { readonly total: number; readonly branches: Readonly<Partial<Record<Branch, number>>> };
  readonly grad: {
    readonly total: number;
    readonly branches: Readonly<Partial<Record<Branch, number>>>;
    readonly cosine: number | undefined;
  };
  /** Samples whose label the first branch ranked first. */
  readonly correct: number;
  /** False where a loss or the norm of a gradient is not finite; the step has then changed nothing. */
  readonly finite: boolean;
}

/** Gradients by parameter name: of each term without its weight, and of their weighted sum. */
export interface StepGradients {
  readonly terms: Readonly<Partial<Record<Branch, ReadonlyMap<string, Float32Array>>>>;
  readonly total: ReadonlyMap<string, Float32Array>;
}

/** Logits of each batch of a step, and each branch, (B, classes). */
export type StepLogits = readonly Readonly<Partial<Record<Branch, Float32Array>>>[];

/** The inner life of one step, for parity checks and statistics of each layer. */
export interface Inspection extends StepGradients {
  readonly logits: StepLogits;
}

/** Everything a run needs to go on: parameters, buffers, optimizer slots and moving average, by name. */
export interface Snapshot {
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** Running statistics of the model; empty where it has none. */
  readonly buffers: ReadonlyMap<string, Float32Array>;
  readonly slots: ReadonlyMap<string, ReadonlyMap<string, Float32Array>>;
  /** Of parameters and buffers. */
  readonly ema: ReadonlyMap<string, Float32Array> | undefined;
}

/**
 * Runs the steps of one run and holds its state. Calls follow each other: the next one may come once the last one's promise is
 * settled.
 */
export interface Executor {
  /** Which one it is now: a recorded one may have to hand over to eager. */
  readonly name: 'eager' | 'recorded';
  /** One optimizer step over one or more batches whose gradients are averaged. */
  step(batches: readonly HostBatch[], scalars: StepScalars): Promise<void>;
  /** The same, and reads the logits. */
  observe(batches: readonly HostBatch[], scalars: StepScalars): Promise<StepLogits>;
  /** The same, and reads everything that happened inside. */
  inspect(batches: readonly HostBatch[], scalars: StepScalars): Promise<Inspection>;
  /**
   * Bytes that training with such batches needs beside the process itself, at most; nothing is computed. An estimate: allocators
   * need a little more. Only where the executor can tell.
   */
  memoryOf?(batches: readonly HostBatch[], scalars: StepScalars): Promise<number | undefined>;
  /** Reports of the steps since the last call, oldest first. */
  reports(): Promise<StepReport[]>;
  /** Logits (B, classes) in evaluation mode. */
  evaluate(input: HostModelInput, draws: HostDraws, weights: 'parameters' | 'ema'): Promise<Float32Array>;
  /**
   * What a sample's parts get of the last block's attention, (B, rows, columns), in evaluation mode; nothing where the model has none to
   * show.
   */
  attention(input: HostModelInput): Promise<Float32Array | undefined>;
  snapshot(): Promise<Snapshot>;
  restore(snapshot: Snapshot): Promise<void>;
  /** What people should know, in sentences: of the time since the last call. */
  notices(): string[];
  dispose(): Promise<void>;
}

/** An executor, and how it came to be this one. */
export interface ChosenExecutor {
  readonly executor: Executor;
  /** Why this one, for people. */
  readonly reason: string;
}
