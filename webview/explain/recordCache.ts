/** The records that the page has asked for: each once, and at most a few kept. */
import { t } from '../../src/core/l10n.ts';
import type { ArraysToDashboard } from '../../src/core/messages.ts';
import { readRecord, type SampleRecord } from './record.ts';

/** Most records kept: each has some megabytes of images. */
export const MOST_RECORDS = 6;

export type Answer =
  | { readonly state: 'asked' }
  | { readonly state: 'read'; readonly record: SampleRecord }
  | { readonly state: 'failed'; readonly problem: string };

type SamplesMessage = Extract<ArraysToDashboard, { type: 'samples' }>;

const asked: Answer = { state: 'asked' };

export class RecordCache {
  readonly #ask: (run: string, epoch: number) => void;
  /** Least recently looked at first. */
  readonly #answers = new Map<string, { readonly run: string; readonly answer: Answer }>();

  constructor(ask: (run: string, epoch: number) => void) {
    this.#ask = ask;
  }

  /** What is known of a record; one that is not known is asked for. */
  get(run: string, epoch: number): Answer {
    const key = keyOf(run, epoch);
    const entry = this.#answers.get(key) ?? { run, answer: asked };
    const isNew = !this.#answers.delete(key);
    this.#answers.set(key, entry);
    if (isNew) this.#ask(run, epoch);
    return entry.answer;
  }

  /** The records of a run that are kept. */
  of(run: string): SampleRecord[] {
    return [...this.#answers.values()].flatMap((entry) =>
      entry.run === run && entry.answer.state === 'read' ? [entry.answer.record] : [],
    );
  }

  /** An answer; one that nobody waits for any more is dropped. */
  take(message: SamplesMessage): void {
    const key = keyOf(message.run, message.epoch);
    if (!this.#answers.has(key)) return;
    this.#answers.set(key, { run: message.run, answer: answerOf(message) });
    const read = [...this.#answers].filter(([, { answer }]) => answer.state === 'read');
    for (const [old] of read.slice(0, Math.max(0, read.length - MOST_RECORDS))) this.#answers.delete(old);
  }

  /** Forgets one, so that it is asked for again. */
  forget(run: string, epoch: number): void {
    this.#answers.delete(keyOf(run, epoch));
  }

  /** Forgets the records of all other runs. */
  keepOnly(isShown: (run: string) => boolean): void {
    for (const [key, { run }] of this.#answers) if (!isShown(run)) this.#answers.delete(key);
  }
}

function answerOf({ samples, bytes, problem }: SamplesMessage): Answer {
  if (samples === undefined) return { state: 'failed', problem: problem ?? t('Nothing is recorded of this epoch.') };
  try {
    return { state: 'read', record: readRecord(samples, bytes ?? new Uint8Array()) };
  } catch (error) {
    return { state: 'failed', problem: t('The record is damaged: {0}.', (error as Error).message) };
  }
}

const keyOf = (run: string, epoch: number) => `${epoch} ${run}`;
