/** What a training method is: terms of a loss, differentiated one after the other. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Config } from '../../core/config.ts';
import type { DropSite } from '../models/model.ts';
import type { Criterion } from '../ops/losses.ts';
import type { HostCriterion } from '../sampleLosses.ts';

export type Branch = 'main' | 'sub';

/** What a config says of its method. */
export type MethodOptions = Omit<Config['method'], 'name' | 'maskRatio' | 'maskShape' | 'maskRounding' | 'subWeight'>;

/** What a term may use. */
export interface TermContext {
  /** The forward pass of one branch, with that branch's draws: logits (B, classes). */
  readonly forward: (branch: Branch) => tf.Tensor2D;
  /** The labels, (B, classes). */
  readonly target: tf.Tensor2D;
  readonly criterion: Criterion;
  /** Logits of the term's teachers. They are not on the tape: no gradient flows into them. */
  readonly constants: Readonly<Partial<Record<Branch, tf.Tensor2D>>>;
}

/** What a term's loss of one sample is made from. */
export interface SampleContext {
  /** The logits of one branch. */
  readonly logits: (branch: Branch) => Float32Array;
  /** The label, as it entered the step. */
  readonly target: Float32Array;
  readonly criterion: HostCriterion;
}

/** One term: its own forward and backward pass, so that only one term's activations are alive at a time. */
export interface Term {
  readonly branch: Branch;
  /** The loss is Σ weight · term. `subWeight` is the config's at this point of the training; the weights of all terms sum to 1. */
  readonly weight: (subWeight: number) => number;
  /** Branches whose logits the loss takes as constants: those of an earlier term, or else of a forward pass for them alone. */
  readonly teachers?: readonly Branch[];
  readonly loss: (context: TermContext) => { readonly loss: tf.Scalar; readonly logits: tf.Tensor2D };
  /** The same on the host, of one sample: `loss` is its mean over the batch. */
  readonly sampleLoss: (context: SampleContext) => number;
}

export interface Method {
  readonly terms: readonly Term[];
  /** Branches that see only a part of the input. */
  readonly masked: readonly Branch[];
  /** Branches with a rate of their own: at all dropout sites, or at all drop-path sites of the model. */
  readonly drops?: Readonly<Partial<Record<Branch, { readonly kind: DropSite['kind']; readonly rate: number }>>>;
}
