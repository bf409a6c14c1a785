/** A range of a table at the finest resolution that fits: whole buckets from memory, single rows from disk. */
import type { MetricWindow, SeriesWindow, WindowQuery } from '../../core/metricQuery.ts';
import { AXIS_COUNT, addToBucket, axisNames, BUCKET_FIELDS, BUCKET_LEVEL, BUCKET_ROWS, type Table } from './table.ts';

const MOST_PLACES = 1000;
/** A column beyond all that a table can have: its rows say nothing. */
const NOWHERE = 1e6;

export function windowOf(table: Table, { names, axis: axisName, from, to, buckets: most }: WindowQuery): MetricWindow {
  const axis = axisNames.indexOf(axisName);
  const start = table.firstRow(axis, (x) => x >= from);
  const end = Math.max(
    start,
    table.firstRow(axis, (x) => x > to),
  );
  let level = 0;
  while (countOf(start, end, level) > most) level++;
  const size = 2 ** level;
  const first = Math.max(0, Math.floor(start / size) - 1);
  const last = Math.min(
    Math.ceil(table.rows / size),
    (end > start ? Math.ceil(end / size) : Math.floor(start / size)) + 1,
  );
  const columns = names.map((name) => table.find(name) ?? -1);
  const merged =
    level < BUCKET_LEVEL
      ? fromRows(table, columns, axis, first, last, size)
      : fromBuckets(table, columns, axis, first, last, size);
  const places = columns.map((column) => notFinite(table, column, axis, start, end));
  return {
    level,
    x0: merged.x0,
    x1: merged.x1,
    rows: table.rows,
    inside: end - start,
    series: merged.of.map((of, i) => seriesOf(of, last - first, pointsOf(table, columns[i] ?? -1), places[i])),
  };
}

const countOf = (start: number, end: number, level: number) =>
  end > start ? Math.ceil(end / 2 ** level) - Math.floor(start / 2 ** level) : 0;

interface Merged {
  readonly x0: Float64Array;
  readonly x1: Float64Array;
  readonly of: readonly Float64Array[];
}

function emptyMerge(columns: readonly number[], count: number): Merged {
  const of = columns.map(() => new Float64Array(count * BUCKET_FIELDS));
  return { x0: new Float64Array(count), x1: new Float64Array(count), of };
}

function fromRows(
  table: Table,
  columns: readonly number[],
  axis: number,
  first: number,
  last: number,
  size: number,
): Merged {
  const merged = emptyMerge(columns, Math.max(0, last - first));
  const start = first * size;
  const end = Math.min(table.rows, last * size);
  const numbers = [axis, ...columns.map((column) => (column < 0 ? NOWHERE : AXIS_COUNT + column))];
  const [x, ...values] = table.read(start, end, numbers);
  for (let row = 0; row < end - start; row++) {
    const bucket = Math.floor(row / size);
    if (row % size === 0) merged.x0[bucket] = x?.[row] ?? Number.NaN;
    merged.x1[bucket] = x?.[row] ?? Number.NaN;
  }
  for (const [i, of] of merged.of.entries()) {
    const column = values[i] ?? new Float64Array(0);
    for (let row = 0; row < column.length; row += size) {
      addToBucket(of, (row / size) * BUCKET_FIELDS, column, row, Math.min(column.length, row + size));
    }
  }
  return merged;
}

function fromBuckets(
  table: Table,
  columns: readonly number[],
  axis: number,
  first: number,
  last: number,
  size: number,
): Merged {
  const merged = emptyMerge(columns, Math.max(0, last - first));
  const per = size / BUCKET_ROWS;
  for (let bucket = first; bucket < last; bucket++) {
    const [begin, end] = [bucket * per, Math.min(table.bucketCount, (bucket + 1) * per)];
    merged.x0[bucket - first] = table.endOf(begin, axis, 0);
    merged.x1[bucket - first] = table.endOf(end - 1, axis, 1);
    for (const [i, of] of merged.of.entries()) {
      const stored = table.bucketsOf(columns[i] ?? -1);
      for (let at = begin; stored && at < end; at++)
        addBucket(of, (bucket - first) * BUCKET_FIELDS, stored, at * BUCKET_FIELDS);
    }
  }
  return merged;
}

function addBucket(of: Float64Array, at: number, more: Float64Array, from: number): void {
  const field = (i: number) => more[from + i] ?? 0;
  of[at + 5] = (of[at + 5] ?? 0) + field(5);
  if (field(4) === 0) return;
  const isFirst = of[at + 4] === 0;
  of[at] = isFirst ? field(0) : Math.min(of[at] ?? 0, field(0));
  of[at + 1] = isFirst ? field(1) : Math.max(of[at + 1] ?? 0, field(1));
  of[at + 2] = (of[at + 2] ?? 0) + field(2);
  of[at + 3] = field(3);
  of[at + 4] = (of[at + 4] ?? 0) + field(4);
}

function pointsOf(table: Table, column: number): number {
  const of = table.bucketsOf(column);
  let points = 0;
  for (let bucket = 0; of && bucket < table.bucketCount; bucket++) points += of[bucket * BUCKET_FIELDS + 5] ?? 0;
  return points;
}

/** Where values are NaN or infinite; only buckets that say they hold some are looked into. */
function notFinite(
  table: Table,
  column: number,
  axis: number,
  start: number,
  end: number,
): { x: number[]; count: number } {
  const of = table.bucketsOf(column);
  const x: number[] = [];
  let count = 0;
  if (!of || end <= start) return { x, count };
  for (let bucket = Math.floor(start / BUCKET_ROWS); bucket * BUCKET_ROWS < end; bucket++) {
    const bad = (of[bucket * BUCKET_FIELDS + 5] ?? 0) - (of[bucket * BUCKET_FIELDS + 4] ?? 0);
    if (bad === 0) continue;
    const low = Math.max(start, bucket * BUCKET_ROWS);
    const high = Math.min(end, (bucket + 1) * BUCKET_ROWS);
    const isWhole = low === bucket * BUCKET_ROWS && high === Math.min(table.rows, (bucket + 1) * BUCKET_ROWS);
    if (isWhole && x.length >= MOST_PLACES) {
      count += bad;
      continue;
    }
    const [at, values] = table.read(low, high, [axis, AXIS_COUNT + column]);
    for (const [row, value] of (values ?? []).entries()) {
      if (Number.isFinite(value)) continue;
      count++;
      if (x.length < MOST_PLACES) x.push(at?.[row] ?? Number.NaN);
    }
  }
  return { x, count };
}

function seriesOf(
  of: Float64Array,
  count: number,
  points: number,
  bad: { x: number[]; count: number } | undefined,
): SeriesWindow {
  const pick = (field: number) =>
    Float64Array.from({ length: Math.max(0, count) }, (_, i) => {
      const at = i * BUCKET_FIELDS;
      const finite = of[at + 4] ?? 0;
      if (finite === 0) return Number.NaN;
      return field === 2 ? (of[at + 2] ?? 0) / finite : (of[at + field] ?? 0);
    });
  return {
    min: pick(0),
    max: pick(1),
    mean: pick(2),
    last: pick(3),
    points,
    notFinite: Float64Array.from(bad?.x ?? []),
    notFiniteCount: bad?.count ?? 0,
  };
}
