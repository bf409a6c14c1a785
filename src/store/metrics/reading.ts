/** What is known of a run after its lines so far: scalars go into tables, all else is reduced to a state. */
import { decodeEvent, EVENT_VERSION, type RunEvent, type RunEventOf } from '../../core/events.ts';
import type { MetricTable } from '../../core/metricQuery.ts';
import { emptyRun, type RunState, reduceRun } from '../../core/run.ts';
import type { ChunkStore } from './chunkStore.ts';
import { leavesOf, matches, type Shape, shapeOf } from './shape.ts';
import { Table } from './table.ts';

/** Where the numbers of a shape go. */
interface Plan {
  readonly shape: Shape;
  readonly table: Table;
  /** Of each number its column; -1 for one that is none. */
  readonly columns: Int32Array;
  readonly values: Float64Array;
  readonly at: Readonly<Record<'v' | 't' | 'step' | 'epoch' | 'images' | 'flops' | 'main' | 'sub', number>>;
}

/** A runner writes a handful of shapes: steps with and without what is measured now and then. */
const MOST_PLANS = 8;
const NOT_COLUMNS = ['v', 'attempt', 't', 'step', 'epoch', 'images', 'flops'];
const RATIO = 'grad.ratio';
const NO_SHAPE = {
  ...{ lengths: new Int32Array(0), words: new Int32Array(0), rest: new Uint8Array(0), values: new Float64Array(0) },
};

export class Reading {
  readonly tables: Readonly<Record<MetricTable, Table>>;
  state: RunState;
  skipped = 0;
  newerVersion: number | undefined;
  /** All events but `step` and `layers`, and the first and the newest step of each attempt. */
  readonly digest: RunEvent[] = [];
  fresh: RunEvent[] = [];
  /** Of the newest step: what epochs, images and FLOPs a step stands for. */
  progress: [step: number, epoch: number, images: number, flops: number] = [0, 0, 0, 0];
  readonly #plans: Plan[] = [];
  readonly #x = new Float64Array(5);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** The newest step, in the reader's buffer until `hold`. */
  #pending: Buffer | undefined;
  #pendingStart = 0;
  #pendingEnd = 0;

  constructor(id: string, store: ChunkStore) {
    this.state = emptyRun(id);
    this.tables = { steps: new Table(store), epochs: new Table(store), layers: new Table(store) };
  }

  /** Takes the line from `start` to its line feed at `end`. */
  line(bytes: Buffer, start: number, end: number): void {
    if (end === start) return;
    if (this.#view.buffer !== bytes.buffer || this.#view.byteOffset !== bytes.byteOffset) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i];
      if (!plan || !matches(plan.shape, bytes, this.#view, start, end)) continue;
      if (plan.shape.values[plan.at.v] !== EVENT_VERSION) break;
      this.#row(plan, plan.shape.values);
      if (plan.shape.type === 'step') this.#step(bytes, start, end);
      return;
    }
    this.#parse(bytes, start, end);
  }

  /** The reader's buffer is about to be filled anew. */
  hold(): void {
    if (!this.#pending) return;
    this.#pending = Buffer.from(Uint8Array.from(this.#pending.subarray(this.#pendingStart, this.#pendingEnd)));
    this.#pendingEnd -= this.#pendingStart;
    this.#pendingStart = 0;
  }

  /** The newest step is decoded only now: of a million, one is wanted. */
  settle(): void {
    const event = this.#pending && decodeEvent(this.#pending.toString('utf8', this.#pendingStart, this.#pendingEnd));
    this.#pending = undefined;
    if (event?.type === 'step') this.take(event);
  }

  /** Reduces an event, and keeps it. */
  take(event: RunEvent): void {
    this.state = reduceRun(this.state, event);
    for (const list of [this.digest, this.fresh]) {
      if (event.type === 'step') this.#dropStep(list);
      list.push(event);
    }
  }

  /** Of the steps of an attempt the first and the newest say all that a state holds. */
  #dropStep(list: RunEvent[]): void {
    const i = list.findLastIndex(({ type }) => type === 'step' || type === 'start');
    const last = list[i];
    const { firstStep } = this.state;
    if (last?.type === 'step' && (last.step !== firstStep?.step || last.t !== firstStep.t)) list.splice(i, 1);
  }

  #step(bytes: Buffer, start: number, end: number): void {
    this.#pending = bytes;
    this.#pendingStart = start;
    this.#pendingEnd = end;
    if (!this.state.firstStep) this.settle();
  }

  #parse(bytes: Buffer, start: number, end: number): void {
    const line = bytes.subarray(start, end);
    let event: unknown;
    try {
      event = JSON.parse(text(line));
    } catch {
      this.skipped++;
      return;
    }
    const version = field(event, 'v');
    if (version !== EVENT_VERSION) {
      this.skipped++;
      if (typeof version === 'number' && version > EVENT_VERSION) this.newerVersion = version;
      return;
    }
    const type = field(event, 'type');
    if (typeof event === 'object' && event !== null && (type === 'step' || type === 'layers')) {
      if (!Number.isFinite(Number(field(event, 'step')))) this.skipped++;
      else this.#scalars(line, event, type);
      return;
    }
    const decoded = decodeEvent(text(line));
    if (!decoded) {
      this.skipped++;
      return;
    }
    this.settle();
    if (decoded.type === 'start')
      for (const table of Object.values(this.tables)) table.dropAfter(decoded.fromStep ?? 0);
    if (decoded.type === 'epoch') this.#epoch(decoded);
    this.take(decoded);
  }

  #scalars(line: Buffer, event: object, type: 'step' | 'layers'): void {
    const { paths, values, isPlain, texts } = leavesOf(event);
    const shape = isPlain ? shapeOf(line, type, paths, values) : undefined;
    const table = type === 'step' ? this.tables.steps : this.tables.layers;
    const plan = this.#planOf(shape ?? { ...NO_SHAPE, type, paths }, table, texts);
    if (shape) {
      this.#plans.unshift(plan);
      this.#plans.length = Math.min(this.#plans.length, MOST_PLANS);
    }
    this.#row(plan, Float64Array.from(values));
    if (type === 'step') this.#step(line, 0, line.length);
  }

  #planOf(shape: Shape, table: Table, texts: ReadonlySet<string>): Plan {
    const { paths } = shape;
    const named = (path: string) => (table === this.tables.layers ? path.replace(/^grad\./, '') : path);
    // A metric that changes its type counts as NaN; a text that never was a metric is none.
    const isNone = (path: string) =>
      NOT_COLUMNS.includes(path) || (texts.has(path) && table.find(named(path)) === undefined);
    const columns = paths.map((path) => (isNone(path) ? -1 : table.column(named(path))));
    const at = (path: string) => paths.indexOf(path);
    const hasRatio = table === this.tables.steps && at('grad.main') >= 0 && at('grad.sub') >= 0;
    if (hasRatio) columns.push(table.column(RATIO));
    return {
      shape,
      table,
      columns: Int32Array.from(columns),
      values: new Float64Array(columns.length),
      at: {
        ...{ v: at('v'), t: at('t'), step: at('step'), epoch: at('epoch'), images: at('images'), flops: at('flops') },
        main: hasRatio ? at('grad.main') : -1,
        sub: hasRatio ? at('grad.sub') : -1,
      },
    };
  }

  #row(plan: Plan, from: Float64Array): void {
    const { at, values, table } = plan;
    values.set(from);
    if (at.main >= 0) values[values.length - 1] = (from[at.sub] ?? 0) / (from[at.main] ?? 0);
    const step = from[at.step] ?? 0;
    if (plan.shape.type === 'step') {
      const x = this.#x;
      x[0] = step;
      x[1] = from[at.epoch] ?? Number.NaN;
      x[2] = from[at.t] ?? Number.NaN;
      x[3] = from[at.images] ?? Number.NaN;
      x[4] = from[at.flops] ?? Number.NaN;
      const progress = this.progress;
      progress[0] = step;
      progress[1] = x[1];
      progress[2] = x[3];
      progress[3] = x[4];
    } else this.#place(step, from[at.t] ?? Number.NaN);
    table.add(this.#x, plan.columns, values);
  }

  #epoch(event: RunEventOf<'epoch'>): void {
    const { paths, values } = leavesOf({ train: event.train, validation: event.validation ?? {} });
    const table = this.tables.epochs;
    this.#place(event.step, event.t);
    this.#x[1] = event.epoch;
    const columns = Int32Array.from(paths, (path) => table.column(path));
    table.add(this.#x, columns, Float64Array.from(values));
  }

  /** The axes of an event that says its step and time only. */
  #place(step: number, t: number): void {
    const [known, epoch, images, flops] = this.progress;
    const ratio = known > 0 ? step / known : 0;
    this.#x.set([step, epoch * ratio, t, images * ratio, flops * ratio]);
  }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}
