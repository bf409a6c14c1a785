/** How lines look: colour, dash and marker, told apart without colour too. */
import { type Marker, runStyle, subDash } from '../../src/core/runStyles.ts';
import type { Theme } from '../theme.ts';
import type { LineSpec } from './lines.ts';

export interface LineStyle {
  readonly color: string;
  /** Lengths of strokes and gaps in pixels; empty: solid. */
  readonly dash: readonly number[];
  readonly marker: Marker | undefined;
  readonly width: number;
}

/** Those of a pair have its two colours, all others the style of their slot. */
export function styleOf({ who, second }: Pick<LineSpec, 'who' | 'second'>, theme: Theme): LineStyle {
  const width = theme.line;
  if (typeof who !== 'number') return { color: theme[who], dash: second ? subDash : [], marker: undefined, width };
  const { light, dark, dash, marker } = runStyle(who);
  return { color: theme.dark ? dark : light, dash: second ? subDash : dash, marker, width };
}
