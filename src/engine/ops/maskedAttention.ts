/** Self-attention that leaves padding out. Vaswani et al. 2017, section 3.2 (https://arxiv.org/abs/1706.03762). */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** Added to the scores of padding: far enough below any score that its weight is exactly 0 in float32. */
const ABSENT = -1e9;

/** present (B, T), 1 for a token and 0 for padding → what is added to the scores of each key, (B, 1, 1, T). */
export function scoresOfPadding(present: tf.Tensor2D): tf.Tensor4D {
  const [batch, tokens] = present.shape;
  return tf.reshape(tf.mul(tf.sub(1, present), ABSENT), [batch, 1, 1, tokens]);
}

/** q, k and v (B·T, D), heads side by side within each; `padding` (B, 1, 1, T) is added to the scores → (B·T, D). */
export function maskedAttention(
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  padding: tf.Tensor4D,
  heads: number,
): tf.Tensor2D {
  const [batch, , , tokens] = padding.shape;
  const width = q.shape[1];
  const headWidth = width / heads;
  const scale = headWidth ** -0.5;
  const toHeads = (x: tf.Tensor2D) =>
    tf.transpose<tf.Tensor4D>(tf.reshape(x, [batch, tokens, heads, headWidth]), [0, 2, 1, 3]); // (B, H, T, D/H)
  const fromHeads = (x: tf.Tensor4D) => tf.reshape<tf.Rank.R2>(tf.transpose(x, [0, 2, 1, 3]), [batch * tokens, width]);
  return differentiable([q, k, v], (q, k, v) => {
    const scaledQ = tf.mul<tf.Tensor4D>(toHeads(q), scale);
    const [headsOfK, headsOfV] = [toHeads(k), toHeads(v)];
    const scores = tf.add<tf.Tensor4D>(tf.matMul(scaledQ, headsOfK, false, true), padding);
    const weights = tf.softmax(scores); // (B, H, T, T)
    return {
      value: fromHeads(tf.matMul(weights, headsOfV)),
      save: [scaledQ, headsOfK, headsOfV, weights],
      gradient: (dy, saved) => {
        const [scaledQ, k, v, weights] = saved as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const dMixed = toHeads(dy);
        const dV = tf.matMul(weights, dMixed, true, false);
        const dWeights = tf.mul(tf.matMul(dMixed, v, false, true), weights);
        const dScores = tf.sub<tf.Tensor4D>(dWeights, tf.mul(weights, tf.sum(dWeights, -1, true)));
        const dQ = tf.mul<tf.Tensor4D>(tf.matMul(dScores, k), scale);
        const dK = tf.matMul(dScores, scaledQ, true, false);
        return [dQ, dK, dV].map((d) => fromHeads(d as tf.Tensor4D));
      },
    };
  });
}
