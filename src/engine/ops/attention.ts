/** Multi-head scaled dot-product self-attention. Vaswani et al. 2017, section 3.2 (https://arxiv.org/abs/1706.03762). */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/**
 * qkv (B·T, 3·D): queries, keys and values side by side, heads within each, as timm's one projection gives them → (B·T, D).
 * Scores are scaled by 1/√(D / heads).
 */
export function selfAttention(qkv: tf.Tensor2D, batch: number, heads: number): tf.Tensor2D {
  const tokens = qkv.shape[0] / batch;
  const width = qkv.shape[1] / 3;
  const headWidth = width / heads;
  const scale = headWidth ** -0.5;
  return differentiable([qkv], (qkv) => {
    const split = tf.transpose(tf.reshape(qkv, [batch, tokens, 3, heads, headWidth]), [2, 0, 3, 1, 4]);
    const [q, k, v] = tf.unstack(split, 0) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]; // (B, H, T, D/H)
    const scaledQ = tf.mul<tf.Tensor4D>(q, scale);
    const weights = tf.softmax<tf.Tensor4D>(tf.matMul(scaledQ, k, false, true)); // (B, H, T, T)
    const mixed = tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]); // (B, T, H, D/H)
    return {
      value: tf.reshape<tf.Rank.R2>(mixed, [batch * tokens, width]),
      save: [scaledQ, k, v, weights],
      gradient: (dy, saved) => {
        const [scaledQ, k, v, weights] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const dMixed = tf.transpose(tf.reshape(dy, [batch, tokens, heads, headWidth]), [0, 2, 1, 3]);
        const dV = tf.matMul(weights, dMixed, true, false);
        const dWeights = tf.mul(tf.matMul(dMixed, v, false, true), weights);
        const dScores = tf.sub(dWeights, tf.mul(weights, tf.sum(dWeights, -1, true)));
        const dQ = tf.mul(tf.matMul(dScores, k), scale);
        const dK = tf.matMul(dScores, scaledQ, true, false);
        const stacked = tf.transpose(tf.stack([dQ, dK, dV]), [1, 3, 0, 2, 4]); // (B, T, 3, H, D/H)
        return [tf.reshape(stacked, [batch * tokens, 3 * width])];
      },
    };
  });
}
