/** A piece of a run's line as the charts draw it: colour, dash and marker. */
import type { Marker } from '../../src/core/runStyles.ts';
import { chartedRunsOf, isPair, type Who } from '../charts/lines.ts';
import { styleOf } from '../charts/styles.ts';
import { chartedRuns, type DashboardState } from '../state.ts';
import type { Theme } from '../theme.ts';

/** Whose looks each charted run has. */
export function looksOf(state: DashboardState): ReadonlyMap<string, Who> {
  const runs = chartedRunsOf(state, chartedRuns(state));
  const asPair = isPair(runs);
  return new Map(runs.map(({ id, role, slot }) => [id, asPair ? role : slot]));
}

export function sampleOf(who: Who, theme: Theme): SVGElement {
  const { color, dash, marker, width } = styleOf({ who, second: false }, theme);
  const svg = shape('svg', {
    width: 30,
    height: 12,
    viewBox: '0 0 30 12',
    'aria-hidden': 'true',
    class: 'rows-sample',
  });
  svg.append(
    shape('line', {
      x1: 1,
      x2: 29,
      y1: 6,
      y2: 6,
      stroke: color,
      'stroke-width': width,
      'stroke-dasharray': dash.join(' '),
    }),
  );
  if (marker) svg.append(shape('path', { d: outlines[marker], fill: color }));
  return svg;
}

/** Filled shapes about the middle of the sample. */
const outlines: Readonly<Record<Marker, string>> = {
  circle: 'M11.5 6a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z',
  square: 'M12 3h6v6h-6z',
  triangle: 'M15 2l4 7.5h-8z',
  triangleDown: 'M15 10l4-7.5h-8z',
  diamond: 'M15 1.5l4.5 4.5l-4.5 4.5l-4.5-4.5z',
  cross: 'M12.2 2l2.8 2.8l2.8-2.8l1.2 1.2l-2.8 2.8l2.8 2.8l-1.2 1.2l-2.8-2.8l-2.8 2.8l-1.2-1.2l2.8-2.8l-2.8-2.8z',
  star: 'M15 1l1.4 3.3l3.6.3l-2.7 2.3l.8 3.5l-3.1-1.8l-3.1 1.8l.8-3.5l-2.7-2.3l3.6-.3z',
  bar: 'M14 1h2v10h-2z',
};

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
