/** A chart as a table: what is in view, in at most so many rows. */
import { t } from '../../src/core/l10n.ts';
import { element } from '../dom.ts';
import { between, type Curve, nearest } from './curve.ts';
import type { Range } from './zoom.ts';

/** Most rows of a table. */
export const MOST_ROWS = 200;

export interface TwinLine {
  readonly label: string;
  readonly curve: Curve;
}

export interface TwinTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Points in view that have no row of their own. */
  readonly isThinned: boolean;
}

/** A row for each point of the line with the most points in view, evenly thinned; other lines have the value of the point nearest to it. */
export function twinTable(
  lines: readonly TwinLine[],
  range: Range,
  x: { readonly title: string; readonly format: (value: number) => string },
  format: (value: number) => string,
): TwinTable {
  const spans = lines.map(({ curve }) => between(curve, range.from, range.to));
  const sizes = spans.map(([begin, end]) => end - begin);
  const densest = sizes.indexOf(Math.max(0, ...sizes));
  const guide = lines[densest]?.curve;
  const [begin, end] = spans[densest] ?? [0, 0];
  const columns = [x.title, ...lines.map(({ label }) => label)];
  if (!guide || begin >= end) return { columns, rows: [], isThinned: false };
  const every = Math.ceil((end - begin) / MOST_ROWS);
  const places = Array.from({ length: Math.ceil((end - begin) / every) }, (_, i) => guide.x1[begin + i * every] ?? 0);
  const reach = (range.to - range.from) / Math.max(1, places.length - 1);
  const rows = places.map((place) => [x.format(place), ...lines.map(({ curve }) => cell(curve, place, reach, format))]);
  return { columns, rows, isThinned: every > 1 || lines.some(({ curve }) => curve.level > 0) };
}

/** The value there, with lowest and highest where it stands for several rows. */
function cell(curve: Curve, x: number, reach: number, format: (value: number) => string): string {
  const i = nearest(curve, x);
  const at = curve.x1[i];
  if (at === undefined || Math.abs(at - x) > reach) return '–';
  const [min, mean, max] = [curve.min[i] ?? 0, curve.mean[i] ?? 0, curve.max[i] ?? 0];
  return min < max ? `${format(mean)} (${format(min)} … ${format(max)})` : format(mean);
}

export function twinView(title: string, { columns, rows, isThinned }: TwinTable): HTMLElement {
  const caption = isThinned
    ? t('{0}: {1} rows; each stands for several points: their mean (lowest … highest)', title, rows.length)
    : t('{0}: {1} rows', title, rows.length);
  const table = element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...columns.map((column) => element('th', { scope: 'col' }, column)))),
    element(
      'tbody',
      {},
      ...rows.map(([head = '', ...cells]) =>
        element('tr', {}, element('th', { scope: 'row' }, head), ...cells.map((text) => element('td', {}, text))),
      ),
    ),
  );
  // Focusable, or the keyboard could not scroll it.
  return element(
    'div',
    { class: 'twin', role: 'region', tabindex: 0, 'aria-label': t('{0} as a table', title) },
    table,
  );
}
