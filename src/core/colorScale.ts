/** Colours for numbers: even steps of a number are even steps to the eye, also in grey and with a colour-vision deficiency. */

export interface ColorScale {
  /** Red, green, blue of a share from 0 to 1. */
  readonly at: (share: number) => readonly [number, number, number];
  /** For a legend. */
  readonly gradient: string;
}

type Rgb = readonly [number, number, number];

/** Cividis (Nuñez et al. 2018, https://doi.org/10.1371/journal.pone.0199239): ten of its colours, evenly. */
const cividis: readonly Rgb[] = [
  [0, 34, 78],
  [18, 53, 112],
  [59, 73, 108],
  [87, 93, 109],
  [112, 113, 115],
  [138, 134, 120],
  [165, 156, 116],
  [195, 179, 105],
  [225, 204, 85],
  [254, 232, 56],
];

/** From blue over grey to orange: both ends equally dark. */
const divergent: readonly Rgb[] = [
  [0, 61, 122],
  [46, 112, 171],
  [128, 166, 204],
  [222, 222, 222],
  [222, 165, 112],
  [190, 104, 38],
  [128, 55, 0],
];

export const sequential = scaleOf(cividis);
export const diverging = scaleOf(divergent);

function scaleOf(stops: readonly Rgb[]): ColorScale {
  const last = stops.length - 1;
  return {
    at: (share) => {
      const place = Math.min(1, Math.max(0, share)) * last;
      const i = Math.min(last - 1, Math.floor(place));
      const [low, high] = [stops[i] as Rgb, stops[i + 1] as Rgb];
      const mix = (channel: 0 | 1 | 2) => Math.round(low[channel] + (place - i) * (high[channel] - low[channel]));
      return [mix(0), mix(1), mix(2)];
    },
    gradient: `linear-gradient(to right, ${stops.map((stop) => `rgb(${stop.join(' ')})`).join(', ')})`,
  };
}
