/** A heat map as SVG: a colour for each cell and numbers for the colours, also without colour, and nothing that a name could smuggle in. */
import { describe, expect, test } from 'vitest';
import { layerColors } from '../../src/core/layers.ts';
import { drawFigure } from '../../src/figure/drawing.ts';
import type { HeatFigure, HeatPanel, HeatScale } from '../../src/figure/figure.ts';

const panel = (more: Partial<HeatPanel> = {}): HeatPanel => ({
  label: 'MaskSub main',
  names: ['embed', 'head'],
  edges: [0, 1, 2, 3, 4],
  values: [
    [0.01, 0.1, 1, 1],
    [0.1, Number.NaN, 1, 10],
  ],
  ...more,
});
const norms = (...panels: HeatPanel[]): HeatScale => ({
  title: 'L2 norm',
  log: true,
  domain: [0.01, 10],
  color: layerColors('main').at,
  marksNegative: false,
  panels,
});
const cosines = (...panels: HeatPanel[]): HeatScale => ({
  title: 'Cosine',
  log: false,
  domain: [-1, 1],
  color: layerColors('cosine').at,
  marksNegative: true,
  panels,
});
const figure = (...scales: HeatScale[]): HeatFigure => ({
  title: 'Gradients by layer',
  x: { title: 'Epoch', unit: '', log: false, range: [0, 4] },
  scales,
  caption: 'One seed (0).',
  metadata: {},
});
const paper = (...scales: HeatScale[]) => drawFigure(figure(...scales), { style: 'paper', width: 8.5 });
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text ?? '');

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly fill: string;
}
/** The rectangles of a picture, without those of its legends, by rows. */
function rowsOf(svg: string): Cell[][] {
  const cells = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="[\d.]+" fill="(#\w+)"/g)]
    .map(([, x, y, width, fill]) => ({ x: Number(x), y: Number(y), width: Number(width), fill: fill ?? '' }))
    .filter(({ width }) => width !== 9);
  return [...new Set(cells.map(({ y }) => y))].map((y) => cells.filter((cell) => cell.y === y));
}
const lightness = (fill: string) => {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => Number.parseInt(fill.slice(i, i + 2), 16));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

describe('cells', () => {
  const rows = rowsOf(paper(norms(panel())));
  test('are as wide as their time, equal neighbours one, and empty where there is no value', () => {
    const [first = [], second = []] = rows;
    expect([first.length, second.length]).toEqual([3, 3]);
    const unit = (first[1]?.x ?? 0) - (first[0]?.x ?? 0);
    expect(first[2]?.width).toBeCloseTo(2 * unit, 1);
    expect(second[1]?.x).toBeCloseTo(2 * unit, 1);
    expect(second[0]?.width).toBeCloseTo(unit, 1); // reaches under no neighbour
    expect(first[0]?.width).toBeGreaterThan(unit);
  });
  test('of larger norms are lighter, by the logarithm', () => {
    const [low = 0, middle = 0, high = 0] = [...(rows[0] ?? [])].map(({ fill }) => lightness(fill));
    expect(low).toBeLessThan(middle);
    expect(middle).toBeLessThan(high);
    expect(rows[1]?.[0]?.fill).toBe(rows[0]?.[1]?.fill);
  });
  test('keep within the range that is asked for', () => {
    const { x, ...rest } = figure(norms(panel({ edges: [0, 10, 20, 30, 40] })));
    const svg = drawFigure({ ...rest, x: { ...x, range: [5, 25] } }, { style: 'paper', width: 8.5 });
    const [first = []] = rowsOf(svg);
    const whole = first.reduce((end, cell) => Math.max(end, cell.x + cell.width), 0);
    expect(first[0]?.x).toBe(0);
    expect(first[0]?.width).toBeCloseTo(whole / 4 + 0.6, 1);
    expect(texts(svg)).not.toContain('30');
  });
  test('below 0 have dots, for whoever sees no colour', () => {
    const dots = (svg: string) => svg.match(/stroke="#ffffff" stroke-width="1.3"/g)?.length ?? 0;
    expect(dots(paper(norms(panel())))).toBe(0);
    const values = [
      [1, 0.5, 0, 0.5],
      [1, -1, -0.5, 1],
    ];
    expect(dots(paper(cosines(panel({ values }))))).toBe(2); // the second row's, and the legend's
  });
});

describe('words', () => {
  test('name panels, rows and colours, each scale with its numbers', () => {
    const values = [[1, 0, -1, 0]];
    const said = texts(paper(norms(panel()), cosines(panel({ label: 'MaskSub cosine', names: ['blocks.0'], values }))));
    expect(said).toEqual(expect.arrayContaining(['MaskSub main', 'MaskSub cosine', 'embed', 'head', 'blocks.0']));
    expect(said).toEqual(expect.arrayContaining(['L2 norm', '0.01', '1', 'Cosine', '−1', '0', 'Epoch', '4']));
    expect(said).not.toContain('');
  });
  test('say it to those who do not see it', () => {
    expect(/<desc>(.*)<\/desc>/.exec(paper(norms(panel())))?.[1]).toContain(
      'MaskSub main: L2 norm of 2 rows, from 0.01 to 10.',
    );
  });
  test('leave out rows that have no room, never the first and the last', () => {
    const names = Array.from({ length: 200 }, (_, i) => `b.${i}`);
    const said = texts(paper(norms(panel({ names, values: names.map(() => [1, 1, 1, 1]) }))));
    const rows = said.filter((text) => text.startsWith('b.'));
    expect([rows[0], rows.at(-1)]).toEqual(['b.0', 'b.199']);
    expect(rows.length).toBeLessThan(100);
  });
  test('that are hostile or without end stay words', () => {
    const label = `</title><script>alert(1)</script>${'w'.repeat(10_000)}`;
    const svg = paper(norms(panel({ label, names: ['<b>', '"&'] })));
    expect(svg).not.toMatch(/<script|<b>/);
    expect(svg).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#39;)/);
    expect(Math.max(...texts(svg).map((text) => text.length))).toBeLessThan(80);
  });
  test('stand also where there is nothing to show', () => {
    const values = [[Number.NaN, Number.NaN], []];
    const svg = paper(norms(panel({ edges: [0, 1, 2], values })));
    expect(svg).toContain('MaskSub main: L2 norm of 2 rows, no values.');
    expect(svg).not.toContain('NaN');
    expect(paper()).toContain('One seed (0).');
  });
});
