/** What a training method is: terms of a loss, differentiated one after the other. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from '../ops/losses.ts';

export type Branch = 'main' | 'sub';

/** What a term may use. */
export interface TermContext {
  /** The forward pass of one branch, with that branch's draws: logits (B, classes). */
  readonly forward: (branch: Branch) => tf.Tensor2D;
  /** The labels, (B, classes). */
  readonly target: tf.Tensor2D;
  readonly criterion: Criterion;
  /** Logits of the terms before this one. They have left the tape: no gradient flows into them. */
  readonly earlier: Readonly<Partial<Record<Branch, tf.Tensor2D>>>;
}

/** One term: its own forward and backward pass, so that only one term's activations are alive at a time. */
export interface Term {
  readonly branch: Branch;
  /** The loss is Σ weight · term. */
  readonly weight: number;
  readonly loss: (context: TermContext) => { readonly loss: tf.Scalar; readonly logits: tf.Tensor2D };
}

export interface Method {
  readonly terms: readonly Term[];
  /** Branches that see only a part of the tokens. */
  readonly masked: readonly Branch[];
}
