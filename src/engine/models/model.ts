/** What a model is to the engine: named parameters and a pure forward pass. */
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

/** The random draws of one branch, as tensors: what is absent is off. */
export interface BranchDraws {
  /** Indices of the kept tokens, (B, K), int32, in the order in which the branch sees them. */
  readonly keep?: tf.Tensor2D;
  /** For each drop site a factor of every sample, (B): 0, or 1/keep probability. */
  readonly drop?: Readonly<Record<string, tf.Tensor1D>>;
}

/** A place where a residual branch may be dropped, and with which probability. */
export interface DropSite {
  readonly site: string;
  readonly rate: number;
}

export interface Model {
  readonly parameters: readonly ParameterSpec[];
  /** Tokens that a mask may remove. */
  readonly tokens: number;
  readonly depth: number;
  readonly dropSites: readonly DropSite[];
  /** images (B, H, W, C), normalized → logits (B, classes). */
  readonly forward: (parameters: Parameters, images: tf.Tensor4D, draws: BranchDraws) => tf.Tensor2D;
  /** Floating-point operations of one sample's forward pass with `kept` tokens; a multiply-add counts as two. */
  readonly forwardFlops: (kept: number) => number;
}

/** What a model is built for. */
export interface InputShape {
  readonly imageSize: number;
  readonly channels: number;
  readonly classes: number;
}
