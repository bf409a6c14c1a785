/** Which windows the charts in view need: those of like width share a query, so that a run is asked once for all of them. */
import type { Axis } from '../../src/core/metricQuery.ts';
import type { Need, Shown } from './chartFigure.ts';
import type { Wanted } from './fetcher.ts';
import type { Facts } from './lines.ts';
import type { Range } from './zoom.ts';

/** A part is asked for with so much of its width on either side, so that a pan has something to show. */
const MARGIN = 0.5;
/** Most buckets of a query. */
const MOST_BUCKETS = 8192;

/** From 0, where every axis begins, to the newest point of any run; nothing before the first. */
export function wholeOf(shown: Pick<Shown, 'runs' | 'facts'> | undefined, axis: Axis): Range | undefined {
  let [from, to] = [0, 0];
  for (const { id } of shown?.runs ?? []) {
    const tables = shown?.facts.get(id);
    for (const facts of tables ? [tables.steps, tables.epochs, tables.layers] : []) {
      const extent = facts.extent[axis];
      if (!extent) continue;
      from = Math.min(from, extent[0]);
      to = Math.max(to, extent[1]);
    }
  }
  return to > from ? { from, to } : undefined;
}

/** The queries for all needs. Nothing for `range`: the whole is in view. */
export function wantedOf(
  needs: readonly Need[],
  axis: Axis,
  range: Range | undefined,
  whole: Range,
  facts: Facts,
): Wanted[] {
  const groups = new Map<string, { need: Need; names: Set<string>; missing: Set<string>; whole: boolean }>();
  const group = (need: Need, isWhole: boolean) => {
    const key = [need.run, need.table, need.buckets, isWhole].join('|');
    const found = groups.get(key) ?? { need, names: new Set(), missing: new Set(), whole: isWhole };
    if (need.whole === 'missing') found.missing.add(need.chart);
    for (const name of need.names) found.names.add(name);
    groups.set(key, found);
  };
  for (const need of needs) {
    if (need.buckets < 1 || !facts.get(need.run)?.[need.table].rows) continue;
    if (!range || need.whole !== 'coarse') group(need, true);
    if (range && need.whole !== 'exact') group(need, false);
  }
  return [...groups.values()].map(({ need, names, missing, whole: isWhole }) => {
    const { run, table, buckets } = need;
    const part = isWhole || !range ? whole : widened(range, whole);
    const scale = isWhole || !range ? 1 : (part.to - part.from) / (range.to - range.from);
    const rows = facts.get(run)?.[table].rows ?? 0;
    return {
      run,
      query: {
        table,
        names: [...names].sort(),
        axis,
        from: part.from,
        to: part.to,
        buckets: Math.min(MOST_BUCKETS, Math.ceil(buckets * scale)),
      },
      version: rows,
      whole: isWhole,
      pixels: buckets,
      missing: [...missing],
    };
  });
}

function widened({ from, to }: Range, whole: Range): Range {
  const by = MARGIN * (to - from);
  return { from: Math.max(whole.from, from - by), to: Math.min(whole.to, to + by) };
}
