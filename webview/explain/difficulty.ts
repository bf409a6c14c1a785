/**
 * The automatic difficulty control made visible: per sample, how sure the main branch is against the loss of the sub-branch. Heo et
 * al. 2025 (https://arxiv.org/abs/2306.11339).
 */

import type { Samples } from '../../src/core/samples.ts';
import { mean } from '../../src/core/statistics.ts';
import { isRight } from './sampleFacts.ts';

/** Of the class that the main branch ranks first, or of the label. */
export const confidences = ['certainty', 'confidence'] as const;
export type Confidence = (typeof confidences)[number];

export interface Point {
  /** Position in the record. */
  readonly index: number;
  readonly x: number;
  readonly y: number;
  readonly right: boolean;
}

/** A point for each sample with two finite numbers, by x. */
export function pointsOf({ training }: Samples, confidence: Confidence): Point[] {
  const points = training.flatMap((sample, index): Point[] => {
    const [x, y] = [sample.main[confidence], sample.sub?.loss];
    if (y === undefined || !Number.isFinite(x) || !Number.isFinite(y)) return [];
    return [{ index, x, y, right: isRight(sample) }];
  });
  return points.sort((a, b) => a.x - b.x || a.y - b.y);
}

export interface Group {
  readonly count: number;
  readonly meanLoss: number;
}

export interface Difficulty {
  readonly right: Group;
  readonly wrong: Group;
  /** Spearman's rank correlation of confidence and loss; nothing where one of them does not vary. */
  readonly correlation: number | undefined;
}

export function summaryOf(points: readonly Point[]): Difficulty {
  const group = (right: boolean): Group => {
    const losses = points.filter((point) => point.right === right).map(({ y }) => y);
    return { count: losses.length, meanLoss: losses.length > 0 ? mean(losses) : Number.NaN };
  };
  return { right: group(true), wrong: group(false), correlation: rankCorrelation(points) };
}

function rankCorrelation(points: readonly Point[]): number | undefined {
  const [x, y] = [ranks(points.map((point) => point.x)), ranks(points.map((point) => point.y))];
  const middle = (points.length - 1) / 2;
  const product = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, rank, i) => sum + (rank - middle) * ((b[i] ?? middle) - middle), 0);
  const spread = Math.sqrt(product(x, x) * product(y, y));
  return spread > 0 ? product(x, y) / spread : undefined;
}

/** The place of each value in their order, from 0; equal ones share the mean of their places. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((value, i) => ({ value, i })).sort((a, b) => a.value - b.value);
  const ranked: number[] = Array.from({ length: values.length }, () => 0);
  for (let begin = 0; begin < order.length; ) {
    let end = begin + 1;
    while (order[end]?.value === order[begin]?.value && end < order.length) end++;
    for (const { i } of order.slice(begin, end)) ranked[i] = (begin + end - 1) / 2;
    begin = end;
  }
  return ranked;
}

export interface LossScale {
  readonly min: number;
  readonly max: number;
  readonly isLog: boolean;
}

/** A scale on which all these losses have a place; what is not above 0 lies on the lower edge of a logarithmic one. */
export function lossScale(points: readonly Point[], isLog: boolean): LossScale {
  const losses = points.map(({ y }) => y).filter((y) => !isLog || y > 0);
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  if (losses.length === 0) return isLog ? { min: 0.1, max: 10, isLog } : { min: 0, max: 1, isLog };
  if (isLog) return { min: low / 1.3, max: high * 1.3, isLog };
  const [min, max] = [Math.min(0, low), high > 0 ? high * 1.05 : 1];
  return { min, max, isLog };
}

/** 0 at the lower end of the scale, 1 at its upper end. */
export function placeOn({ min, max, isLog }: LossScale, loss: number): number {
  const place = isLog ? Math.log(Math.max(loss, min) / min) / Math.log(max / min) : (loss - min) / (max - min);
  return Math.min(1, Math.max(0, place));
}

/** The next point along an axis from one of them; at the end it stays. */
export function neighbour(points: readonly Point[], from: number, along: 'x' | 'y', by: 1 | -1): number {
  const across = along === 'x' ? 'y' : 'x';
  const order = [...points].sort((a, b) => a[along] - b[along] || a[across] - b[across] || a.index - b.index);
  const at = order.findIndex(({ index }) => index === from);
  if (at < 0) return (by > 0 ? order[0] : order.at(-1))?.index ?? from;
  return order[at + by]?.index ?? from;
}
