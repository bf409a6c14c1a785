/** Ticks, labels, badges, spoken points, and the colours of the layers, as a person reads them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diverging, sequential } from '../../src/core/colorScale.ts';
import { layerShare, shortLayers } from '../../src/core/layers.ts';
import type { MetricWindow, WindowQuery } from '../../src/core/metricQuery.ts';
import { domainOf, heatMapOf, layerTable, pixelsOf, valueAt } from '../../webview/charts/heatMap.ts';
import { clock, linearTicks, logTicks, placeText, timeTicks, xLabels, yLabels } from '../../webview/charts/ticks.ts';
import { type BadgeFacts, badge, spokenPoint } from '../../webview/charts/words.ts';

describe('ticks', () => {
  test('are round', () => {
    expect(linearTicks(0, 60, 6)).toEqual([0, 10, 20, 30, 40, 50, 60]);
    expect(linearTicks(-0.42, 0.87, 6)).toEqual([-0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8]);
    expect(timeTicks(0, 7200, 5)).toEqual([0, 1800, 3600, 5400, 7200]);
  });
  test('of a logarithmic axis are powers of ten, closer where there is room', () => {
    expect(logTicks(0.5, 30, 6)).toEqual([0.5, 1, 2, 5, 10, 20]);
    expect(logTicks(1e-6, 1e6, 6)).toEqual([1e-6, 1e-4, 1e-2, 1, 100, 1e4, 1e6]);
  });
  test('lie inside and are few, whatever the range', () => {
    const range = fc.tuple(
      fc.double({ min: -1e12, max: 1e12, noNaN: true }),
      fc.double({ min: 1e-9, max: 1e12, noNaN: true }),
    );
    fc.assert(
      fc.property(range, fc.integer({ min: 1, max: 12 }), ([min, width], most) => {
        fc.pre(width > 1e-9 * Math.abs(min)); // below it the range itself is lost in rounding
        const ticks = linearTicks(min, min + width, most);
        const slack = 1e-6 * width + 1e-12 * Math.abs(min);
        expect(ticks.every((tick) => tick >= min - slack && tick <= min + width + slack)).toBe(true);
        expect(ticks.length).toBeLessThanOrEqual(most + 2);
      }),
    );
  });
});

describe('labels', () => {
  test('of the x axis say once what they count', () => {
    expect(xLabels('epoch', [0, 20, 40])).toEqual(['epoch 0', '20', '40']);
    expect(xLabels('step', [0, 500_000, 1_000_000])).toEqual(['step 0', '0.5 M', '1.0 M']);
    expect(xLabels('flops', [0, 1e18, 2e18])).toEqual(['0 FLOP', '1 E', '2 E']);
    expect(xLabels('time', [0, 1800, 3600])).toEqual(['0:00', '30:00', '1:00:00']);
  });
  test('of the y axis have the decimals that they need', () => {
    expect(yLabels([0, 0.5, 1], false)).toEqual(['0.0', '0.5', '1.0']);
    expect(yLabels([-1, 0], false)).toEqual(['−1', '0']);
    expect(yLabels([0, 5e-5, 1e-4], false)).toEqual(['0', '5e−5', '1e−4']);
    expect(yLabels([0, 0.0005, 0.001], false)).toEqual(['0.0000', '0.0005', '0.0010']);
    expect(yLabels([0.5, 1, 1.5], true)).toEqual(['0.5', '1.0', '1.5']);
    expect(yLabels([0.01, 0.1, 1, 10], true)).toEqual(['0.01', '0.1', '1', '10']);
  });
  test('of a place', () => {
    expect(placeText('step', 1200)).toBe('step 1,200');
    expect(placeText('flops', 3.21e15)).toBe('3.21 PFLOP');
    expect(clock(3725, 1)).toBe('1:02:05');
  });
});

describe('a badge', () => {
  const facts: BadgeFacts = {
    shown: 100,
    points: 100,
    smoothing: 0,
    outside: 0,
    notPositive: 0,
    exact: true,
    notFinite: 0,
    hidden: 0,
    perBucket: 1,
  };
  test('says how many of how many points', () => {
    expect(badge(facts).text).toBe('100 points');
    expect(badge({ ...facts, shown: 1600, points: 1_000_000 }).text).toBe('1,600 of 1,000,000 points');
    expect(badge({ ...facts, points: 0 }).text).toBe('');
  });
  test('hides nothing that is not shown', () => {
    const all = { ...facts, smoothing: 0.01, outside: 2, notPositive: 3, notFinite: 1, hidden: 1, perBucket: 1024 };
    expect(badge(all).text).toBe(
      '100 points · 2 outside · 3 not above 0 · 1 not finite × · 1 hidden · smoothed (half-life 1\u00a0%)',
    );
    expect(badge(all).details).toMatch(/1,024 points/);
    expect(badge({ ...all, exact: false }).text).toMatch(/≥ 2 outside · ≥ 3 not above 0/);
  });
  test('a point is spoken with its place', () => {
    const readOuts = [{ label: 'MaskSub main', value: '0.98' }];
    expect(spokenPoint('epoch 28.08', readOuts)).toBe('epoch 28.08, MaskSub main 0.98');
  });
});

describe('the layers', () => {
  const query: WindowQuery = {
    table: 'layers',
    names: ['main.head', 'main.blocks.0', 'loss'],
    axis: 'step',
    from: 0,
    to: 30,
    buckets: 100,
  };
  const series = (values: number[]) => {
    const mean = Float64Array.from(values);
    return { min: mean, max: mean, mean, last: mean, points: 3, notFinite: new Float64Array(), notFiniteCount: 0 };
  };
  const x = Float64Array.from([10, 20, 30]);
  const window: MetricWindow = {
    level: 0,
    x0: x,
    x1: x,
    series: [series([1, Number.NaN, 100]), series([10, 10, 10]), series([0, 0, 0])],
    rows: 3,
    inside: 3,
  };
  const map = heatMapOf('main', query, window, ['main.blocks.0', 'main.head']);

  test('are rows in their own order', () => {
    expect(map.layers).toEqual(['blocks.0', 'head']);
    expect(valueAt(map, 1, 29)).toEqual({ x: 30, value: 100 });
    expect(valueAt(map, 0, 12)).toEqual({ x: 20, value: 10 });
  });
  test('have colours by the logarithm of a norm, and by a cosine as it is', () => {
    expect(domainOf('main', map)).toEqual([1, 100]);
    expect(layerShare('main', 10, [1, 100])).toBeCloseTo(0.5, 12);
    expect(layerShare('cosine', 0, domainOf('cosine', map))).toBe(0.5);
  });
  test('leave clear what there is no value for', () => {
    const pixels = pixelsOf('main', map, [1, 100], { from: 0, to: 30 }, 3);
    const pixel = (column: number, row: number) => [
      ...pixels.slice(4 * (row * 3 + column), 4 * (row * 3 + column) + 4),
    ];
    expect(pixel(0, 1)).toEqual([...sequential.at(0), 255]);
    expect(pixel(1, 1)).toEqual([0, 0, 0, 0]);
    expect(pixel(2, 1)).toEqual([...sequential.at(1), 255]);
    expect(pixel(2, 0)).toEqual([...sequential.at(0.5), 255]);
  });
  test('a larger norm is always lighter, and both signs of a cosine are equally dark', () => {
    const light = (rgb: readonly number[]) => 0.2126 * (rgb[0] ?? 0) + 0.7152 * (rgb[1] ?? 0) + 0.0722 * (rgb[2] ?? 0);
    const lights = Array.from({ length: 51 }, (_, i) => light(sequential.at(i / 50)));
    expect(lights).toEqual([...lights].sort((a, b) => a - b));
    expect(Math.abs(light(diverging.at(0)) - light(diverging.at(1)))).toBeLessThan(15);
  });
  test('have a table of what is in view', () => {
    const { columns, rows } = layerTable(map, { from: 15, to: 30 }, { title: 'Step', format: String }, String);
    expect(columns).toEqual(['Step', 'blocks.0', 'head']);
    expect(rows).toEqual([
      ['20', '10', '–'],
      ['30', '10', '100'],
    ]);
  });
  test('have labels that fit', () => {
    expect(shortLayers(['embed', 'blocks.1', 'blocks.11'])).toEqual(['embed', 'b.1', 'b.11']);
    expect(shortLayers(['stages.3.blocks.2', 'head'])).toEqual(['s.3.b.2', 'head']);
    expect(shortLayers(['head', 'blocks.0'])).toEqual(['head', 'blocks.0']);
  });
});
