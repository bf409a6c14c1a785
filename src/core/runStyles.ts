/**
 * How up to twelve runs are told apart in a picture: by colours that also people with a colour-vision deficiency tell apart, by dashes
 * and markers where colours are not enough. The hues are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), made lighter and
 * darker until eight of them stay apart under the simulation of Machado et al. 2009 (https://doi.org/10.1109/TVCG.2009.113).
 */

export type Marker = 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' | 'triangleDown' | 'star' | 'bar';

export interface RunStyle {
  /** Its colour on white, on a dark background, and on paper. */
  readonly light: string;
  readonly dark: string;
  readonly paper: string;
  /** Lengths of strokes and gaps in pixels; none for a solid line. */
  readonly dash: readonly number[];
  readonly marker: Marker;
}

/** By the place of a run among those shown. A pair has the first two: the baseline blue, the method orange. */
export const runStyles: readonly RunStyle[] = [
  { light: '#0072b2', dark: '#56b4e9', paper: '#0072b2', dash: [], marker: 'circle' },
  { light: '#c47a00', dark: '#f0b429', paper: '#e69f00', dash: [], marker: 'square' },
  { light: '#02ab5a', dark: '#01ff85', paper: '#082418', dash: [], marker: 'triangle' },
  { light: '#5f0426', dark: '#c4429b', paper: '#8b3762', dash: [], marker: 'diamond' },
  { light: '#024561', dark: '#d1eff8', paper: '#2ebede', dash: [], marker: 'cross' },
  { light: '#901800', dark: '#df381f', paper: '#b62b18', dash: [], marker: 'triangleDown' },
  { light: '#8b2aff', dark: '#7f4eeb', paper: '#5400bd', dash: [], marker: 'star' },
  { light: '#606060', dark: '#a5a99a', paper: '#abac9e', dash: [], marker: 'bar' },
  { light: '#0072b2', dark: '#56b4e9', paper: '#0072b2', dash: [9, 3], marker: 'square' },
  { light: '#c47a00', dark: '#f0b429', paper: '#e69f00', dash: [9, 3], marker: 'diamond' },
  { light: '#02ab5a', dark: '#01ff85', paper: '#082418', dash: [9, 3], marker: 'circle' },
  { light: '#5f0426', dark: '#c4429b', paper: '#8b3762', dash: [9, 3], marker: 'triangle' },
];

/** Strokes and gaps of the sub-branch of a run, or of masked inputs. */
export const subDash: readonly number[] = [4, 2.5];

/** The style at a place; beyond the twelfth they begin anew. */
export function runStyle(slot: number): RunStyle {
  const style = runStyles[((slot % runStyles.length) + runStyles.length) % runStyles.length];
  if (!style) throw new Error('There are run styles.');
  return style;
}
