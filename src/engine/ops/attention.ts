/**
 * Multi-head scaled dot-product self-attention. Vaswani et al. 2017, section 3.2 (https://arxiv.org/abs/1706.03762).
 * With a bias on the scores: Liu et al. 2021, section 3.2 (https://arxiv.org/abs/2103.14030).
 */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/**
 * qkv (B·T, 3·D) of B sequences: queries, keys and values side by side, heads within each, as timm's one projection gives them → (B·T, D).
 * Scores are scaled by 1/√(D / heads). `bias` (G, T, T) is added to them, G at a time: G is the heads of one sequence, or of several.
 */
export function selfAttention(qkv: tf.Tensor2D, sequences: number, heads: number, bias?: tf.Tensor3D): tf.Tensor2D {
  const tokens = qkv.shape[0] / sequences;
  const width = qkv.shape[1] / 3;
  const headWidth = width / heads;
  const scale = headWidth ** -0.5;
  return differentiable([qkv, ...(bias ? [bias] : [])], (qkv: tf.Tensor, bias?: tf.Tensor) => {
    const split = tf.transpose(tf.reshape(qkv, [sequences, tokens, 3, heads, headWidth]), [2, 0, 3, 1, 4]);
    const [q, k, v] = tf.unstack(split, 0) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]; // (B, H, T, D/H)
    const scaledQ = tf.mul<tf.Tensor4D>(q, scale);
    const scores = tf.matMul<tf.Tensor4D>(scaledQ, k, false, true); // (B, H, T, T)
    const weights = tf.softmax<tf.Tensor4D>(bias ? addBias(scores, bias) : scores);
    const mixed = tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]); // (B, T, H, D/H)
    return {
      value: tf.reshape<tf.Rank.R2>(mixed, [sequences * tokens, width]),
      save: [scaledQ, k, v, weights],
      gradient: (dy, saved) => {
        const [scaledQ, k, v, weights] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const dMixed = tf.transpose(tf.reshape(dy, [sequences, tokens, heads, headWidth]), [0, 2, 1, 3]);
        const dV = tf.matMul(weights, dMixed, true, false);
        const dWeights = tf.mul(tf.matMul(dMixed, v, false, true), weights);
        const dScores = tf.sub<tf.Tensor4D>(dWeights, tf.mul(weights, tf.sum(dWeights, -1, true)));
        const dQ = tf.mul(tf.matMul(dScores, k), scale);
        const dK = tf.matMul(dScores, scaledQ, true, false);
        const stacked = tf.transpose(tf.stack([dQ, dK, dV]), [1, 3, 0, 2, 4]); // (B, T, 3, H, D/H)
        const dQkv = tf.reshape(stacked, [sequences * tokens, 3 * width]);
        return bias ? [dQkv, sumForBias(dScores, bias.shape)] : [dQkv];
      },
    };
  });
}

/** scores (B, H, T, T) + bias (G, T, T), repeated over groups of G score matrices. */
function addBias(scores: tf.Tensor4D, bias: tf.Tensor): tf.Tensor4D {
  const grouped = tf.reshape(scores, [-1, ...bias.shape]);
  return tf.reshape(tf.add(grouped, tf.reshape(bias, [1, ...bias.shape])), scores.shape);
}

function sumForBias(dScores: tf.Tensor4D, shape: number[]): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.reshape(tf.sum(tf.reshape(dScores, [dScores.size / size, size]), 0), shape);
}
