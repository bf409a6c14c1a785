/** Whether a run that was made again came out the same: number by number, and why not. */
import type { RunEvent, RunEventOf } from './events.ts';
import { significant } from './format.ts';
import { eventsThatCount } from './run.ts';

/** What is known of a run that may change its numbers. */
export interface Circumstances {
  /** Facts by their name: versions, processor, threads, backend, executor, precision. */
  readonly facts: Readonly<Record<string, string | number>>;
  readonly events: readonly RunEvent[];
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

/** Compares what two runs said; time, memory and speed are not compared. */
export function compareRepeated(before: Circumstances, now: Circumstances): Reproduction {
  const [then, again] = [numbersOf(before.events), numbersOf(now.events)];
  let [compared, equal, missing] = [0, 0, 0];
  let first: Reproduction['first'];
  let largest: Reproduction['largest'];
  for (const [key, { name, step, value }] of then) {
    const other = again.get(key);
    if (!other) {
      missing++;
      continue;
    }
    compared++;
    if (Object.is(value, other.value)) {
      equal++;
      continue;
    }
    first ??= { name, step };
    const deviation = relative(value, other.value);
    if (!largest || deviation > largest.deviation) largest = { name, step, deviation };
  }
  missing += [...again.keys()].filter((key) => !then.has(key)).length;
  return {
    compared,
    equal,
    ...(first ? { first } : {}),
    ...(largest ? { largest } : {}),
    missing,
    reasons: differences(factsOf(before), factsOf(now)),
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

interface Named {
  readonly name: string;
  readonly step: number;
  readonly value: number;
}

/** What depends on the computation alone. */
function numbersOf(events: readonly RunEvent[]): Map<string, Named> {
  const numbers = new Map<string, Named>();
  for (const event of eventsThatCount(events)) {
    if (event.type === 'step') add(numbers, event.step, { loss: event.loss, grad: event.grad });
    else if (event.type === 'epoch') add(numbers, event.step, { train: event.train, validation: event.validation });
    else if (event.type === 'layers') add(numbers, event.step, { layers: event.grad });
  }
  return numbers;
}

function add(numbers: Map<string, Named>, step: number, value: unknown, name = ''): void {
  if (typeof value === 'number') numbers.set(`${step} ${name}`, { name, step, value });
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) add(numbers, step, inner, name ? `${name}.${key}` : key);
}

function relative(a: number, b: number): number {
  const size = Math.max(Math.abs(a), Math.abs(b));
  return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) / size : Number.POSITIVE_INFINITY;
}

const stated = ['initHash', 'batchHash', 'dataHash', 'backend', 'executor', 'precision', 'parameters'] as const;

function factsOf({ facts, events }: Circumstances): Record<string, string> {
  const start = events.find((event): event is RunEventOf<'start'> => event.type === 'start');
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
