/** How charts ask for the scalars of a run: by table, name, axis and range, at the resolution that they have pixels for. */
import * as z from 'zod';

/** The tables of a run's scalars: a row for each `step`, `epoch` or `layers` event. */
export const metricTableSchema = z.enum(['steps', 'epochs', 'layers']);
export type MetricTable = z.infer<typeof metricTableSchema>;

/** What a chart has along its x axis; each grows with the rows of a table. */
export const axisSchema = z.enum(['step', 'epoch', 'time', 'images', 'flops']);
export type Axis = z.infer<typeof axisSchema>;

/** Label and unit of each axis. Time is in seconds since the run began, compute in analytic floating-point operations. */
export const axes: Readonly<Record<Axis, { readonly title: string; readonly unit: string }>> = {
  step: { title: 'Step', unit: '' },
  epoch: { title: 'Epoch', unit: '' },
  time: { title: 'Wall time', unit: 's' },
  images: { title: 'Samples seen', unit: '' },
  flops: { title: 'Compute', unit: 'FLOP' },
};

export const windowQuerySchema = z.object({
  table: metricTableSchema,
  /** Columns, as `RunMetrics.names` lists them: `loss.main`, `validation.top1`, `main.blocks.0` (of the table `layers`). */
  names: z.array(z.string()).max(512),
  axis: axisSchema,
  /** The range on the axis; what lies outside is left out but for one bucket on either side, so that lines reach the edge. */
  from: z.number(),
  to: z.number(),
  /** At most so many buckets inside the range: half of the points to draw. */
  buckets: z.number().int().min(1).max(8192),
});
export type WindowQuery = z.infer<typeof windowQuerySchema>;

/**
 * What a query comes to. A bucket holds 2^level consecutive rows that don't depend on the range or on how many rows there are,
 * so a picture does not change but for what is new at its end.
 */
export interface MetricWindow {
  /** 0 where each bucket is one row. */
  readonly level: number;
  /** First and last x of the rows of each bucket, (buckets), ascending; equal at level 0. */
  readonly x0: Float64Array;
  readonly x1: Float64Array;
  /** In the order of the query's names; a name that the table lacks has no points. */
  readonly series: readonly SeriesWindow[];
  /** Rows of the table in all, and rows inside the range. */
  readonly rows: number;
  readonly inside: number;
}

/** One column over the buckets; NaN where a bucket has no finite value. */
export interface SeriesWindow {
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly mean: Float64Array;
  readonly last: Float64Array;
  /** Values that the series holds in all, finite or not. */
  readonly points: number;
  /** Where the values inside the range are NaN or infinite: the first 1,000 x, and how many there are. */
  readonly notFinite: Float64Array;
  readonly notFiniteCount: number;
}

/** The scalars of a run, of which some lie on disk. */
export interface RunMetrics {
  /** Columns in the order of their first appearance. */
  names(table: MetricTable): readonly string[];
  rows(table: MetricTable): number;
  /** Lowest and highest x, or nothing where the table is empty. */
  extent(table: MetricTable, axis: Axis): readonly [number, number] | undefined;
  window(query: WindowQuery): MetricWindow;
}
