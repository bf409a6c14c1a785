/** Layers by the names of their parameters, and how parameters start: what every model needs. */
import type * as tf from '@tensorflow/tfjs-core';
import { layerNorm } from '../ops/layerNorm.ts';
import { linear } from '../ops/linear.ts';
import type { Init, Parameters } from './model.ts';

/** A parameter or buffer that must be there. */
export function get<T extends tf.Tensor>(p: Parameters, name: string): T {
  const tensor = p[name];
  if (!tensor) throw new Error(`Parameter ${name} is missing.`);
  return tensor as T;
}

/** The fully connected layer `at`. x (R, in) → (R, out). */
export function linearOf(p: Parameters, at: string, x: tf.Tensor2D): tf.Tensor2D {
  return linear(x, get(p, `${at}.weight`), get(p, `${at}.bias`));
}

/** The layer normalization `at`. x (R, D). */
export function layerNormOf(p: Parameters, at: string, x: tf.Tensor2D, epsilon: number): tf.Tensor2D {
  return layerNorm(x, get(p, `${at}.weight`), get(p, `${at}.bias`), epsilon);
}

export const constant = (value: number): Init => ({ kind: 'constant', value });
export const zeros = constant(0);
export const ones = constant(1);
export const truncatedNormal = (standardDeviation: number): Init => ({ kind: 'truncated-normal', standardDeviation });
