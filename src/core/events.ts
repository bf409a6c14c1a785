/** The events of a run: what `events.jsonl` holds, what `--json` prints and what the dashboard reads. */
import * as z from 'zod';

/** Schema version written into every event. */
export const EVENT_VERSION = 1;

/** JSON has no NaN or infinities; they travel as the strings "NaN", "Infinity" and "-Infinity". */
export const real = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform((text) => Number(text))]);
const count = z.number().int().nonnegative();

const envelope = {
  /** Schema version. */
  v: z.literal(EVENT_VERSION),
  /** Run id. */
  run: z.string(),
  /** Counts resumes; 0 is the first attempt. */
  attempt: count,
  /** Seconds since the run began, monotonic. */
  t: z.number().nonnegative(),
};

/** Which half of a pair a run is. */
export const roleSchema = z.enum(['baseline', 'method']);
export type Role = z.infer<typeof roleSchema>;

/** States in which a run is over. */
export const endStateSchema = z.enum(['finished', 'stopped', 'failed', 'interrupted']);
export type EndState = z.infer<typeof endStateSchema>;

/**
 * Validation metrics over `samples` samples: loss and top-1 (a fraction, 0 to 1), on whole inputs and on inputs masked at the
 * config's mask ratio.
 */
const validationSchema = z.object({
  loss: real,
  top1: real,
  maskedLoss: real.optional(),
  maskedTop1: real.optional(),
  samples: count,
});
export type Validation = z.infer<typeof validationSchema>;

/** What a run came to; written into `summary.json` and its `end` event. */
export const summarySchema = z.object({
  state: endStateSchema,
  /** Completed optimizer steps and epochs. */
  steps: count,
  epochs: z.number().nonnegative(),
  /** How the steps were executed, and in which numbers they multiplied; an older version knew only these. */
  executor: z.string().default('eager'),
  precision: z.string().default('float32'),
  /** The last validation, on every validation sample when the run finished. */
  final: validationSchema.optional(),
  /** The best validation on the way, by top-1. */
  best: z.object({ epoch: count, top1: real }).optional(),
  /** Mean training loss (main branch) and top-1 over the last epoch. */
  train: z.object({ loss: real, top1: real }).optional(),
  /** Cost: wall-clock seconds, processor seconds, images seen, floating-point operations, peak resident bytes. */
  cost: z.object({
    seconds: z.number(),
    cpuSeconds: z.number(),
    images: count,
    flops: z.number(),
    peakMemoryBytes: z.number(),
  }),
});
export type Summary = z.infer<typeof summarySchema>;

const startSchema = z.object({
  ...envelope,
  type: z.literal('start'),
  /** The experiment's name from its config. */
  name: z.string(),
  /** Shared by the runs of a pair; absent for a run on its own. */
  pair: z.string().optional(),
  role: roleSchema,
  method: z.string(),
  model: z.string(),
  dataset: z.string(),
  /** Number of trainable scalars. */
  parameters: count,
  seed: z.number().int(),
  /** Over the initial weights; equal in a pair. */
  initHash: z.string(),
  /** Over images, labels and order of the first 10 batches as they enter the step; equal in a pair. */
  batchHash: z.string(),
  dataHash: z.string(),
  backend: z.string(),
  /** Why this backend, in a sentence. */
  backendReason: z.string(),
  executor: z.string(),
  /** Why this executor, in a sentence; empty where an older version did not say. */
  executorReason: z.string().default(''),
  /** What a step needs of memory beside the process, by the executor's estimate. */
  stepMemoryBytes: z.number().optional(),
  /** In which numbers a step multiplies; an older version knew only this one. */
  precision: z.string().default('float32'),
  epochs: count,
  steps: count,
  /** Where a resumed run went on: what earlier attempts said of later steps no longer counts. */
  fromStep: count.optional(),
  /** Weight w of the sub-branch where it is constant: loss.total = (1 − w) · loss.main + w · loss.sub. */
  subWeight: z.number().optional(),
  /** For a fork: the run from whose checkpoint of that step it goes on. */
  forkOf: z.object({ run: z.string(), step: count }).optional(),
  /** Wall-clock start, ISO 8601. */
  at: z.string(),
});

const stepSchema = z.object({
  ...envelope,
  type: z.literal('step'),
  /** Completed optimizer steps. */
  step: count,
  /** Completed epochs, with fraction. */
  epoch: z.number(),
  images: count,
  /** The branches' losses as such, and `total`, the loss that is differentiated (for MaskSub half of each). */
  loss: z.object({ total: real, main: real, sub: real.optional() }),
  /** Global L2 norms: of the unhalved losses, and of the gradient that the optimizer gets, before clipping. */
  grad: z.object({ total: real, main: real, sub: real.optional(), cosine: real.optional() }),
  learningRate: z.number(),
  imagesPerSecond: real,
  /** Share of the time since the last step event in which the engine waited for samples; an older version did not measure it. */
  dataWait: real.optional(),
  memoryBytes: z.number(),
  /** Cumulative, analytic; backward counts as two forward passes. */
  flops: z.number(),
});

const layersSchema = z.object({
  ...envelope,
  type: z.literal('layers'),
  step: count,
  /** Gradient norms of each layer and branch, and the cosine between the branches. */
  grad: z.object({
    main: z.record(z.string(), real),
    sub: z.record(z.string(), real).optional(),
    cosine: z.record(z.string(), real).optional(),
  }),
});

const epochSchema = z.object({
  ...envelope,
  type: z.literal('epoch'),
  /** Completed epochs. */
  epoch: count,
  step: count,
  train: z.object({ loss: real, top1: real }),
  /** Absent in an epoch without validation. */
  validation: validationSchema.optional(),
});

const checkpointSchema = z.object({
  ...envelope,
  type: z.literal('checkpoint'),
  step: count,
  /** Relative to the run folder. */
  file: z.string(),
});

const samplesEventSchema = z.object({
  ...envelope,
  type: z.literal('samples'),
  /** The epoch whose samples were recorded, and its last step. */
  epoch: count,
  step: count,
  /** Relative to the run folder. */
  file: z.string(),
});

const stateSchema = z.object({ ...envelope, type: z.literal('state'), state: z.enum(['running', 'stopping']) });
const warningSchema = z.object({ ...envelope, type: z.literal('warning'), message: z.string() });
const endSchema = z.object({
  ...envelope,
  type: z.literal('end'),
  state: endStateSchema,
  message: z.string(),
  summary: summarySchema.optional(),
});

export const runEventSchema = z.discriminatedUnion('type', [
  startSchema,
  stepSchema,
  layersSchema,
  epochSchema,
  checkpointSchema,
  samplesEventSchema,
  stateSchema,
  warningSchema,
  endSchema,
]);
export type RunEvent = z.infer<typeof runEventSchema>;
export type RunEventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** An event as the engine says it, before the runner adds `v`, `run`, `attempt` and `t`. */
export type EngineEvent = RunEvent extends infer E
  ? E extends RunEvent
    ? Omit<E, 'v' | 'run' | 'attempt' | 't'>
    : never
  : never;

/** One line of `events.jsonl`, without the newline. */
export function encodeEvent(event: object): string {
  return JSON.stringify(event, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}

/** Reads a line of `events.jsonl`; nothing for a line that is no event (a torn last line, a type of a later version). */
export function decodeEvent(line: string): RunEvent | undefined {
  try {
    const parsed = runEventSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined; // cut off while it was written
  }
}
