/** Colours, sizes and fonts of the styles of a figure. */
import { runStyle } from '../core/runStyles.ts';
import type { FigureLook, FigureStyle } from './figure.ts';

export interface Look {
  readonly background: string;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly color: (slot: number) => string;
  /** Pixels: of text, and of a main line. */
  readonly fontSize: number;
  readonly line: number;
  /** Markers on every line, so that lines stay apart without colour. */
  readonly markers: boolean;
  /** Pixels: of the whole picture, and of the plot with its axes. */
  readonly width: number;
  readonly plotHeight: number;
}

export function lookOf({ style, width }: FigureLook): Look {
  const pixels = (width / 2.54) * 96;
  return {
    ...colors[style],
    fontSize: style === 'paper' ? 10 : 12,
    line: style === 'paper' ? 1.15 : 1.75,
    markers: style === 'paper',
    width: pixels,
    plotHeight: Math.round(pixels * (style === 'paper' ? 0.58 : 0.5)),
  };
}

export const fontFamily = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/** Usual widths in centimetres: a column of a paper, and a picture for a screen. */
export const usualWidth = (style: FigureStyle) => (style === 'paper' ? 8.5 : 17);

type Colors = Pick<Look, 'background' | 'ink' | 'muted' | 'grid' | 'color'>;

const colors: Readonly<Record<FigureStyle, Colors>> = {
  paper: {
    background: '#ffffff',
    ink: '#000000',
    muted: '#000000',
    grid: '#d9d9d9',
    color: (slot) => runStyle(slot).paper,
  },
  light: {
    background: '#ffffff',
    ink: '#1f1f1f',
    muted: '#5a5a5a',
    grid: '#e3e3e3',
    color: (slot) => runStyle(slot).light,
  },
  dark: {
    background: '#1f1f1f',
    ink: '#e8e8e8',
    muted: '#a8a8a8',
    grid: '#3a3a3a',
    color: (slot) => runStyle(slot).dark,
  },
  page: {
    background: 'var(--background)',
    ink: 'var(--ink)',
    muted: 'var(--muted)',
    grid: 'var(--grid)',
    color: (slot) => `var(--run-${slot % 12})`,
  },
};
