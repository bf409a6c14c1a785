/** Which part of the x axis the charts show, how they came there, and how it follows a run that lives. */

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The shown range and the way back and forth; nothing stands for the whole. */
export interface Zoom {
  readonly range: Range | undefined;
  /** The right edge is the newest point's, and goes on with it. */
  readonly follows: boolean;
  readonly past: readonly (Range | undefined)[];
  readonly future: readonly (Range | undefined)[];
}

export const wholeZoom: Zoom = { range: undefined, follows: true, past: [], future: [] };

/** Most steps that can be undone. */
const MOST_PAST = 50;
/** Narrower than this share of the whole is noise of the floating-point numbers. */
const NARROWEST = 1e-9;

/** Shows a range. `goesOn` belongs to the gesture of the last change: both are one step to undo. */
export function zoomTo(zoom: Zoom, range: Range | undefined, whole: Range, goesOn = false): Zoom {
  const next = range && within(range, whole);
  if (isSame(next, zoom.range)) return zoom;
  const past = goesOn ? zoom.past : [...zoom.past, zoom.range].slice(-MOST_PAST);
  return { range: next, follows: touchesEnd(next, whole), past, future: [] };
}

export function undo(zoom: Zoom, whole: Range): Zoom {
  if (zoom.past.length === 0) return zoom;
  const range = zoom.past.at(-1);
  return {
    range,
    follows: touchesEnd(range, whole),
    past: zoom.past.slice(0, -1),
    future: [zoom.range, ...zoom.future],
  };
}

export function redo(zoom: Zoom, whole: Range): Zoom {
  if (zoom.future.length === 0) return zoom;
  const range = zoom.future[0];
  return {
    range,
    follows: touchesEnd(range, whole),
    past: [...zoom.past, zoom.range],
    future: zoom.future.slice(1),
  };
}

export type ZoomAction =
  | { readonly type: 'zoom'; readonly factor: number }
  | { readonly type: 'pan'; readonly share: number }
  | { readonly type: 'whole' | 'undo' | 'redo' };

/** After a key or a button; a zoom is around the cursor where there is one. */
export function zoomAfter(action: ZoomAction, zoom: Zoom, whole: Range, cursor: number | undefined): Zoom {
  const range = zoom.range ?? whole;
  switch (action.type) {
    case 'zoom': {
      const middle = cursor ?? (range.from + range.to) / 2;
      return zoomTo(zoom, scaled(range, action.factor, middle), whole);
    }
    case 'pan':
      return zoomTo(zoom, panned(range, action.share, whole), whole);
    case 'whole':
      return zoomTo(zoom, undefined, whole);
    case 'undo':
      return undo(zoom, whole);
    case 'redo':
      return redo(zoom, whole);
  }
}

/** After the runs grew: a range that reached to the end reaches to the new end, as wide as before. */
export function follow(zoom: Zoom, before: Range, whole: Range): Zoom {
  const { range, follows } = zoom;
  if (!range || !follows || whole.to <= before.to) return zoom;
  const by = whole.to - before.to;
  return { ...zoom, range: { from: range.from + by, to: range.to + by } };
}

/** The same shares of the whole along another axis. */
export function translated(zoom: Zoom, before: Range, whole: Range): Zoom {
  const scale = (whole.to - whole.from) / (before.to - before.from || 1);
  const map = (range: Range | undefined) =>
    range && {
      from: whole.from + (range.from - before.from) * scale,
      to: whole.from + (range.to - before.from) * scale,
    };
  return { ...zoom, range: map(zoom.range), past: zoom.past.map(map), future: zoom.future.map(map) };
}

/** Narrower (factor below 1) or wider around a place that stays where it is. */
export function scaled({ from, to }: Range, factor: number, around: number): Range {
  return { from: around - (around - from) * factor, to: around + (to - around) * factor };
}

/** Moved by a share of its width, not beyond the whole. */
export function panned({ from, to }: Range, share: number, whole: Range): Range {
  const by = Math.min(whole.to - to, Math.max(whole.from - from, share * (to - from)));
  return { from: from + by, to: to + by };
}

/** A range around one place, for a jump to it. */
export function around(x: number, whole: Range, share = 0.02): Range {
  const half = (share * (whole.to - whole.from)) / 2;
  return panned({ from: x - half, to: x + half }, 0, whole);
}

/** Nothing where the range is the whole, or wider. */
function within(range: Range, whole: Range): Range | undefined {
  const width = whole.to - whole.from;
  const least = NARROWEST * width;
  let [from, to] = [Math.max(whole.from, range.from), Math.min(whole.to, range.to)];
  if (to - from < least) {
    const middle = Math.min(whole.to, Math.max(whole.from, (range.from + range.to) / 2));
    [from, to] = [middle - least / 2, middle + least / 2];
  }
  return to - from >= width * (1 - 1e-6) ? undefined : { from, to };
}

const isSame = (a: Range | undefined, b: Range | undefined) => a?.from === b?.from && a?.to === b?.to;
const touchesEnd = (range: Range | undefined, whole: Range) =>
  !range || range.to >= whole.to - 1e-6 * (whole.to - whole.from);
