/** Where the ticks of an axis lie, and how their numbers read. */
import { significant } from '../../src/core/format.ts';
import { t } from '../../src/core/l10n.ts';
import type { Axis } from '../../src/core/metricQuery.ts';

export function axisTitle(axis: Axis): string {
  switch (axis) {
    case 'step':
      return t('Step');
    case 'epoch':
      return t('Epoch');
    case 'time':
      return t('Time');
    case 'images':
      return t('Samples seen');
    case 'flops':
      return t('Compute (FLOP)');
  }
}

/** At most about `most` round values inside [min, max]. */
export function linearTicks(min: number, max: number, most: number): number[] {
  return multiples(min, max, niceStep((max - min) / Math.max(1, most)));
}

/**
 * Ticks of a logarithmic axis: powers of ten, with 2 and 5 between them where there is room; round values where the axis spans less
 * than a power.
 */
export function logTicks(min: number, max: number, most: number): number[] {
  if (!(min > 0 && max > min)) return [];
  const decades = Math.log10(max / min);
  if (decades < 1) return linearTicks(min, max, most);
  const leading = decades * 3 <= most ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / most));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++) {
    if (leading.length === 1 && power % every !== 0) continue;
    ticks.push(...leading.map((digit) => Number(`${digit}e${power}`)).filter((tick) => tick >= min && tick <= max));
  }
  return ticks;
}

/** Steps of time that people count in, in seconds. */
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Ticks of a time axis in seconds. */
export function timeTicks(min: number, max: number, most: number): number[] {
  const rough = (max - min) / Math.max(1, most);
  if (rough < 1) return linearTicks(min, max, most);
  const step = timeSteps.find((candidate) => candidate >= rough) ?? 86_400 * niceStep(rough / 86_400);
  return multiples(min, max, step);
}

/** Labels of ticks on the x axis; the first says what they count. */
export function xLabels(axis: Axis, ticks: readonly number[]): string[] {
  const step = smallestStep(ticks);
  if (axis === 'time') return ticks.map((tick) => clock(tick, step));
  const most = Math.max(...ticks.map(Math.abs), 0);
  const [unit, prefix] = axis === 'epoch' || most < 100_000 ? [1, ''] : prefixFor(most);
  return ticks.map((tick, i) => {
    const number = tick === 0 ? '0' : `${plain(tick / unit, step / unit)}${prefix ? ` ${prefix}` : ''}`;
    return i === 0 ? withUnit(axis, number) : number;
  });
}

function withUnit(axis: Exclude<Axis, 'time'>, number: string): string {
  switch (axis) {
    case 'epoch':
      return t('epoch {0}', number);
    case 'step':
      return t('step {0}', number);
    case 'images':
      return t('{0} samples', number);
    case 'flops':
      return `${number}${/\d$/.test(number) ? ' ' : ''}FLOP`;
  }
}

/** A place on the x axis as it is read out: `epoch 12.5`, `step 1,200`, `1:02:30`, `3.2 TFLOP`. */
export function placeText(axis: Axis, x: number): string {
  switch (axis) {
    case 'epoch':
      return t('epoch {0}', x.toFixed(x < 100 ? 2 : 1));
    case 'step':
      return t('step {0}', plain(Math.round(x), 1));
    case 'time':
      return clock(x, x < 10 ? 0.1 : 1);
    case 'images':
      return t('{0} samples', plain(Math.round(x), 1));
    case 'flops':
      return `${withPrefix(x)}FLOP`;
  }
}

/** The same without a word, for a column of them. */
export function placeNumber(axis: Axis, x: number): string {
  switch (axis) {
    case 'epoch':
      return x.toFixed(x < 100 ? 2 : 1);
    case 'time':
      return clock(x, x < 10 ? 0.1 : 1);
    case 'flops':
      return withPrefix(x).trimEnd();
    default:
      return plain(Math.round(x), 1);
  }
}

/** Labels of a y axis; powers of ten where all are far from 1, or, on a logarithmic one, each that is. */
export function yLabels(ticks: readonly number[], isLog: boolean): string[] {
  const step = smallestStep(ticks);
  const sizes = ticks.map(Math.abs);
  const largest = Math.max(...sizes, 0);
  const isEach = isLog && largest >= 10 * Math.min(...sizes);
  return ticks.map((tick) => {
    const size = isEach ? Math.abs(tick) : largest;
    const isFar = size < 1e-3 || size >= 1e5;
    if (isFar) return tick === 0 ? '0' : withMinus(shortPower(tick));
    return plain(tick, isEach ? 10 ** Math.floor(Math.log10(size) + 1e-9) : step);
  });
}

/** Three significant digits and an SI prefix: `3.2 T`; ends in a space, before the unit. */
export function withPrefix(value: number): string {
  const [unit, prefix] = prefixFor(Math.abs(value));
  return `${withMinus(significant(value / unit))} ${prefix}`;
}

/** h:mm:ss, without hours where there are none, with tenths where ticks lie that close. */
export function clock(seconds: number, step: number): string {
  const sign = seconds < 0 ? '−' : '';
  const size = Math.abs(seconds);
  if (step < 1) {
    const minutes = Math.floor(size / 60);
    const rest = (size - 60 * minutes).toFixed(step < 0.1 ? 2 : 1);
    return minutes > 0 ? `${sign}${minutes}:${rest.padStart(4, '0')}` : `${sign}${rest} s`;
  }
  const whole = Math.round(size);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${sign}${hours}:${two(minutes)}:${two(rest)}` : `${sign}${minutes}:${two(rest)}`;
}

/** With a real minus sign. */
export const withMinus = (text: string) => text.replace('-', '−');

const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'] as const;

function prefixFor(size: number): [unit: number, prefix: string] {
  const power = size >= 1000 ? Math.min(prefixes.length - 1, Math.floor(Math.log10(size) / 3 + 1e-9)) : 0;
  return [1000 ** power, prefixes[power] ?? ''];
}

/** 1, 2 or 5 times a power of ten, at least about as large. */
function niceStep(rough: number): number {
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((digit) => digit * power >= 0.9 * rough) ?? 10);
}

function multiples(min: number, max: number, step: number): number[] {
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  // Divided rather than multiplied, or 3 · 0.1 would be 0.30000000000000004.
  const inverse = 1 / step;
  const whole = Math.round(inverse);
  const isInverse = step < 1 && Math.abs(inverse - whole) < 1e-9 * inverse;
  return Array.from({ length: Math.max(0, Math.min(1000, last - first + 1)) }, (_, i) =>
    isInverse ? (first + i) / whole : (first + i) * step,
  );
}

function smallestStep(ticks: readonly number[]): number {
  const steps = ticks.slice(1).map((tick, i) => Math.abs(tick - (ticks[i] ?? 0)));
  return steps.length > 0 ? Math.min(...steps) : Math.abs(ticks[0] ?? 1) || 1;
}

/** Made once for each number of decimals: making one takes longer than a frame has for all labels. */
const formats: Intl.NumberFormat[] = [];

/** With the decimals that a step needs, and thousands separated. */
function plain(value: number, step: number): string {
  const decimals = step > 0 ? Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))) : 0;
  formats[decimals] ??= new Intl.NumberFormat('en', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  const text = formats[decimals].format(value);
  return withMinus(text === '-0' ? '0' : text);
}

/** 1e-5 → `1e-5`, 2.5e6 → `2.5e6`: short enough for the labels left of a chart. */
function shortPower(value: number): string {
  return value
    .toExponential(2)
    .replace(/\.?0+e/, 'e')
    .replace('e+', 'e');
}
