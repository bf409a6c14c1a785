/** What a model is to the engine: named parameters and buffers, and a pure forward pass. */
import type * as tf from '@tensorflow/tfjs-core';

/** Parameters by their timm name. */
export type Parameters = Readonly<Record<string, tf.Tensor>>;

export interface ParameterSpec {
  /** The timm name, such as `blocks.0.attn.qkv.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** False: no weight decay (1-D parameters, position embedding, class token). */
  readonly decay: boolean;
  /** The layer it belongs to, for statistics of each layer. */
  readonly layer: string;
  readonly init: Init;
}

/** How a parameter starts: zeros, ones or another constant; a truncated normal; or given values. */
export type Init =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'truncated-normal'; readonly standardDeviation: number }
  | { readonly kind: 'values'; readonly values: Float32Array };

/** State beside the parameters that no gradient reaches: a running statistic of batch normalization. */
export interface BufferSpec {
  /** The timm name, such as `layer1.0.bn1.running_mean`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** What every element starts as. */
  readonly value: number;
}

/** What a model sees of a batch. */
export type ModelInput = ImageInput | TextInput;

export interface ImageInput {
  readonly kind: 'images';
  /** (B, H, W, C), normalized. */
  readonly images: tf.Tensor4D;
}

export interface TextInput {
  readonly kind: 'text';
  /** Token ids, (B, T), int32. */
  readonly ids: tf.Tensor2D;
  /** Segment of each token, (B, T), int32. */
  readonly types: tf.Tensor2D;
  /** 1 for a token, 0 for padding, (B, T), float32. */
  readonly present: tf.Tensor2D;
}

/** The random draws of one branch, as tensors: what is absent is off. */
export interface BranchDraws {
  /** Indices of the kept tokens, (B, K), int32, in the order in which the branch sees them. */
  readonly keep?: tf.Tensor2D;
  /** 1 for a kept token, 0 for one that only fills the sequence up, (B, K), float32. Absent: all of `keep` are kept. */
  readonly present?: tf.Tensor2D;
  /** 1 for a hidden patch, 0 for a visible one, (B, patches), float32, row by row. */
  readonly hidden?: tf.Tensor2D;
  /** Token ids with some replaced by [MASK], (B, T), int32. */
  readonly ids?: tf.Tensor2D;
  /** For each drop site factors, 0 or 1/keep probability: of every sample, (B), or of every element. */
  readonly drop?: Readonly<Record<string, tf.Tensor>>;
}

/** A place where something may be dropped, and with which probability. */
export interface DropSite {
  readonly site: string;
  readonly rate: number;
  /** `path`: a residual branch of a sample (stochastic depth). `dropout`: single elements. */
  readonly kind: 'path' | 'dropout';
  /** Dropout: elements of one sample, where a branch sees `tokens` of them. */
  readonly elements?: (tokens: number) => readonly number[];
}

/** What a mask does to the input of a branch, and in which units. */
export interface Masking {
  /** `remove`: tokens leave the sequence. `hide`: patches become zero or a learned token. `replace`: ids become [MASK]. */
  readonly kind: 'remove' | 'hide' | 'replace';
  /** Units lie in a grid; text has one row. */
  readonly rows: number;
  readonly columns: number;
  /** Units at the beginning that stay, such as [CLS] of a text. */
  readonly fixed?: number;
}

/** How a forward pass treats batch normalization. */
export interface ForwardMode {
  /** Normalize by the batch and update the running statistics, or normalize by those. */
  readonly training: boolean;
  /** Buffers by name. */
  readonly buffers: Parameters;
  /** Takes the new value of a buffer. */
  readonly update: (name: string, value: tf.Tensor) => void;
}

export interface Model {
  readonly parameters: readonly ParameterSpec[];
  readonly buffers: readonly BufferSpec[];
  /** What a masked branch does. */
  readonly masking: Masking;
  /** Blocks, for layer-wise decay. */
  readonly depth: number;
  readonly dropSites: readonly DropSite[];
  /** Logits, (B, classes). */
  readonly forward: (parameters: Parameters, input: ModelInput, draws: BranchDraws, mode: ForwardMode) => tf.Tensor2D;
  /**
   * What each part of a whole input gets of the last block's attention, averaged over heads, (B, rows, columns): of the token that the
   * head reads, or what the parts give each other on average. In evaluation mode; absent where the model has no such thing.
   */
  readonly attention?: (parameters: Parameters, input: ModelInput) => tf.Tensor3D;
  /** Floating-point operations of one sample's forward pass with `kept` visible units; a multiply-add counts as two. */
  readonly forwardFlops: (kept: number) => number;
}

/** What a model of texts is built for. */
export interface TextShape {
  /** Places of a sequence. */
  readonly length: number;
  readonly classes: number;
}

/** What a model of images is built for. */
export interface ImageShape {
  readonly imageSize: number;
  readonly channels: number;
  readonly classes: number;
}

/** The images of an input. Call it for models that see images only. */
export function imagesOf(input: ModelInput): tf.Tensor4D {
  if (input.kind !== 'images') throw new Error('This model sees images.');
  return input.images;
}
