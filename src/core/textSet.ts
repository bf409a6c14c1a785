/** Labelled texts as tokens: what a reader makes of a table, and the engine takes its batches from. */

/** [CLS] comes first in each. */
export interface TextSet {
  readonly count: number;
  /** Token ids, (count, length). */
  readonly ids: Int32Array;
  /** Segment of each token, (count, length). */
  readonly types: Int32Array;
  /** Tokens of each text, (count); the places after them are padding. */
  readonly tokens: Int32Array;
  /** (count), from 0. */
  readonly labels: Int32Array;
}
