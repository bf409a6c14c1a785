/** What a published layout of weights is: how its tensors are called, and which of ours each one is. */
import type { ModelName } from '../../core/modelConfig.ts';

/** Shapes of the tensors of a file by their names. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

export interface Layout {
  /** For a person, with who publishes it. */
  readonly title: string;
  readonly model: ModelName;
  /** Whether a file is laid out so, by what it holds. */
  readonly describes: (shapes: Shapes) => boolean;
  /** Tried in order; a tensor that none of them knows is an error. */
  readonly rules: readonly Rule[];
  /** Parameters that start anew where the file has none of them; the classifier always may. */
  readonly mayLack?: RegExp;
}

/** What becomes of the tensors with certain names. */
export type Rule = Rename | Drop;

export interface Rename {
  /** The whole name in the file. */
  readonly from: RegExp;
  /** Our name, as `String.replace` takes it; `*` stands for every block. */
  readonly to: string;
  /** The tensor is one of several whose rows together are ours: which one, of how many. */
  readonly part?: readonly [index: number, of: number];
  /** It is left out where the model has no such parameter, and what it then is. */
  readonly unlessUsed?: string;
}

export interface Drop {
  readonly from: RegExp;
  /** What it is, for a person. */
  readonly drop: string;
  /** No weight, but something that the model makes itself: nobody needs to be told. */
  readonly buffer?: true;
}

export const rename = (from: RegExp, to: string): Rename => ({ from, to });
export const drop = (from: RegExp, what: string): Drop => ({ from, drop: what });
export const dropBuffer = (from: RegExp, what: string): Drop => ({ from, drop: what, buffer: true });

/** Queries, keys and values of their own become one tensor. `from` and `to` have `@` for q, k, v and for nothing. */
export const joinedQkv = (from: string, names: readonly [q: string, k: string, v: string], to: string): Rename[] =>
  names.map((name, index) => ({ from: new RegExp(from.replace('@', name)), to, part: [index, 3] }));

/** Sides of the grid that a table with a row for each patch, after `extra` others, is of; nothing where it is none. */
export function sideOf(rows: number, extra: number): number | undefined {
  const side = Math.sqrt(rows - extra);
  return Number.isInteger(side) && side > 0 ? side : undefined;
}

/** The name of the classifier's layer in our models. */
export const classifiers: Readonly<Record<ModelName, string>> = {
  vit: 'head',
  resnet: 'fc',
  swin: 'head.fc',
  bert: 'classifier',
};
