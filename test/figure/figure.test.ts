/** A figure as SVG: the same bytes for the same numbers, everything named and said, nothing that a name could smuggle in. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { drawFigure } from '../../src/figure/drawing.ts';
import type { Figure, FigureSeries } from '../../src/figure/figure.ts';

const series = (more: Partial<FigureSeries> = {}): FigureSeries => ({
  label: 'Baseline',
  slot: 0,
  dashed: false,
  x: [0, 1, 2, 3],
  y: [2, 1, 0.5, 0.25],
  ...more,
});

const figure = (more: Partial<Figure> = {}): Figure => ({
  title: 'Training loss',
  x: { title: 'Epoch', unit: '', log: false },
  y: { title: 'Loss per batch', unit: '', log: false },
  series: [
    series(),
    series({ label: 'MaskSub sub', slot: 1, dashed: true, y: [2.2, Number.NaN, 0.8, 0.6], notFinite: [1] }),
  ],
  caption: 'One seed (0).',
  metadata: { runs: ['a'] },
  ...more,
});

const paper = (more: Partial<Figure> = {}) => drawFigure(figure(more), { style: 'paper', width: 8.5 });
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text ?? '');
/** The x and y of each point of the first line that has a colour. */
const points = (svg: string, color: string) => {
  const d = new RegExp(`<path d="([^"]*)" fill="none" stroke="${color}"`).exec(svg)?.[1] ?? '';
  return [...d.matchAll(/([\d.-]+),([\d.-]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
};

test('a small chart is what it was', () => {
  const file = path.join(import.meta.dirname, 'small.svg');
  const svg = paper();
  if (process.env.UPDATE) fs.writeFileSync(file, svg);
  expect(svg).toBe(fs.readFileSync(file, 'utf8'));
  expect(paper()).toBe(svg);
});

describe('an axis', () => {
  test('is logarithmic in truth: equal factors are equal distances', () => {
    const values = [1000, 100, 10, 1];
    const svg = paper({ y: { title: 'Ratio', unit: '', log: true }, series: [series({ y: values })] });
    const at = points(svg, '#0072b2').map(([, y]) => y);
    const steps = at.slice(1).map((y, i) => y - (at[i] ?? 0));
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThan(0.03);
    expect(texts(svg)).toEqual(expect.arrayContaining(['1', '10', '100', '10³']));
  });
  test('leaves out what a logarithm cannot show', () => {
    const svg = paper({ y: { title: 'Ratio', unit: '', log: true }, series: [series({ y: [0, -1, 10, 100] })] });
    expect(points(svg, '#0072b2')).toHaveLength(2);
  });
  test.each([
    ['s', 7200 * 3, 'Wall time (h)'],
    ['s', 600, 'Wall time (min)'],
    ['s', 50, 'Wall time (s)'],
    ['FLOP', 3e15, 'Wall time (10¹⁵ FLOP)'],
    ['', 150_000, 'Wall time (×10³)'],
    ['B', 4.5e9, 'Wall time (GB)'],
    ['', 0.00099, 'Wall time (×10⁻³)'],
  ])('in %s up to %d has the title %s', (unit, most, title) => {
    const x = [0, most / 3, most / 2, most];
    expect(texts(paper({ x: { title: 'Wall time', unit, log: false }, series: [series({ x })] }))).toContain(title);
  });
  test('shows the range that is asked for, with the lines up to its edges', () => {
    const svg = paper({ x: { title: 'Epoch', unit: '', log: false, range: [1.5, 2.5] }, series: [series()] });
    expect(texts(svg)).not.toContain('3');
    expect(points(svg, '#0072b2')).toHaveLength(3); // one on either side
  });
  test('stands also where all values are equal, and where there are none', () => {
    expect(texts(paper({ series: [series({ y: [5, 5, 5, 5] })] })).length).toBeGreaterThan(5);
    expect(texts(paper({ series: [] }))).toContain('No values to show');
    expect(paper({ series: [series({ y: [Number.NaN, Number.NaN, Number.NaN, Number.NaN] })] })).not.toContain('NaN,');
  });
});

describe('lines', () => {
  test('break at values that are not finite, which are crosses on the axis', () => {
    const svg = paper();
    expect(svg).toContain('<title>MaskSub sub: not finite</title>');
    expect(points(svg, '#e69f00')).toHaveLength(3);
  });
  test('are named at their ends, or above where they end together', () => {
    const together = [series(), ...[1, 2, 3].map((slot) => series({ label: `MaskSub ${slot}`, slot }))];
    const [apart, near] = [paper(), paper({ series: together })];
    const place = (svg: string, label: string) =>
      Number(new RegExp(`<text x="([\\d.]+)"[^>]*>${label}<`).exec(svg)?.[1]);
    expect(place(apart, 'Baseline')).toBeGreaterThan(150);
    expect(place(near, 'Baseline')).toBeLessThan(60);
  });
  test('that end at the top have their names inside of the picture', () => {
    const y = [0, 1, 2, 3];
    const svg = drawFigure(figure({ series: [series({ y }), series({ label: 'MaskSub', slot: 1, y })] }), {
      style: 'page',
      width: 17,
      bare: true,
    });
    const tops = [...svg.matchAll(/translate\([\d.]+,([\d.]+)\)/g)].map(([, top]) => Number(top));
    const highest = Math.min(
      ...['Baseline', 'MaskSub'].map((label) =>
        Number(new RegExp(`y="([-\\d.]+)"[^>]*>${label}</text>`).exec(svg)?.[1]),
      ),
    );
    const fontSize = Number(/font-size="(\d+)"/.exec(svg)?.[1]);
    expect((tops[0] ?? 0) + (tops[2] ?? 0) + highest).toBeGreaterThan(0.75 * fontSize);
  });
  test('of twelve runs have twelve looks', () => {
    const twelve = Array.from({ length: 12 }, (_, i) =>
      series({ label: `run ${i}`, slot: i, y: [i, i + 1, i + 2, i + 3] }),
    );
    const svg = paper({ series: twelve });
    const looks = [
      ...svg.matchAll(/stroke="(#\w+)" stroke-width="1.15"(?: stroke-dasharray="([^"]*)")? stroke-linejoin/g),
    ];
    expect(new Set(looks.map(([, color, dash]) => `${color} ${dash}`)).size).toBe(12);
  });
  test('carry a band, and raw values behind the smoothed ones', () => {
    const y = [1, 1, 1, 1];
    const svg = paper({ series: [series({ y, band: { low: [0, 0, 0, 0], high: [2, 2, 2, 2] }, raw: [1, 2, 0, 1] })] });
    expect(svg).toContain('fill-opacity="0.22"');
    expect(svg).toContain('stroke-opacity="0.32"');
  });
});

describe('words', () => {
  test('for those who do not see it, and where it comes from', () => {
    const svg = paper();
    expect(svg).toContain('<title>Training loss</title>');
    expect(/<desc>(.*)<\/desc>/.exec(svg)?.[1]).toContain('Baseline: from 2 to 0.25.');
    expect(svg).toContain('<metadata>{&quot;runs&quot;:[&quot;a&quot;]}</metadata>');
  });
  test('that are hostile stay words', () => {
    const hostile = '</title><script>alert(1)</script>"\' & \u0000\ud800';
    const label = { label: hostile };
    const svg = paper({ title: hostile, caption: hostile, metadata: hostile, series: [series(label), series(label)] });
    expect(svg).not.toContain('<script');
    expect(svg).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#39;)/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
    expect(svg).not.toMatch(/[\u0000-\u0008\ud800-\udfff]/);
  });
  test('that go on for long neither leave the picture nor make it endless', () => {
    const long = 'w'.repeat(10_000);
    const svg = paper({ title: long, series: [series({ label: long })] });
    expect(Math.max(...texts(svg).map((text) => text.length))).toBeLessThan(80);
  });
});
