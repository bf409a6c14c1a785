/** What crosses a process: extension and dashboard, answers of the runner, and the control socket of a running pair. */
import * as z from 'zod';
import type { Role, RunEvent } from './events.ts';
import { type Axis, axisSchema, type MetricTable, type MetricWindow, windowQuerySchema } from './metricQuery.ts';
import { MOST_RUNS, type RunRow } from './runRow.ts';

/** A run as the dashboard lists it: what can be said before its first event. */
export interface RunHandle {
  readonly id: string;
  /** The experiment's name. */
  readonly name: string;
  readonly method: string;
  readonly role: Role;
  /** Shared by the runs of a pair; absent for a run on its own. */
  readonly pair?: string;
  /** Id of the experiment that it is part of. */
  readonly experiment: string;
  readonly seed: number;
  /** Set where a reader found the process gone without an `end` event. */
  readonly lost: boolean;
}

/** What a run's tables hold: how charts know which scalars there are, and how far they reach. */
export interface MetricFacts {
  readonly names: readonly string[];
  readonly rows: number;
  readonly extent: Readonly<Partial<Record<Axis, readonly [number, number]>>>;
}

/**
 * Extension to dashboard; all but those with arrays cross as the text of `toWire` (wire.ts), so that NaN and infinities stay what
 * they are.
 */
export type ToDashboard =
  /** Show these runs, at most MOST_RUNS, and forget all others; their events follow from the first. */
  | { readonly type: 'show'; readonly runs: readonly RunHandle[] }
  /** Events of one run, in order, each once; of the steps only some, the newest among them, and none of the layers. */
  | { readonly type: 'events'; readonly run: string; readonly events: readonly RunEvent[] }
  /** What the tables of a run hold now; charts ask for their windows anew. */
  | { readonly type: 'metrics'; readonly run: string; readonly tables: Readonly<Record<MetricTable, MetricFacts>> }
  | { readonly type: 'lost'; readonly run: string }
  /** How far the log of a long run is read, 0 to 1. */
  | { readonly type: 'reading'; readonly run: string; readonly done: number }
  /** Something about a run's folder that a person should know. */
  | { readonly type: 'problem'; readonly run: string; readonly text: string }
  /** Something for a person to read in the panel's header: a failure to start, for one. */
  | { readonly type: 'notice'; readonly text: string }
  /** Every run of the workspace, for the table. */
  | { readonly type: 'rows'; readonly rows: readonly RunRow[] }
  /** Bring a page to the front. */
  | { readonly type: 'page'; readonly page: string };

/** The messages with arrays, as they are. */
export type ArraysToDashboard =
  | {
      readonly type: 'windows';
      readonly request: number;
      /** In the order of the request's queries; nothing for a run that is not shown. */
      readonly windows: readonly (MetricWindow | null)[];
    }
  | {
      readonly type: 'samples';
      readonly run: string;
      readonly epoch: number;
      /** Nothing where they cannot be read; `problem` then says why. `bytes` is the `.bin` file. The samples are the text of `toWire`. */
      readonly samples?: string;
      readonly bytes?: Uint8Array;
      readonly problem?: string;
    };

/** A template as `masksub new --list --json` has it and a pick list shows it. */
export interface TemplateEntry {
  readonly name: string;
  readonly group: string;
  readonly title: string;
  /** One line. */
  readonly about: string;
}

/** Dashboard to extension. */
export const fromDashboardSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('stop'), run: z.string() }),
  z.object({ type: z.literal('start') }),
  z.object({ type: z.literal('showRunFolder'), run: z.string() }),
  /** Show these runs instead. */
  z.object({ type: z.literal('select'), runs: z.array(z.string()).max(MOST_RUNS) }),
  z.object({
    type: z.literal('windows'),
    request: z.number(),
    queries: z.array(z.object({ run: z.string(), query: windowQuerySchema })).max(512),
  }),
  z.object({ type: z.literal('samples'), run: z.string(), epoch: z.number().int() }),
  /** Send the rows of the table, now and whenever they change, until `wanted` is false. */
  z.object({ type: z.literal('rows'), wanted: z.boolean() }),
  z.object({
    type: z.literal('annotate'),
    run: z.string(),
    star: z.boolean().optional(),
    tags: z.array(z.string().max(100)).max(50).optional(),
    notes: z.string().max(10_000).optional(),
  }),
  /** Open the editor's own comparison of two configs. */
  z.object({ type: z.literal('diffConfigs'), a: z.string(), b: z.string() }),
  z.object({ type: z.literal('openSummary'), run: z.string() }),
  z.object({ type: z.literal('export'), runs: z.array(z.string()), charts: z.array(z.string()), axis: axisSchema }),
  /** Go on from a checkpoint with another config; the command asks for the rest. */
  z.object({ type: z.literal('fork'), run: z.string(), step: z.number().int().optional() }),
  z.object({ type: z.literal('reproduce'), run: z.string() }),
  /** The frame that shows the newest step event of a run, at this wall-clock time in ms since 1970; for the benchmark. */
  z.object({ type: z.literal('painted'), run: z.string(), step: z.number(), at: z.number() }),
]);
export type FromDashboard = z.infer<typeof fromDashboardSchema>;

/** What may be asked of a running pair through its control socket: one JSON object a line, one answer a line. */
export const controlRequestSchema = z.discriminatedUnion('command', [
  z.object({ command: z.literal('stop') }),
  z.object({ command: z.literal('status') }),
]);
export type ControlRequest = z.infer<typeof controlRequestSchema>;
export const controlAnswerSchema = z.object({ ok: z.boolean(), state: z.string(), step: z.number() });
export type ControlAnswer = z.infer<typeof controlAnswerSchema>;
