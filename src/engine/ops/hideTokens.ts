/** Token replacement: hides the tokens of some patches behind a learned token. Xie et al. 2022 (SimMIM), https://arxiv.org/abs/2111.09886. */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** Which part of a grid of `side` × `side` tokens each hidden patch covers: `perPatch` × `perPatch` of them. */
export interface PatchGrid {
  readonly side: number;
  readonly perPatch: number;
}

/** x (B·S·S, D), token (D), hidden (B, patches): 1 where a patch is hidden → x with `token` in its tokens. */
export function hideTokens(x: tf.Tensor2D, token: tf.Tensor1D, hidden: tf.Tensor2D, grid: PatchGrid): tf.Tensor2D {
  const isHidden = byToken(hidden, grid); // (B·S·S, 1)
  return differentiable([x, token], (x, token) => {
    const isVisible = tf.sub<tf.Tensor2D>(1, isHidden);
    return {
      value: tf.add<tf.Tensor2D>(tf.mul(x, isVisible), tf.mul(isHidden, token)),
      save: [isVisible, isHidden],
      gradient: (dy, saved) => {
        const [isVisible, isHidden] = saved as [tf.Tensor2D, tf.Tensor2D];
        return [tf.mul(dy, isVisible), tf.sum(tf.mul(dy, isHidden), 0)];
      },
    };
  });
}

/** x as it is where nothing is hidden; tfjs wants a gradient of every parameter, so `token` gets one of zeros. */
export function hideNothing(x: tf.Tensor2D, token: tf.Tensor1D): tf.Tensor2D {
  return differentiable([x, token], (x, token) => ({
    value: tf.clone(x as tf.Tensor2D),
    save: [],
    gradient: (dy) => [tf.clone(dy), tf.zeros(token.shape)],
  }));
}

/** (B, patches) → (B·S·S, 1): each patch's number at all its tokens. */
function byToken(hidden: tf.Tensor2D, { side, perPatch }: PatchGrid): tf.Tensor2D {
  const batch = hidden.shape[0];
  const patches = side / perPatch;
  const wide = tf.tile(tf.reshape<tf.Rank.R3>(hidden, [batch * patches, patches, 1]), [1, 1, perPatch]);
  const tall = tf.tile(tf.reshape<tf.Rank.R3>(wide, [batch * patches, 1, side]), [1, perPatch, 1]);
  return tf.reshape(tall, [batch * side * side, 1]);
}
