/**
 * Multi-head scaled dot-product self-attention. Vaswani et al. 2017, section 3.2 (https://arxiv.org/abs/1706.03762).
 * With a bias on the scores: Liu et al. 2021, section 3.2 (https://arxiv.org/abs/2103.14030).
 */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** What is added to the scores before the softmax. */
export interface ScoreTerms {
  /** (G, T, T), for G score matrices at a time: G is the heads of one sequence, or of several. */
  readonly bias?: tf.Tensor3D | undefined;
  /** (B, 1, 1, T), as `scoresOfPadding` makes it; no gradient flows into it. */
  readonly padding?: tf.Tensor4D | undefined;
}

/** Added to the scores of padding: far enough below any score that its weight is exactly 0 in float32. */
const ABSENT = -1e9;

/** present (B, T), 1 for a token and 0 for padding → what is added to the scores of each key, (B, 1, 1, T). */
export function scoresOfPadding(present: tf.Tensor2D): tf.Tensor4D {
  const [batch, tokens] = present.shape;
  return tf.reshape(tf.mul(tf.sub(1, present), ABSENT), [batch, 1, 1, tokens]);
}

/**
 * qkv (B·T, 3·D) of B sequences: queries, keys and values side by side, heads within each, as timm's one projection gives them → (B·T, D).
 * Scores are scaled by 1/√(D / heads).
 */
export function selfAttention(qkv: tf.Tensor2D, sequences: number, heads: number, terms: ScoreTerms = {}): tf.Tensor2D {
  const tokens = qkv.shape[0] / sequences;
  const width = qkv.shape[1] / 3;
  const headWidth = width / heads;
  const { bias, padding } = terms;
  return differentiable([qkv, ...(bias ? [bias] : [])], (qkv: tf.Tensor, bias?: tf.Tensor) => {
    const split = tf.transpose(tf.reshape(qkv, [sequences, tokens, 3, heads, headWidth]), [2, 0, 3, 1, 4]);
    const [q, k, v] = tf.unstack(split, 0) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]; // (B, H, T, D/H)
    const { mixed, save } = mix(q, k, v, { bias: bias as tf.Tensor3D | undefined, padding });
    return {
      value: tf.reshape<tf.Rank.R2>(tf.transpose(mixed, [0, 2, 1, 3]), [sequences * tokens, width]),
      save,
      gradient: (dy, saved) => {
        const dMixed = tf.transpose(tf.reshape(dy, [sequences, tokens, heads, headWidth]), [0, 2, 1, 3]);
        const { dQ, dK, dV, dScores } = gradientsOfMix(dMixed, saved);
        const stacked = tf.transpose(tf.stack([dQ, dK, dV]), [1, 3, 0, 2, 4]); // (B, T, 3, H, D/H)
        const dQkv = tf.reshape(stacked, [sequences * tokens, 3 * width]);
        return bias ? [dQkv, sumForBias(dScores, bias.shape)] : [dQkv];
      },
    };
  });
}

/** q, k and v (B·T, D) of B sequences, heads side by side within each, as BERT's three projections give them → (B·T, D). */
export function attention(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  sequences: number,
  heads: number,
  { padding }: Pick<ScoreTerms, 'padding'> = {},
): tf.Tensor2D {
  const tokens = q.shape[0] / sequences;
  const width = q.shape[1];
  const split = (x: tf.Tensor2D) => toHeads(x, sequences, heads);
  const fromHeads = (x: tf.Tensor4D) =>
    tf.reshape<tf.Rank.R2>(tf.transpose(x, [0, 2, 1, 3]), [sequences * tokens, width]);
  return differentiable([q, k, v], (q, k, v) => {
    const { mixed, save } = mix(split(q), split(k), split(v), { padding });
    return {
      value: fromHeads(mixed),
      save,
      gradient: (dy, saved) => {
        const { dQ, dK, dV } = gradientsOfMix(split(dy as tf.Tensor2D), saved);
        return [dQ, dK, dV].map(fromHeads);
      },
    };
  });
}

/** How much each token (rows) takes of each (columns), averaged over heads: q and k (B·T, D) of B sequences → (B, T, T). No gradient. */
export function attentionWeights(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  sequences: number,
  heads: number,
  terms: ScoreTerms = {},
): tf.Tensor3D {
  const { weights } = weigh(toHeads(q, sequences, heads), toHeads(k, sequences, heads), terms);
  return tf.mean<tf.Tensor3D>(weights, 1);
}

/** (B·T, D), heads side by side → (B, H, T, D/H). */
function toHeads(x: tf.Tensor2D, sequences: number, heads: number): tf.Tensor4D {
  const [rows, width] = x.shape;
  return tf.transpose(tf.reshape(x, [sequences, rows / sequences, heads, width / heads]), [0, 2, 1, 3]);
}

/** q, k and v (B, H, T, D/H) → values mixed by attention, (B, H, T, D/H), and what the backward pass needs. */
function mix(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, terms: ScoreTerms) {
  const { scaledQ, weights } = weigh(q, k, terms);
  return { mixed: tf.matMul<tf.Tensor4D>(weights, v), save: [scaledQ, k, v, weights] };
}

/** q and k (B, H, T, D/H) → (B, H, T, T). */
function weigh(q: tf.Tensor4D, k: tf.Tensor4D, { bias, padding }: ScoreTerms) {
  const scaledQ = tf.mul<tf.Tensor4D>(q, scaleOf(q));
  let scores = tf.matMul<tf.Tensor4D>(scaledQ, k, false, true);
  if (bias) scores = addBias(scores, bias);
  if (padding) scores = tf.add(scores, padding);
  return { scaledQ, weights: tf.softmax<tf.Tensor4D>(scores) };
}

function gradientsOfMix(dMixed: tf.Tensor, saved: readonly tf.Tensor[]) {
  const [scaledQ, k, v, weights] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  const dV = tf.matMul<tf.Tensor4D>(weights, dMixed, true, false);
  const dWeights = tf.mul(tf.matMul(dMixed, v, false, true), weights);
  const dScores = tf.sub<tf.Tensor4D>(dWeights, tf.mul(weights, tf.sum(dWeights, -1, true)));
  const dQ = tf.mul<tf.Tensor4D>(tf.matMul(dScores, k), scaleOf(k));
  const dK = tf.matMul<tf.Tensor4D>(dScores, scaledQ, true, false);
  return { dQ, dK, dV, dScores };
}

/** 1/√(width of a head). */
const scaleOf = (ofHeads: tf.Tensor4D): number => ofHeads.shape[3] ** -0.5;

/** scores (B, H, T, T) + bias (G, T, T), repeated over groups of G score matrices. */
function addBias(scores: tf.Tensor4D, bias: tf.Tensor): tf.Tensor4D {
  const grouped = tf.reshape(scores, [-1, ...bias.shape]);
  return tf.reshape(tf.add(grouped, tf.reshape(bias, [1, ...bias.shape])), scores.shape);
}

function sumForBias(dScores: tf.Tensor4D, shape: number[]): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.reshape(tf.sum(tf.reshape(dScores, [dScores.size / size, size]), 0), shape);
}
