/** A table of scalars: rows in chunks that leave memory once they are full, and buckets of 64 rows that stay. */
import type { Axis } from '../../core/metricQuery.ts';
import type { ChunkPlace, ChunkStore } from './chunkStore.ts';

export const CHUNK_ROWS = 1024;
export const BUCKET_LEVEL = 6;
export const BUCKET_ROWS = 1 << BUCKET_LEVEL;
export const axisNames: readonly Axis[] = ['step', 'epoch', 'time', 'images', 'flops'];
const AXES = axisNames.length;
export const AXIS_COUNT = AXES;

/** What a row holds in a column that it says nothing of: NaN is a value that a run may log. */
export const ABSENT = -Number.MAX_VALUE;

/** Per bucket: lowest, highest, sum and last of the finite values, how many these are, and how many values there are at all. */
export const BUCKET_FIELDS = 6;

/** Columns beyond so many are left out: a log that names a new one in every row must not fill the memory. */
export const MOST_COLUMNS = 512;

export class Table {
  readonly names: string[] = [];
  /** True where columns were left out. */
  leftOut = false;
  rows = 0;
  readonly chunks: ChunkPlace[] = [];
  readonly #store: ChunkStore;
  readonly #columns = new Map<string, number>();
  /** Per column BUCKET_FIELDS numbers a bucket. Float64 throughout: Float32 cannot hold bytes, FLOPs or steps beyond 2^24. */
  readonly #buckets: Float64Array[] = [];
  /** First and last x of each bucket on each axis. */
  #ends: Float64Array = new Float64Array(64 * 2 * AXES);
  /** The rows of the chunk that is not full yet, column by column, the axes first. */
  #tail = new Float64Array(AXES * CHUNK_ROWS);
  /** The rows of the bucket under way, row by row: they are taken into tail and bucket together, a column at a time. */
  #stage = new Float64Array(AXES * BUCKET_ROWS);
  /** Rows that tail and buckets know. */
  #counted = 0;
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
    this.#count(); // the rows so far have one column less
    const column = this.names.push(name) - 1;
    this.#columns.set(name, column);
    this.#buckets.push(new Float64Array((this.#ends.length / (2 * AXES)) * BUCKET_FIELDS));
    const before = this.#tail.length;
    this.#tail = grown(this.#tail, before + CHUNK_ROWS).fill(ABSENT, before);
    this.#stage = new Float64Array((AXES + this.names.length) * BUCKET_ROWS).fill(ABSENT);
    return column;
  }

  find(name: string): number | undefined {
    return this.#columns.get(name);
  }

  /** Appends a row: its x on each axis, and the values of some columns. */
  add(x: Float64Array, columns: Int32Array, values: Float64Array): void {
    const stage = this.#stage;
    const last = this.#x;
    const at = (this.rows % BUCKET_ROWS) * (AXES + this.names.length);
    for (let axis = 0; axis < AXES; axis++) {
      // An axis never goes back, whatever the log says: windows look rows up by it.
      const before = last[axis] ?? 0;
      const here = x[axis] ?? Number.NaN;
      const is =
        here >= before && here < Number.POSITIVE_INFINITY ? here : before > Number.NEGATIVE_INFINITY ? before : 0;
      last[axis] = is;
      stage[at + axis] = is;
    }
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i] ?? -1;
      if (column >= 0) stage[at + AXES + column] = values[i] ?? Number.NaN;
    }
    this.rows++;
    if (this.rows % BUCKET_ROWS !== 0) return;
    this.#count();
    if (this.rows % CHUNK_ROWS === 0) this.chunks.push(this.#store.write(this.#tail));
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

  /** The buckets of a column. */
  bucketsOf(column: number): Float64Array | undefined {
    this.#count();
    return this.#buckets[column];
  }

  /** First (0) or last (1) x of a bucket. */
  endOf(bucket: number, axis: number, which: 0 | 1): number {
    this.#count();
    return this.#ends[(bucket * AXES + axis) * 2 + which] ?? Number.NaN;
  }

  /** Rows of some columns, by their number in a row: the axes first (`AXIS_COUNT`), then the columns. */
  read(start: number, end: number, columns: readonly number[]): Float64Array[] {
    this.#count();
    const out = columns.map(() => new Float64Array(Math.max(0, end - start)).fill(ABSENT));
    for (let at = start; at < end; ) {
      const chunk = Math.floor(at / CHUNK_ROWS);
      const first = at - chunk * CHUNK_ROWS;
      const last = Math.min(CHUNK_ROWS, end - chunk * CHUNK_ROWS);
      const place = this.chunks[chunk];
      const data = place ? this.#store.read(place) : this.#tail;
      for (const [i, column] of columns.entries()) {
        // A chunk that was written before the column came is shorter.
        const values = data.subarray(column * CHUNK_ROWS + first, Math.min(data.length, column * CHUNK_ROWS + last));
        if (values.length > 0) out[i]?.set(values, at - start);
      }
      at += last - first;
    }
    return out;
  }

  /** What a cache must hold beside the chunks: ends, buckets and the rows of the last chunk. */
  pack(): Float64Array[] {
    this.#count();
    const count = this.bucketCount;
    return [
      this.#ends.subarray(0, count * 2 * AXES),
      ...this.#buckets.map((of) => of.subarray(0, count * BUCKET_FIELDS)),
      ...this.#tailColumns(this.rows % CHUNK_ROWS),
    ];
  }

  /** The reverse of `pack` on an empty table; returns how many numbers were taken. */
  unpack(data: Float64Array, names: readonly string[], rows: number, chunks: readonly ChunkPlace[]): number {
    for (const name of names) this.column(name);
    this.rows = rows;
    this.#counted = rows;
    this.chunks.push(...chunks);
    const count = this.bucketCount;
    this.#reserve(count);
    let at = 0;
    const take = (into: Float64Array, length: number) => {
      into.set(data.subarray(at, at + length));
      at += length;
    };
    take(this.#ends, count * 2 * AXES);
    for (const of of this.#buckets) take(of, count * BUCKET_FIELDS);
    for (const of of this.#tailColumns(CHUNK_ROWS)) take(of, rows % CHUNK_ROWS);
    for (let axis = 0; count > 0 && axis < AXES; axis++) this.#x[axis] = this.endOf(count - 1, axis, 1);
    return at;
  }

  /** Takes the staged rows, all of one bucket, into the tail and the bucket. */
  #count(): void {
    const rows = this.rows - this.#counted;
    if (rows === 0) return;
    const bucket = Math.floor(this.#counted / BUCKET_ROWS);
    this.#reserve(bucket + 1);
    const width = AXES + this.names.length;
    const first = this.#counted % BUCKET_ROWS;
    const from = first * width;
    for (let column = 0; column < width; column++) {
      const at = column * CHUNK_ROWS + (this.#counted % CHUNK_ROWS);
      for (let row = 0; row < rows; row++) this.#tail[at + row] = this.#stage[from + row * width + column] ?? ABSENT;
      const of = this.#buckets[column - AXES];
      if (of) addToBucket(of, bucket * BUCKET_FIELDS, this.#tail, at, at + rows);
      else {
        const end = (bucket * AXES + column) * 2;
        if (first === 0) this.#ends[end] = this.#tail[at] ?? 0;
        this.#ends[end + 1] = this.#tail[at + rows - 1] ?? 0;
      }
    }
    this.#stage.fill(ABSENT, from, from + rows * width);
    this.#counted = this.rows;
  }

  #truncate(rows: number): void {
    this.#count();
    const chunk = Math.floor(rows / CHUNK_ROWS);
    const kept = rows % CHUNK_ROWS;
    if (chunk < this.chunks.length && kept > 0) {
      const all = Array.from({ length: AXES + this.names.length }, (_, i) => i);
      const data = this.read(chunk * CHUNK_ROWS, rows, all);
      for (const [i, of] of this.#tailColumns(kept).entries()) of.set(data[i] ?? []);
    }
    this.chunks.length = Math.min(chunk, this.chunks.length);
    const bucket = Math.floor(rows / BUCKET_ROWS);
    for (const of of this.#buckets) of.fill(0, bucket * BUCKET_FIELDS);
    this.rows = rows;
    this.#counted = bucket * BUCKET_ROWS;
    const width = AXES + this.names.length;
    for (const [column, of] of this.#tailColumns(kept).entries()) {
      for (let row = this.#counted; row < rows; row++)
        this.#stage[(row % BUCKET_ROWS) * width + column] = of[row % CHUNK_ROWS] ?? ABSENT;
    }
    const last = this.bucketCount - 1;
    for (let axis = 0; axis < AXES; axis++) {
      this.#x[axis] = rows > 0 ? this.endOf(last, axis, 1) : Number.NEGATIVE_INFINITY;
    }
  }

  #tailColumns(rows: number): Float64Array[] {
    return Array.from({ length: AXES + this.names.length }, (_, i) =>
      this.#tail.subarray(i * CHUNK_ROWS, i * CHUNK_ROWS + rows),
    );
  }

  #reserve(buckets: number): void {
    const room = this.#ends.length / (2 * AXES);
    if (buckets <= room) return;
    const more = Math.max(buckets, room * 2);
    this.#ends = grown(this.#ends, more * 2 * AXES);
    for (const [i, of] of this.#buckets.entries()) this.#buckets[i] = grown(of, more * BUCKET_FIELDS);
  }
}

/** Adds some numbers to a bucket; those that are absent don't count. */
export function addToBucket(of: Float64Array, at: number, values: Float64Array, start: number, end: number): void {
  let finite = of[at + 4] ?? 0;
  let low = finite > 0 ? (of[at] ?? 0) : Number.POSITIVE_INFINITY;
  let high = finite > 0 ? (of[at + 1] ?? 0) : Number.NEGATIVE_INFINITY;
  let sum = of[at + 2] ?? 0;
  let last = of[at + 3] ?? 0;
  let count = of[at + 5] ?? 0;
  for (let i = start; i < end; i++) {
    const value = values[i] ?? ABSENT;
    if (value === ABSENT) continue;
    count++;
    if (!(value > Number.NEGATIVE_INFINITY && value < Number.POSITIVE_INFINITY)) continue;
    finite++;
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value;
    last = value;
  }
  of[at + 5] = count;
  if (finite === 0) return;
  of[at] = low;
  of[at + 1] = high;
  of[at + 2] = sum;
  of[at + 3] = last;
  of[at + 4] = finite;
}

function grown(of: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const more = new Float64Array(length);
  more.set(of);
  return more;
}
