/** Runs stay apart for people with a colour-vision deficiency: colours under a simulation, dashes and markers beyond them. */
import { expect, test } from 'vitest';
import { runStyles } from '../../src/core/runStyles.ts';

/** Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB (https://doi.org/10.1109/TVCG.2009.113, supplement). */
const visions: Readonly<Record<string, readonly (readonly number[])[]>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

// About 2.3 is what people can tell apart at all, side by side; lines lie far from their legend.
const wanted = 20;

for (const background of ['light', 'dark', 'paper'] as const) {
  for (const [vision, matrix] of Object.entries(visions)) {
    test(`the first eight colours differ: ${background}, ${vision}`, () => {
      const seen = runStyles.slice(0, 8).map((style) => lab(seenAs(style[background], matrix)));
      const differences = seen.flatMap((a, i) => seen.slice(i + 1).map((b) => deltaE(a, b)));
      expect(differences).toHaveLength(28);
      expect(Math.min(...differences)).toBeGreaterThan(wanted);
    });
  }
}

test('the others differ from each of the same colour by dash and marker', () => {
  expect(runStyles).toHaveLength(12);
  for (const [i, style] of runStyles.entries()) {
    for (const other of runStyles.slice(i + 1)) {
      if (other.light !== style.light) continue;
      expect(other.dash).not.toEqual(style.dash);
      expect(other.marker).not.toBe(style.marker);
    }
  }
});

test('a pair is blue and orange', () => {
  const [baseline, method] = runStyles.map(({ light }) =>
    [1, 3, 5].map((i) => Number.parseInt(light.slice(i, i + 2), 16)),
  );
  const [red = 0, , blue = 0] = baseline ?? [];
  expect(blue).toBeGreaterThan(red);
  expect(method?.[0]).toBeGreaterThan(method?.[2] ?? 255);
});

type Triple = readonly [number, number, number];

function seenAs(color: string, matrix: readonly (readonly number[])[]): Triple {
  const linear = [1, 3, 5].map((i) => {
    const value = Number.parseInt(color.slice(i, i + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [r = 0, g = 0, b = 0] = matrix.map((row) => row.reduce((sum, weight, i) => sum + weight * (linear[i] ?? 0), 0));
  const within = (value: number) => Math.min(1, Math.max(0, value));
  return [within(r), within(g), within(b)];
}

/** CIE 1976 L*a*b* of linear sRGB, D65. */
function lab([r, g, b]: Triple): Triple {
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const deltaE = (a: Triple, b: Triple) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
