/** Whether a run that was made again came out the same: number by number, and why not. */
import type { RunEvent, RunEventOf } from './events.ts';
import { significant } from './format.ts';

/** What is known of a run that may change its numbers. */
export interface Circumstances {
  /** Facts by their name: versions, processor, threads, backend, executor, precision. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** Those that count (see `eventsThatCount`), in order; they are gone through once, so a long log need not be in memory. */
  readonly events: Iterable<RunEvent>;
}

export interface Reproduction {
  /** Numbers of the events that were compared, and how many of them are equal to the bit. */
  readonly compared: number;
  readonly equal: number;
  /** The first that is not: its event and step. */
  readonly first?: { readonly name: string; readonly step: number };
  /** The largest relative deviation, |a − b| / max(|a|, |b|), and where. */
  readonly largest?: { readonly name: string; readonly step: number; readonly deviation: number };
  /** Events that only one of the two has, as where one was stopped. */
  readonly missing: number;
  /** Facts in which the runs differ: name, then and now. */
  readonly reasons: readonly (readonly [name: string, before: string, now: string])[];
}

/** Compares what two runs said, step by step; time, memory and speed are not compared. */
export function compareRepeated(before: Circumstances, now: Circumstances): Reproduction {
  const [left, right] = [new StepReader(before.events), new StepReader(now.events)];
  let [compared, equal, missing] = [0, 0, 0];
  let first: Reproduction['first'];
  let largest: Reproduction['largest'];
  let [then, again] = [left.next(), right.next()];
  while (then || again) {
    const isThen = then !== undefined && (again === undefined || then.step <= again.step);
    const isAgain = again !== undefined && (then === undefined || again.step <= then.step);
    const [values, others] = [isThen && then ? then.numbers : NONE, isAgain && again ? again.numbers : NONE];
    for (const [name, value] of values) {
      const other = others.get(name);
      if (other === undefined) {
        missing++;
        continue;
      }
      compared++;
      if (Object.is(value, other)) {
        equal++;
        continue;
      }
      const step = then?.step ?? 0;
      first ??= { name, step };
      const deviation = relative(value, other);
      if (!largest || deviation > largest.deviation) largest = { name, step, deviation };
    }
    for (const name of others.keys()) if (!values.has(name)) missing++;
    if (isThen) then = left.next();
    if (isAgain) again = right.next();
  }
  return {
    compared,
    equal,
    ...(first ? { first } : {}),
    ...(largest ? { largest } : {}),
    missing,
    reasons: differences(factsOf(before.facts, left.start), factsOf(now.facts, right.start)),
  };
}

/** The report as sentences. */
export function describeReproduction(result: Reproduction): string[] {
  const { compared, equal, first, largest, missing, reasons } = result;
  const count = (n: number) => n.toLocaleString('en');
  const lines =
    first && largest
      ? [
          `Not bit-identical: ${count(compared - equal)} of ${count(compared)} numbers differ, the first at step ${first.step} (${first.name}).`,
          `The largest relative deviation is ${significant(largest.deviation)}, of ${largest.name} at step ${largest.step}.`,
        ]
      : compared > 0
        ? [`Bit-identical: all ${count(compared)} losses, gradient statistics and validation results are equal.`]
        : ['There is nothing to compare: the runs have no step or validation in common.'];
  if (missing > 0) lines.push(`${count(missing)} numbers are in one of the two runs only.`);
  if (reasons.length > 0) {
    lines.push('What is not as it was:', ...reasons.map(([name, then, now]) => `  ${name}: ${then}, now ${now}`));
  } else if (first) {
    lines.push('Versions, processor, threads, data, weights and batches are the same.');
  }
  return lines;
}

interface StepNumbers {
  readonly step: number;
  /** By their names: what depends on the computation alone. */
  readonly numbers: ReadonlyMap<string, number>;
}

const NONE: StepNumbers['numbers'] = new Map();

/** The numbers of the events of one step after the other; no more than those of one are held. */
class StepReader {
  /** The first start among what was read. */
  start: RunEventOf<'start'> | undefined;
  readonly #steps: Iterator<StepNumbers>;

  constructor(events: Iterable<RunEvent>) {
    this.#steps = this.#read(events);
  }

  next(): StepNumbers | undefined {
    const { done, value } = this.#steps.next();
    return done ? undefined : value;
  }

  *#read(events: Iterable<RunEvent>): Generator<StepNumbers> {
    let current: { readonly step: number; readonly numbers: Map<string, number> } | undefined;
    for (const event of events) {
      if (event.type === 'start') this.start ??= event;
      if (event.type !== 'step' && event.type !== 'epoch' && event.type !== 'layers') continue;
      if (current && current.step !== event.step) {
        yield current;
        current = undefined;
      }
      current ??= { step: event.step, numbers: new Map() };
      if (event.type === 'step') add(current.numbers, { loss: event.loss, grad: event.grad });
      else if (event.type === 'epoch') add(current.numbers, { train: event.train, validation: event.validation });
      else add(current.numbers, { layers: event.grad });
    }
    if (current) yield current;
  }
}

function add(numbers: Map<string, number>, value: unknown, name = ''): void {
  if (typeof value === 'number') numbers.set(name, value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) add(numbers, inner, name ? `${name}.${key}` : key);
}

function relative(a: number, b: number): number {
  const size = Math.max(Math.abs(a), Math.abs(b));
  return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) / size : Number.POSITIVE_INFINITY;
}

const stated = ['initHash', 'batchHash', 'dataHash', 'backend', 'executor', 'precision', 'parameters'] as const;

function factsOf(facts: Circumstances['facts'], start: RunEventOf<'start'> | undefined): Record<string, string> {
  const said = start ? stated.map((name) => [titles[name] ?? name, String(start[name])]) : [];
  return Object.fromEntries([...said, ...Object.entries(facts).map(([name, value]) => [name, String(value)])]);
}

const titles: Readonly<Record<string, string>> = {
  initHash: 'initial weights',
  batchHash: 'first batches',
  dataHash: 'data',
};

function differences(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): [string, string, string][] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names
    .filter((name) => before[name] !== now[name])
    .map((name) => [name, before[name] ?? 'not recorded', now[name] ?? 'not recorded']);
}
