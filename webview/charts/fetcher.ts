/** Asks the extension for windows: only what is wanted now, one request at a time, a few times a second. */
import type { ArraysToDashboard, FromDashboard } from '../../src/core/messages.ts';
import type { MetricWindow, WindowQuery } from '../../src/core/metricQuery.ts';

/** A query, and how much the table held when it was wanted: the same query is asked again once there is more. */
export interface Wanted {
  readonly run: string;
  readonly query: WindowQuery;
  readonly version: number;
  /** Asks for the whole axis, not for a part of it. */
  readonly whole: boolean;
  /** Width of the charts that it is for. */
  readonly pixels: number;
  /** Charts that have nothing yet, for which the same query is asked again. */
  readonly missing: readonly string[];
}

export interface Answered {
  readonly wanted: Wanted;
  readonly window: MetricWindow;
}

/** Time, so that a test can hold it. */
export interface Clock {
  readonly now: () => number;
  readonly later: (call: () => void, ms: number) => void;
}

type WindowsAnswer = Extract<ArraysToDashboard, { type: 'windows' }>;

/** Between two requests, in milliseconds: five a second. */
const BETWEEN_MS = 200;
/** A request without an answer for so long is lost: the extension was restarted, or was shown something else meanwhile. */
const LOST_MS = 10_000;

export class Fetcher {
  readonly #send: (message: FromDashboard) => void;
  readonly #clock: Clock;
  #wanted: readonly Wanted[] = [];
  /** What was wanted of each query that was answered. */
  readonly #answered = new Map<string, Wanted>();
  #flying: { readonly request: number; readonly wanted: readonly Wanted[] } | undefined;
  #request = 0;
  #lastSent = Number.NEGATIVE_INFINITY;
  #waiting = false;

  constructor(send: (message: FromDashboard) => void, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  /** Replaces what was wanted before. */
  want(wanted: readonly Wanted[]): void {
    this.#wanted = wanted;
    this.#forget();
    this.#schedule();
  }

  /** Forgets answers and what is on its way: the charts show something else. */
  restart(): void {
    this.#answered.clear();
    this.#flying = undefined;
  }

  /** What an answer holds; nothing where it is one that nobody waits for any more. */
  answer({ request, windows }: WindowsAnswer): Answered[] {
    if (this.#flying?.request !== request) return [];
    const { wanted } = this.#flying;
    this.#flying = undefined;
    const answered = wanted.flatMap((one, i) => {
      // A null too is an answer: the run is not shown; what is shown is wanted anew.
      this.#answered.set(keyOf(one), one);
      const window = windows[i];
      return window ? [{ wanted: one, window }] : [];
    });
    this.#forget();
    this.#schedule();
    return answered;
  }

  #schedule(): void {
    if (this.#waiting || this.#flying || this.#due().length === 0) return;
    this.#waiting = true;
    const wait = Math.max(0, this.#lastSent + BETWEEN_MS - this.#clock.now());
    this.#clock.later(() => {
      this.#waiting = false;
      this.#ask();
    }, wait);
  }

  #ask(): void {
    const due = this.#due();
    if (due.length === 0 || this.#flying) return;
    this.#request++;
    const request = this.#request;
    this.#lastSent = this.#clock.now();
    this.#flying = { request, wanted: due };
    this.#send({ type: 'windows', request, queries: due.map(({ run, query }) => ({ run, query })) });
    this.#clock.later(() => this.#lose(request), LOST_MS);
  }

  #lose(request: number): void {
    if (this.#flying?.request !== request) return;
    this.#flying = undefined;
    this.#schedule();
  }

  #due(): Wanted[] {
    return this.#wanted.filter((one) => {
      const before = this.#answered.get(keyOf(one));
      return before?.version !== one.version || one.missing.some((chart) => !before.missing.includes(chart));
    });
  }

  /** Answers to what is not wanted now. */
  #forget(): void {
    const wanted = new Set(this.#wanted.map(keyOf));
    for (const key of this.#answered.keys()) if (!wanted.has(key)) this.#answered.delete(key);
  }
}

function keyOf({ run, query }: Wanted): string {
  const { table, axis, from, to, buckets, names } = query;
  return [run, table, axis, from, to, buckets, names.join(',')].join('|');
}
