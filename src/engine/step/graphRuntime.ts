/** What runs recorded graphs: libtensorflow as the engine sees it. Implemented by the runner. */
import type { InferOutputs } from './recorded/trace.ts';

/** An input of a run. `node` is the name of its placeholder. */
export interface Feed {
  readonly node: string;
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** One session: its graph only grows, its variables live until it is closed. */
export interface GraphSession {
  /** Adds the nodes of a serialized GraphDef; their names must be new. */
  extend(graph: Uint8Array): void;
  /** Runs what `fetches` and `targets` need, off the main thread. A fetched value is float32. */
  run(feeds: readonly Feed[], fetches: readonly string[], targets: readonly string[]): Promise<Float32Array[]>;
  close(): void;
}

export interface GraphRuntime {
  /** Whether it has the kernels of `native/fused`. */
  readonly fused: boolean;
  /** Shape inference for one recording. */
  inference(): { readonly infer: InferOutputs; readonly close: () => void };
  open(): GraphSession;
}
