/** What crosses a process: extension and dashboard, answers of the runner, and the control socket of a running pair. */
import * as z from 'zod';
import type { Role, RunEvent } from './events.ts';

/** A run as the dashboard lists it: what can be said before its first event. */
export interface RunHandle {
  readonly id: string;
  /** The experiment's name. */
  readonly name: string;
  readonly method: string;
  readonly role: Role;
  /** Shared by the runs of a pair; absent for a run on its own. */
  readonly pair?: string;
  readonly seed: number;
  /** Set where a reader found the process gone without an `end` event. */
  readonly lost: boolean;
}

/** Extension to dashboard; crosses as the text of `toWire` (wire.ts), so that NaN and infinities stay what they are. */
export type ToDashboard =
  /** Show these runs, those of one experiment, and forget all others; their events follow from the first. */
  | { readonly type: 'show'; readonly runs: readonly RunHandle[] }
  /** Events of one run, in order, each once. */
  | { readonly type: 'events'; readonly run: string; readonly events: readonly RunEvent[] }
  | { readonly type: 'lost'; readonly run: string }
  /** Something for a person to read in the panel's header: a failure to start, for one. */
  | { readonly type: 'notice'; readonly text: string };

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
