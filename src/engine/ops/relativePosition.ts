/**
 * Relative position bias: of windows, Liu et al. 2021, section 3.2 (https://arxiv.org/abs/2103.14030); of a whole grid with a class token,
 * Bao et al. 2022 (BEiT, https://arxiv.org/abs/2106.08254).
 */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/**
 * Bias of each pair of tokens, looked up in a table of relative positions: table (R, H) → (H, T, T).
 * `rowOfPair` (T·T, R) has one 1 in each row: a product copies exactly, and unlike a gather its gradient sums in a fixed order.
 */
export function relativePositionBias(table: tf.Tensor2D, rowOfPair: tf.Tensor2D): tf.Tensor3D {
  const pairs = rowOfPair.shape[0];
  const heads = table.shape[1];
  const tokens = Math.sqrt(pairs);
  return differentiable([table], (table) => ({
    value: tf.reshape<tf.Rank.R3>(tf.matMul(table, rowOfPair, true, true), [heads, tokens, tokens]),
    save: [rowOfPair],
    gradient: (dy, saved) => {
      const [rowOfPair] = saved as [tf.Tensor2D];
      return [tf.matMul(rowOfPair, tf.reshape<tf.Rank.R2>(dy, [heads, pairs]), true, true)]; // (R, H)
    },
  }));
}

/** What finds the bias of each pair of tokens of a grid in a table. */
export interface GridConstants {
  /** For each pair of places in a line a 1 at their offset, (side·side, 2·side − 1). */
  readonly ofPair: tf.Tensor2D;
  /** A 1 at each pair with the class token: class to patch, patch to class, class to class, (3, T·T). */
  readonly classPairs: tf.Tensor2D;
}

export function gridConstants(side: number): GridConstants {
  const tokens = side * side + 1;
  return {
    ofPair: tf.tensor2d(offsetOfPair(side), [side * side, 2 * side - 1]),
    classPairs: tf.tensor2d(classPairsOf(tokens), [3, tokens * tokens]),
  };
}

/**
 * Bias of each pair of tokens of a grid of `side` × `side` with a class token in front: table (R, H) → (H, T, T), T = side² + 1.
 * The table's rows are all offsets (down, right), then class to patch, patch to class, and class to class. Offsets of rows and of columns
 * are looked up one after the other: for 14 × 14 patches one product for both would need a matrix of 38,809 × 732.
 * Blocks of one forward pass share `constants`, which are larger than the bias.
 */
export function gridPositionBias(table: tf.Tensor2D, side: number, constants = gridConstants(side)): tf.Tensor3D {
  const heads = table.shape[1];
  const [tokens, offsets] = [side * side + 1, 2 * side - 1];
  const { ofPair, classPairs } = constants;
  return differentiable([table], (table) => {
    const grid = tf.reshape<tf.Rank.R2>(tf.slice(table, [0, 0], [offsets * offsets, heads]), [
      offsets,
      offsets * heads,
    ]);
    const byRows = tf.reshape(tf.matMul(ofPair, grid), [side * side, offsets, heads]); // (r·r', right, H)
    const ready = tf.reshape<tf.Rank.R2>(tf.transpose(byRows, [0, 2, 1]), [side * side * heads, offsets]);
    const pairs = tf.reshape(tf.matMul(ready, ofPair, false, true), [side, side, heads, side, side]); // (r, r', H, c, c')
    const patches = tf.reshape<tf.Rank.R3>(tf.transpose(pairs, [2, 0, 3, 1, 4]), [heads, tokens - 1, tokens - 1]);
    const ofClass = tf.matMul(tf.slice(table, [offsets * offsets, 0], [3, heads]), classPairs, true, false);
    const padded = tf.pad(patches, [
      [0, 0],
      [1, 0],
      [1, 0],
    ]);
    return {
      value: tf.add<tf.Tensor3D>(padded, tf.reshape(ofClass, [heads, tokens, tokens])),
      save: [ofPair, classPairs],
      gradient: (dy, saved) => {
        const [ofPair, classPairs] = saved as [tf.Tensor2D, tf.Tensor2D];
        const dClass = tf.matMul(classPairs, tf.reshape(dy, [heads, tokens * tokens]), false, true); // (3, H)
        const dPatches = tf.reshape(tf.slice(dy, [0, 1, 1], [heads, tokens - 1, tokens - 1]), [
          heads,
          side,
          side,
          side,
          side,
        ]);
        const dPairs = tf.reshape<tf.Rank.R2>(tf.transpose(dPatches, [1, 3, 0, 2, 4]), [
          side * side * heads,
          side * side,
        ]);
        const dReady = tf.reshape(tf.matMul(dPairs, ofPair), [side * side, heads, offsets]);
        const dByRows = tf.reshape<tf.Rank.R2>(tf.transpose(dReady, [0, 2, 1]), [side * side, offsets * heads]);
        const dGrid = tf.reshape<tf.Rank.R2>(tf.matMul(ofPair, dByRows, true, false), [offsets * offsets, heads]);
        return [tf.concat([dGrid, dClass], 0)];
      },
    };
  });
}

/**
 * Of a bias of all pairs, (H, T, T), that of the pairs of kept tokens: for each sample its own, (B·H, K, K).
 * `selected` (B·K, T) has a 1 at each kept token.
 */
export function biasOfKept(bias: tf.Tensor3D, selected: tf.Tensor2D, batch: number): tf.Tensor3D {
  const [heads, tokens] = bias.shape;
  const kept = selected.shape[0] / batch;
  const ofEach = (selected: tf.Tensor) => tf.reshape<tf.Rank.R3>(selected, [batch, kept, tokens]);
  return differentiable([bias], (bias) => {
    const byQuery = tf.reshape<tf.Rank.R2>(tf.transpose(bias, [1, 0, 2]), [tokens, heads * tokens]); // (T, H·T)
    const queries = tf.reshape<tf.Rank.R3>(tf.matMul(selected, byQuery), [batch, kept * heads, tokens]);
    const pairs = tf.reshape(tf.matMul(queries, ofEach(selected), false, true), [batch, kept, heads, kept]);
    return {
      value: tf.reshape<tf.Rank.R3>(tf.transpose(pairs, [0, 2, 1, 3]), [batch * heads, kept, kept]),
      save: [selected],
      gradient: (dy, saved) => {
        const [selected] = saved as [tf.Tensor2D];
        const dPairs = tf.transpose(tf.reshape(dy, [batch, heads, kept, kept]), [0, 2, 1, 3]); // (B, K, H, K)
        const dQueries = tf.matMul(tf.reshape<tf.Rank.R3>(dPairs, [batch, kept * heads, kept]), ofEach(selected));
        const byKept = tf.reshape<tf.Rank.R2>(dQueries, [batch * kept, heads * tokens]);
        const dByQuery = tf.matMul(selected, byKept, true, false); // (T, H·T)
        return [tf.transpose(tf.reshape(dByQuery, [tokens, heads, tokens]), [1, 0, 2])];
      },
    };
  });
}

/** For each pair of places in a line of `side` a 1 at their offset, (side·side, 2·side − 1). */
function offsetOfPair(side: number): Float32Array {
  const offsets = 2 * side - 1;
  const values = new Float32Array(side * side * offsets);
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) values[(i * side + j) * offsets + i - j + side - 1] = 1;
  }
  return values;
}

/** A 1 at each pair with the class token: class to patch, patch to class, class to class, (3, T·T). */
function classPairsOf(tokens: number): Float32Array {
  const pairs = tokens * tokens;
  const values = new Float32Array(3 * pairs);
  for (let t = 1; t < tokens; t++) {
    values[t] = 1;
    values[pairs + t * tokens] = 1;
  }
  values[2 * pairs] = 1;
  return values;
}
