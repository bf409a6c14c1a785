/** Square windows of a token grid and their cyclic shift. Liu et al. 2021, section 3.2 (https://arxiv.org/abs/2103.14030). */
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

/** How a grid of `side` × `side` tokens is cut: shifted cyclically by `shift` up and left, then into `window` × `window`. */
export interface WindowGrid {
  readonly side: number;
  /** Divides `side`. */
  readonly window: number;
  readonly shift: number;
}

/** x (B·S·S, D), row by row → (B·N·T, D): N windows of a sample row by row, T tokens of a window row by row. */
export function toWindows(x: tf.Tensor2D, grid: WindowGrid): tf.Tensor2D {
  return differentiable([x], (x) => ({
    value: cut(x, grid),
    save: [],
    gradient: (dy) => [join(dy, grid)],
  }));
}

/** The inverse of `toWindows`. */
export function fromWindows(x: tf.Tensor2D, grid: WindowGrid): tf.Tensor2D {
  return differentiable([x], (x) => ({
    value: join(x, grid),
    save: [],
    gradient: (dy) => [cut(dy, grid)],
  }));
}

/**
 * Pairs of tokens that share a shifted window without being neighbours in the image: 1 where attention is forbidden,
 * (N, T, T). The shift brings the first rows and columns to the end, where they meet what was there.
 */
export function blockedPairs({ side, window, shift }: WindowGrid): Uint8Array {
  const perRow = side / window;
  const tokens = window * window;
  const region = (at: number) => (at < side - window ? 0 : at < side - shift ? 1 : 2);
  const blocked = new Uint8Array(perRow * perRow * tokens * tokens);
  for (let n = 0; n < perRow * perRow; n++) {
    const [top, left] = [Math.floor(n / perRow) * window, (n % perRow) * window];
    const regions = Array.from({ length: tokens }, (_, t) => {
      return 3 * region(top + Math.floor(t / window)) + region(left + (t % window));
    });
    for (let i = 0; i < tokens; i++) {
      for (let j = 0; j < tokens; j++) blocked[(n * tokens + i) * tokens + j] = regions[i] === regions[j] ? 0 : 1;
    }
  }
  return blocked;
}

/** For each pair of tokens of a window the row of the relative position bias table, (T, T). */
export function relativePositionIndex(window: number): Int32Array {
  const tokens = window * window;
  return Int32Array.from({ length: tokens * tokens }, (_, pair) => {
    const [i, j] = [Math.floor(pair / tokens), pair % tokens];
    const down = Math.floor(i / window) - Math.floor(j / window) + window - 1;
    const right = (i % window) - (j % window) + window - 1;
    return down * (2 * window - 1) + right;
  });
}

function cut(x: tf.Tensor2D, { side, window, shift }: WindowGrid): tf.Tensor2D {
  const [rows, width] = x.shape;
  const lines = tf.reshape<tf.Rank.R4>(roll(x, side, shift), [
    rows / (side * window),
    window,
    side / window,
    window * width,
  ]);
  return tf.reshape(tf.transpose(lines, [0, 2, 1, 3]), [rows, width]); // (B·N/row, N/row, W, W·D)
}

function join(x: tf.Tensor2D, { side, window, shift }: WindowGrid): tf.Tensor2D {
  const [rows, width] = x.shape;
  const windows = tf.reshape<tf.Rank.R4>(x, [rows / (side * window), side / window, window, window * width]);
  return roll(tf.reshape(tf.transpose(windows, [0, 2, 1, 3]), [rows, width]), side, side - shift);
}

/** Moves every grid up and left by `shift`; what leaves comes in at the other end. x (B·S·S, D). */
function roll(x: tf.Tensor2D, side: number, shift: number): tf.Tensor2D {
  if (shift % side === 0) return x;
  const [rows, width] = x.shape;
  const up = rollMiddle(tf.reshape(x, [rows / (side * side), side, side * width]), shift);
  return tf.reshape(rollMiddle(tf.reshape(up, [rows / side, side, width]), shift), [rows, width]);
}

function rollMiddle(x: tf.Tensor3D, shift: number): tf.Tensor3D {
  const [outer, length, inner] = x.shape;
  const first = tf.slice(x, [0, 0, 0], [outer, shift, inner]);
  return tf.concat([tf.slice(x, [0, shift, 0], [outer, length - shift, inner]), first], 1);
}
