/** What of the charts is kept over a reload: axis, zoom, smoothing, and each chart's own options. */
import type { Axis } from '../../src/core/metricQuery.ts';
import type { ExtraScalar } from './catalog.ts';
import type { Range } from './zoom.ts';

/** What a person chose for one chart. */
export interface ChartOptions {
  readonly log?: boolean;
  readonly clip?: boolean;
  readonly table?: boolean;
  readonly wide?: boolean;
  /** Keys of the lines that are not drawn. */
  readonly hidden?: readonly string[];
  /** Of the chart of the layers: which number, and of which run. */
  readonly number?: string;
  readonly run?: string;
}

export interface SavedCharts {
  readonly axis: Axis;
  /** Half-life of the average as a share of the axis; 0: none. */
  readonly smoothing: number;
  readonly range: Range | undefined;
  /** Curves of sub-branches where there are many pairs. */
  readonly second: boolean;
  readonly extras: readonly ExtraScalar[];
  readonly charts: Readonly<Record<string, ChartOptions>>;
}

export const noSaved: SavedCharts = {
  axis: 'epoch',
  smoothing: 0.01,
  range: undefined,
  second: false,
  extras: [],
  charts: {},
};

/** Values of the smoothing slider. */
export const smoothings = [0, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2] as const;
export const axisOrder: readonly Axis[] = ['step', 'epoch', 'time', 'images', 'flops'];

/** Takes what it understands; everything else has its default. */
export function parseSaved(value: unknown): SavedCharts {
  const given = isRecord(value) ? value : {};
  const { axis, smoothing, range, second, extras, charts } = given;
  return {
    axis: axisOrder.find((name) => name === axis) ?? noSaved.axis,
    smoothing: smoothings.find((step) => step === smoothing) ?? noSaved.smoothing,
    range: parseRange(range),
    second: second === true,
    extras: Array.isArray(extras) ? extras.slice(0, 50).flatMap(parseExtra) : [],
    charts: isRecord(charts)
      ? Object.fromEntries(Object.entries(charts).map(([id, own]) => [id, parseOptions(own)]))
      : {},
  };
}

function parseRange(value: unknown): Range | undefined {
  if (!isRecord(value)) return undefined;
  const { from, to } = value;
  return isNumber(from) && isNumber(to) && from < to ? { from, to } : undefined;
}

function parseExtra(value: unknown): ExtraScalar[] {
  if (!isRecord(value)) return [];
  const { table, name } = value;
  return (table === 'steps' || table === 'epochs') && typeof name === 'string' ? [{ table, name }] : [];
}

function parseOptions(value: unknown): ChartOptions {
  if (!isRecord(value)) return {};
  const switches = (['log', 'clip', 'table', 'wide'] as const).flatMap((key) => {
    const on = value[key];
    return typeof on === 'boolean' ? [[key, on] as const] : [];
  });
  const texts = (['number', 'run'] as const).flatMap((key) => {
    const text = value[key];
    return typeof text === 'string' ? [[key, text] as const] : [];
  });
  const { hidden } = value;
  const keys = Array.isArray(hidden) ? hidden.filter((key) => typeof key === 'string') : [];
  return { ...Object.fromEntries([...switches, ...texts]), ...(keys.length > 0 ? { hidden: keys } : {}) };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
