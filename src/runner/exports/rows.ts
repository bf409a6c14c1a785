/** Every row of a run's scalars, one after the other, straight from its events: for exports that leave nothing out. */
import path from 'node:path';
import { decodeEvent, EVENT_VERSION, type RunEvent, type RunEventOf } from '../../core/events.ts';
import type { MetricTable } from '../../core/metricQuery.ts';
import { runFiles } from '../../store/layout.ts';
import { LINE_FEED, LogLines } from '../../store/logLines.ts';
import { leavesOf, matches, type Shape, shapeOf } from '../../store/metrics/shape.ts';

export interface Row {
  readonly table: MetricTable;
  readonly step: number;
  readonly epoch: number;
  /** Seconds since the run began, and milliseconds since 1970. */
  readonly time: number;
  readonly at: number;
  readonly images: number;
  readonly flops: number;
  /** By the names of `RunMetrics`. */
  readonly values: readonly (readonly [name: string, value: number])[];
}

/** In the order of the events, without what earlier attempts did after the step from which a later one went on. */
export function* rowsOf(folder: string): Generator<Row> {
  const file = path.join(folder, runFiles.events);
  const later = restarts(file);
  const reader = new RowReader();
  let attempt = 0;
  for (const line of linesOf(file)) {
    const row = reader.take(line);
    if (row === 'start') attempt++;
    else if (row && !later.slice(attempt).some((fromStep) => row.step > fromStep)) yield reader.placed(row);
  }
}

/** The events themselves, one after the other, without those that a later attempt did again. */
export function* eventsThatCountIn(folder: string): Generator<RunEvent> {
  const file = path.join(folder, runFiles.events);
  const later = restarts(file);
  let attempt = 0;
  for (const { bytes, start, end } of linesOf(file)) {
    const event = decodeEvent(bytes.toString('utf8', start, end));
    if (!event) continue;
    if (event.type === 'start') attempt++;
    const isDoneAgain = 'step' in event && later.slice(attempt).some((fromStep) => event.step > fromStep);
    if (!isDoneAgain) yield event;
  }
}

/** What an event says by itself; of a step all of it, of an epoch its number. */
interface Told extends Pick<Row, 'table' | 'step' | 'time' | 'values'> {
  readonly epoch: number | undefined;
  readonly images: number | undefined;
  readonly flops: number | undefined;
}

/** How the numbers of lines of one shape become a row. */
interface Plan {
  readonly type: 'step' | 'layers';
  readonly names: readonly string[];
  readonly at: Readonly<Record<'v' | 't' | 'step' | 'epoch' | 'images' | 'flops' | 'main' | 'sub', number>>;
  /** Where each of the scalars stands among the numbers. */
  readonly columns: readonly number[];
}

const NOT_SCALARS = ['v', 'attempt', 't', 'step', 'epoch', 'images', 'flops'];
/** A runner writes a handful of shapes. */
const MOST_PLANS = 8;

/** Reads the lines of steps and layers by their shapes: of a million, a few are parsed. */
class RowReader {
  readonly #known: { readonly shape: Shape; readonly plan: Plan }[] = [];
  #began = 0;
  #beganAt = 0;
  #last = { step: 0, epoch: 0, images: 0, flops: 0 };

  /** What a line holds: a row, the start of an attempt, or neither. */
  take(line: Line): Told | 'start' | undefined {
    const { bytes, view, start, end } = line;
    for (const { shape, plan } of this.#known) {
      if (!matches(shape, bytes, view, start, end)) continue;
      if (shape.values[plan.at.v] === EVENT_VERSION) return toldBy(plan, shape.values);
      break;
    }
    return this.#parse(bytes.subarray(start, end));
  }

  /** With its places on all axes, for a row that counts. */
  placed({ table, step, time, values, epoch, images, flops }: Told): Row {
    const last = this.#last;
    if (epoch !== undefined && images !== undefined && flops !== undefined) {
      [last.step, last.epoch, last.images, last.flops] = [step, epoch, images, flops];
    }
    // Samples and operations grow evenly with the steps.
    const share = last.step === 0 ? 0 : step / last.step;
    return {
      table,
      step,
      epoch: epoch ?? last.epoch * share,
      time,
      at: this.#beganAt + 1000 * (time - this.#began),
      images: Math.round(last.images * share),
      flops: last.flops * share,
      values,
    };
  }

  #parse(line: Buffer): Told | 'start' | undefined {
    const text = line.toString('utf8');
    const value = parsed(text);
    if (value?.v !== EVENT_VERSION) return undefined;
    const { type } = value;
    if (type === 'step' || type === 'layers') return this.#scalars(line, value, type);
    if (type !== 'start' && type !== 'epoch') return undefined;
    const event = decodeEvent(text);
    if (event?.type === 'epoch') return ofEpoch(event);
    if (event?.type !== 'start') return undefined;
    [this.#began, this.#beganAt] = [event.t, Date.parse(event.at)];
    return 'start';
  }

  #scalars(line: Buffer, event: object, type: 'step' | 'layers'): Told | undefined {
    const { paths, values, isPlain, texts } = leavesOf(event);
    const plan = planOf(type, paths, texts);
    if (!Number.isFinite(values[plan.at.step]) || !Number.isFinite(values[plan.at.t])) return undefined;
    const shape = isPlain ? shapeOf(line, type, paths, values) : undefined;
    if (shape) {
      this.#known.unshift({ shape, plan });
      this.#known.length = Math.min(this.#known.length, MOST_PLANS);
    }
    return toldBy(plan, values);
  }
}

function planOf(type: Plan['type'], paths: readonly string[], texts: ReadonlySet<string>): Plan {
  const columns = paths.flatMap((path, i) => (NOT_SCALARS.includes(path) || texts.has(path) ? [] : [i]));
  const names = columns.map((i) => (type === 'layers' ? (paths[i] ?? '').replace(/^grad\./, '') : (paths[i] ?? '')));
  const at = (path: string) => paths.indexOf(path);
  const hasRatio = type === 'step' && at('grad.main') >= 0 && at('grad.sub') >= 0;
  return {
    type,
    names: hasRatio ? [...names, 'grad.ratio'] : names,
    columns,
    at: {
      ...{ v: at('v'), t: at('t'), step: at('step'), epoch: at('epoch'), images: at('images'), flops: at('flops') },
      main: hasRatio ? at('grad.main') : -1,
      sub: hasRatio ? at('grad.sub') : -1,
    },
  };
}

function toldBy({ type, names, columns, at }: Plan, from: ArrayLike<number>): Told {
  const number = (i: number) => from[i] ?? Number.NaN;
  const values = names.map((name, i): [string, number] => {
    const column = columns[i];
    return [name, column === undefined ? number(at.sub) / number(at.main) : number(column)];
  });
  const isStep = type === 'step';
  return {
    table: isStep ? 'steps' : 'layers',
    step: number(at.step),
    time: number(at.t),
    values,
    epoch: isStep ? number(at.epoch) : undefined,
    images: isStep ? number(at.images) : undefined,
    flops: isStep ? number(at.flops) : undefined,
  };
}

function ofEpoch({ step, t, epoch, train, validation }: RunEventOf<'epoch'>): Told {
  const { paths, values: numbers } = leavesOf({ train, validation: validation ?? {} });
  const values = paths.map((name, i) => [name, numbers[i] ?? Number.NaN] as const);
  return { table: 'epochs', step, time: t, values, epoch, images: undefined, flops: undefined };
}

function parsed(text: string): { readonly v?: unknown; readonly type?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // cut off while it was written
  }
}

/** Of each attempt after the first one: the step from which it went on. */
function restarts(file: string): number[] {
  const found: number[] = [];
  for (const bytes of new LogLines(file).pieces()) {
    for (let at = bytes.indexOf(STARTED); at >= 0; at = bytes.indexOf(STARTED, at + 1)) {
      const line = bytes.subarray(bytes.lastIndexOf(LINE_FEED, at) + 1, bytes.indexOf(LINE_FEED, at));
      const event = decodeEvent(line.toString('utf8'));
      if (event?.type === 'start') found.push(event.fromStep ?? 0);
    }
  }
  return found;
}

const STARTED = Buffer.from('"type":"start"');

/** The line feed lies at `end`. */
interface Line {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

/** The whole lines of a file, each until the next is asked for; none where there is no file. */
function* linesOf(file: string): Generator<Line> {
  for (const bytes of new LogLines(file).pieces()) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      if (end > start) yield { bytes, view, start, end };
      start = end + 1;
    }
  }
}
