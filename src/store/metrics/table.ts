/** A table of scalars: rows in chunks that leave memory once they are full, and buckets of 64 rows that stay. */
import type { Axis } from '../../core/metricQuery.ts';
import type { ChunkPlace, ChunkStore } from './chunkStore.ts';

export const CHUNK_ROWS = 1024;
export const BUCKET_LEVEL = 6;
export const BUCKET_ROWS = 1 << BUCKET_LEVEL;
export const axisNames: readonly Axis[] = ['step', 'epoch', 'time', 'images', 'flops'];
const AXES = axisNames.length;

/** What a row holds in a column that it says nothing of: NaN is a value that a run may log. */
export const ABSENT = -Number.MAX_VALUE;

/** Per bucket: lowest, highest, sum and last of the finite values, how many these are, and how many values there are at all. */
export const BUCKET_FIELDS = 6;

/** Columns beyond so many are left out: a log that names a new one in every row must not fill the memory. */
const MOST_COLUMNS = 512;

export class Table {
  readonly names: string[] = [];
  /** True where columns were left out. */
  leftOut = false;
  rows = 0;
  /** Per column BUCKET_FIELDS numbers a bucket. Float64 throughout: Float32 cannot hold bytes, FLOPs or steps beyond 2^24. */
  readonly buckets: Float64Array[] = [];
  /** First and last x of each bucket on each axis. */
  ends: Float64Array = new Float64Array(64 * 2 * AXES);
  readonly chunks: ChunkPlace[] = [];
  readonly #store: ChunkStore;
  readonly #columns = new Map<string, number>();
  /** The rows of the chunk that is not full yet, column by column, the axes first. */
  #tail: Float64Array[] = axisNames.map(() => new Float64Array(CHUNK_ROWS));
  readonly #x = new Float64Array(AXES).fill(Number.NEGATIVE_INFINITY);

  constructor(store: ChunkStore) {
    this.#store = store;
  }

  /** The column of a name, made where it is new; -1 where there are too many already. */
  column(name: string): number {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    if (this.names.length >= MOST_COLUMNS) {
      this.leftOut = true;
      return -1;
    }
    const column = this.names.push(name) - 1;
    this.#columns.set(name, column);
    this.buckets.push(new Float64Array((this.ends.length / (2 * AXES)) * BUCKET_FIELDS));
    this.#tail.push(new Float64Array(CHUNK_ROWS).fill(ABSENT));
    return column;
  }

  find(name: string): number | undefined {
    return this.#columns.get(name);
  }

  /** Appends a row: its x on each axis, and the values of some columns. */
  add(x: Float64Array, columns: Int32Array, values: Float64Array): void {
    const row = this.rows % CHUNK_ROWS;
    const bucket = Math.floor(this.rows / BUCKET_ROWS);
    this.#reserve(bucket + 1);
    for (let axis = 0; axis < AXES; axis++) {
      // An axis never goes back, whatever the log says: windows look rows up by it.
      const [before, at] = [this.#x[axis] ?? 0, x[axis] ?? Number.NaN];
      const is = at >= before && at < Number.POSITIVE_INFINITY ? at : Number.isFinite(before) ? before : 0;
      this.#x[axis] = is;
      setAt(this.#tail[axis], row, is);
    }
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] ?? -1;
      if (column >= 0) setAt(this.#tail[AXES + column], row, values[i] ?? Number.NaN);
    }
    this.#count(bucket, row, columns);
    this.rows++;
    if (this.rows % CHUNK_ROWS === 0) this.#finishChunk();
  }

  /** Drops the rows with a larger step. */
  dropAfter(step: number): void {
    const kept = this.firstRow(0, (x) => x > step);
    if (kept < this.rows) this.#truncate(kept);
  }

  /** The first row whose x on the axis fulfils what later ones do too; the number of rows where none does. */
  firstRow(axis: number, holds: (x: number) => boolean): number {
    let [low, high] = [0, this.bucketCount];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.endOf(middle, axis, 1))) high = middle;
      else low = middle + 1;
    }
    const start = low * BUCKET_ROWS;
    const [x] = this.read(start, Math.min(this.rows, start + BUCKET_ROWS), [axis]);
    const within = x ? x.findIndex(holds) : -1;
    return within < 0 ? Math.min(this.rows, start + (x?.length ?? 0)) : start + within;
  }

  get bucketCount(): number {
    return Math.ceil(this.rows / BUCKET_ROWS);
  }

  /** First (0) or last (1) x of a bucket. */
  endOf(bucket: number, axis: number, which: 0 | 1): number {
    return this.ends[(bucket * AXES + axis) * 2 + which] ?? Number.NaN;
  }

  /** Rows of some columns, by their number in a row: the axes first (`AXIS_COUNT`), then the columns. */
  read(start: number, end: number, columns: readonly number[]): Float64Array[] {
    const out = columns.map(() => new Float64Array(Math.max(0, end - start)).fill(ABSENT));
    for (let at = start; at < end; ) {
      const chunk = Math.floor(at / CHUNK_ROWS);
      const first = at - chunk * CHUNK_ROWS;
      const last = Math.min(CHUNK_ROWS, end - chunk * CHUNK_ROWS);
      const place = this.chunks[chunk];
      const data = place && this.#store.read(place);
      for (const [i, column] of columns.entries()) {
        const values = data
          ? data.subarray(column * CHUNK_ROWS + first, Math.min(data.length, column * CHUNK_ROWS + last))
          : this.#tail[column]?.subarray(first, last);
        if (values && values.length > 0) out[i]?.set(values, at - start);
      }
      at += last - first;
    }
    return out;
  }

  /** What a cache must hold beside the chunks: buckets, ends and the rows of the last chunk. */
  pack(): Float64Array[] {
    const count = this.bucketCount;
    return [
      this.ends.slice(0, count * 2 * AXES),
      ...this.buckets.map((of) => of.slice(0, count * BUCKET_FIELDS)),
      ...this.#tail.map((of) => of.slice(0, this.rows % CHUNK_ROWS)),
    ];
  }

  /** The reverse of `pack` on an empty table; returns how many numbers were taken. */
  unpack(data: Float64Array, names: readonly string[], rows: number, chunks: readonly ChunkPlace[]): number {
    for (const name of names) this.column(name);
    this.rows = rows;
    this.chunks.push(...chunks);
    const count = this.bucketCount;
    this.#reserve(count);
    let at = 0;
    const take = (into: Float64Array | undefined, length: number) => {
      into?.set(data.subarray(at, at + length));
      at += length;
    };
    take(this.ends, count * 2 * AXES);
    for (const of of this.buckets) take(of, count * BUCKET_FIELDS);
    for (const of of this.#tail) take(of, rows % CHUNK_ROWS);
    for (let axis = 0; count > 0 && axis < AXES; axis++) this.#x[axis] = this.endOf(count - 1, axis, 1);
    return at;
  }

  /** Takes the row at `row` of the tail into its bucket. */
  #count(bucket: number, row: number, columns: Int32Array): void {
    const isFirst = row % BUCKET_ROWS === 0;
    for (let axis = 0; axis < AXES; axis++) {
      const x = this.#tail[axis]?.[row] ?? 0;
      const at = (bucket * AXES + axis) * 2;
      if (isFirst) this.ends[at] = x;
      this.ends[at + 1] = x;
    }
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] ?? -1;
      const of = this.buckets[column];
      const value = this.#tail[AXES + column]?.[row] ?? ABSENT;
      if (of && value !== ABSENT) addToBucket(of, bucket * BUCKET_FIELDS, value);
    }
  }

  #finishChunk(): void {
    const data = new Float64Array(this.#tail.length * CHUNK_ROWS);
    for (const [i, column] of this.#tail.entries()) {
      data.set(column, i * CHUNK_ROWS);
      column.fill(ABSENT);
    }
    this.chunks.push(this.#store.write(data));
  }

  #truncate(rows: number): void {
    const chunk = Math.floor(rows / CHUNK_ROWS);
    const kept = rows % CHUNK_ROWS;
    const all = this.#tail.map((_, i) => i);
    const data = kept > 0 ? this.read(chunk * CHUNK_ROWS, rows, all) : all.map(() => new Float64Array(0));
    this.#tail = data.map((column) => {
      const whole = new Float64Array(CHUNK_ROWS).fill(ABSENT);
      whole.set(column);
      return whole;
    });
    this.chunks.length = chunk;
    const bucket = Math.floor(rows / BUCKET_ROWS);
    for (const of of this.buckets) of.fill(0, bucket * BUCKET_FIELDS);
    this.rows = rows;
    const columns = Int32Array.from(this.names, (_, i) => i);
    for (let row = bucket * BUCKET_ROWS; row < rows; row++) this.#count(bucket, row % CHUNK_ROWS, columns);
    const last = Math.ceil(rows / BUCKET_ROWS) - 1;
    for (let axis = 0; axis < AXES; axis++) {
      this.#x[axis] = rows > 0 ? this.endOf(last, axis, 1) : Number.NEGATIVE_INFINITY;
    }
  }

  #reserve(buckets: number): void {
    const room = this.ends.length / (2 * AXES);
    if (buckets <= room) return;
    const more = Math.max(buckets, room * 2);
    this.ends = grown(this.ends, more * 2 * AXES);
    for (const [i, of] of this.buckets.entries()) this.buckets[i] = grown(of, more * BUCKET_FIELDS);
  }
}

export const AXIS_COUNT = AXES;

export function addToBucket(of: Float64Array, at: number, value: number): void {
  of[at + 5] = (of[at + 5] ?? 0) + 1;
  if (!(value > Number.NEGATIVE_INFINITY && value < Number.POSITIVE_INFINITY)) return;
  const finite = of[at + 4] ?? 0;
  if (finite === 0 || value < (of[at] ?? 0)) of[at] = value;
  if (finite === 0 || value > (of[at + 1] ?? 0)) of[at + 1] = value;
  of[at + 2] = (of[at + 2] ?? 0) + value;
  of[at + 3] = value;
  of[at + 4] = finite + 1;
}

function grown(of: Float64Array, length: number): Float64Array {
  const more = new Float64Array(length);
  more.set(of);
  return more;
}

function setAt(of: Float64Array | undefined, at: number, value: number): void {
  if (of) of[at] = value;
}
