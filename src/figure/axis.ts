/** An axis of a figure: where a value lies, and ticks with short labels, the power of ten or the larger unit in the title. */
import { scaleLinear, scaleLog } from 'd3-scale';
import type { FigureAxis } from './figure.ts';

export interface Tick {
  /** In pixels. */
  readonly at: number;
  /** Empty for the small ticks of a logarithmic axis. */
  readonly label: string;
}

export interface DrawnAxis {
  /** In pixels; NaN for what the axis cannot show. */
  readonly place: (value: number) => number;
  readonly ticks: readonly Tick[];
  readonly title: string;
  readonly domain: readonly [number, number];
}

/** `data`: lowest and highest value; `round`: let the axis end at ticks. */
export function drawAxis(
  axis: FigureAxis,
  data: readonly [number, number],
  pixels: readonly [number, number],
  options: { readonly count: number; readonly round: boolean },
): DrawnAxis {
  return axis.log && data[1] > 0 ? logAxis(axis, data, pixels, options) : linearAxis(axis, data, pixels, options);
}

function linearAxis(
  axis: FigureAxis,
  data: readonly [number, number],
  pixels: readonly [number, number],
  { count, round }: { readonly count: number; readonly round: boolean },
): DrawnAxis {
  const wide = data[0] === data[1] ? around(data[0]) : data;
  const { factor, unit } = unitOf(axis.unit, Math.max(Math.abs(wide[0]), Math.abs(wide[1])));
  const scale = scaleLinear([wide[0] / factor, wide[1] / factor], pixels);
  // Finer than the ticks, so that little room is lost.
  if (round && !axis.range) scale.nice(2 * count);
  const format = scale.tickFormat(count);
  const [low = 0, high = 1] = scale.domain();
  return {
    place: (value) => scale(value / factor),
    ticks: scale.ticks(count).map((value) => ({ at: scale(value), label: format(value) })),
    title: titleOf(axis.title, unit),
    domain: [low * factor, high * factor],
  };
}

function logAxis(
  axis: FigureAxis,
  data: readonly [number, number],
  pixels: readonly [number, number],
  { count, round }: { readonly count: number; readonly round: boolean },
): DrawnAxis {
  const low = data[0] > 0 ? data[0] : data[1] / 1e3;
  const wide = low === data[1] ? [low / 2, low * 2] : [low, data[1]];
  const { factor, unit } =
    axis.unit === 's' || axis.unit === 'B' ? unitOf(axis.unit, data[1]) : { factor: 1, unit: axis.unit };
  // A little room, so that no line lies on the edge.
  const room = round && !axis.range ? ((wide[1] ?? 1) / (wide[0] ?? 1)) ** 0.04 : 1;
  const [from, to] = [(wide[0] ?? 1) / room / factor, ((wide[1] ?? 1) * room) / factor];
  const scale = scaleLog([from, to], pixels);
  const decades = Math.log10(to / from);
  return {
    place: (value) => (value > 0 ? scale(value / factor) : Number.NaN),
    ticks: logTicks(from, to, decades, count).map(([value, label]) => ({ at: scale(value), label })),
    title: titleOf(axis.title, unit),
    domain: [from * factor, to * factor],
  };
}

/** Powers of ten where there are two or more; else 1, 2 and 5 times them; within a third of a decade, even steps. */
function logTicks(from: number, to: number, decades: number, count: number): [value: number, label: string][] {
  if (decades < 0.35) {
    return scaleLinear([from, to], [0, 1])
      .ticks(count)
      .map((value) => [value, plain(value)]);
  }
  const all: [number, number][] = [];
  for (let exponent = Math.floor(Math.log10(from)); 10 ** exponent <= to; exponent++) {
    for (let times = 1; times < 10; times++) all.push([times, exponent]);
  }
  const inside = all.filter(([times, exponent]) => times * 10 ** exponent >= from && times * 10 ** exponent <= to);
  const powers = inside.filter(([times]) => times === 1);
  const every = Math.max(1, Math.ceil(powers.length / Math.max(2, count)));
  return inside
    .filter(([times]) => decades < 7 || times === 1)
    .map(([times, exponent]) => {
      const value = Number(`${times}e${exponent}`);
      if (powers.length < 2) return [value, times === 1 || times === 2 || times === 5 ? plain(value) : ''];
      return [value, times === 1 && exponent % every === 0 ? powerLabel(exponent) : ''];
    });
}

const plain = (value: number) => String(Number(value.toPrecision(3)));
/** 10⁻³, but 0.01 to 100 as they are. */
const powerLabel = (exponent: number) => (Math.abs(exponent) <= 2 ? plain(10 ** exponent) : `10${raised(exponent)}`);

/** The unit in which the largest value is a handy number. */
function unitOf(unit: string, largest: number): { readonly factor: number; readonly unit: string } {
  for (const [factor, name] of largerUnits[unit] ?? []) if (largest >= 2 * factor) return { factor, unit: name };
  if (unit === 's' || unit === '%' || largest === 0) return { factor: 1, unit };
  if (largest < 1e4 && largest >= 1e-2) return { factor: 1, unit };
  // A little below the next unit counts as that: 0.99 of it is 0.99, not 990 of the one before.
  const exponent = 3 * Math.floor(Math.log10(1.1 * largest) / 3);
  return { factor: 10 ** exponent, unit: unit === '' ? `×10${raised(exponent)}` : `10${raised(exponent)} ${unit}` };
}

const largerUnits: Readonly<Record<string, readonly (readonly [number, string])[]>> = {
  s: [
    [3600, 'h'],
    [60, 'min'],
  ],
  B: [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ],
};

/** An exponent in raised digits. */
function raised(exponent: number): string {
  return [...String(exponent)].map((sign) => (sign === '-' ? '⁻' : ('⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(sign)] ?? ''))).join('');
}

const titleOf = (title: string, unit: string) => (unit === '' ? title : `${title} (${unit})`);

const around = (value: number): readonly [number, number] =>
  value === 0 ? [-1, 1] : [value - Math.abs(value) * 0.1, value + Math.abs(value) * 0.1];
