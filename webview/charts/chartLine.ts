/** What a chart holds of one line: the windows that came, which of them is drawn, and its average. */
import type { MetricWindow, WindowQuery } from '../../src/core/metricQuery.ts';
import type { Source } from './catalog.ts';
import type { View } from './chartFigure.ts';
import { type Curve, curveOf } from './curve.ts';
import type { LineSpec } from './lines.ts';
import { type Smoothed, smoothed } from './smoothing.ts';
import type { Range } from './zoom.ts';

export interface Numbers {
  readonly curve: Curve;
  average: Smoothed | undefined;
}

export interface Line {
  readonly spec: LineSpec;
  /** Over the whole axis, and over the part in view when it was asked for. */
  whole: Numbers | undefined;
  part: Numbers | undefined;
  /** Which of the two is drawn. */
  drawn: Numbers | undefined;
}

/** The same line of the same run, whatever it is called. */
export const lineId = ({ run, part }: LineSpec) => `${run}|${part.source.table}|${part.source.name}`;

/** The numbers of a source in a window; nothing where the window is not of them. */
export function windowCurve(source: Source, query: WindowQuery, window: MetricWindow): Curve | undefined {
  if (source.table !== query.table) return undefined;
  const series = window.series[query.names.indexOf(source.name)];
  return series && curveOf(window, series, query.from, query.to, source.factor);
}

/** Chooses what is drawn for a view, and averages it; the average of a part goes on from that of the whole. */
export function draw(line: Line, view: View, isSmoothed: boolean): void {
  const { whole, part } = line;
  line.drawn = chosen(line, view.range);
  const halfLife = isSmoothed ? view.smoothing * (view.whole.to - view.whole.from) : 0;
  const averaged = (numbers: Numbers, before?: Numbers) => {
    if (halfLife === 0) numbers.average = undefined;
    else if (numbers.average?.halfLife !== halfLife) {
      const seed = before?.average ? { curve: before.curve, average: before.average } : undefined;
      numbers.average = smoothed(numbers.curve, halfLife, seed);
    }
  };
  if (whole) averaged(whole);
  if (part && line.drawn === part) averaged(part, whole);
}

/** The part where it covers what is in view, else the coarser whole until the part has come. */
export function chosen({ whole, part }: Pick<Line, 'whole' | 'part'>, { from, to }: Range): Numbers | undefined {
  if (whole && whole.curve.level === 0) return whole;
  const slack = 1e-6 * (to - from);
  const covers = part && part.curve.from <= from + slack && part.curve.to >= to - slack;
  return covers || !whole ? part : whole;
}

/** Values held in all: as of the newest of some windows, and the rows that came since. */
export function pointsHeld(curves: readonly (Curve | undefined)[], rows: number): number {
  const known = curves.filter((curve) => curve !== undefined).sort((a, b) => b.rows - a.rows)[0];
  if (!known) return rows;
  const isInEveryRow = known.points === known.rows;
  return known.points + (isInEveryRow ? Math.max(0, rows - known.rows) : 0);
}
