/** Every chart draws what the events say of a pair, and nothing that they do not. */
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { emptyRun, reduceRunAll } from '../../src/core/run.ts';
import { emptyText, metrics, seriesOf } from '../../webview/charts/metrics.ts';
import type { ShownPair, ShownRun } from '../../webview/state.ts';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';

function shown(method: 'baseline' | 'masksub', events: readonly RunEvent[]): ShownRun {
  const role = method === 'baseline' ? 'baseline' : 'method';
  const handle = { id: method, name: 'x', method, role, seed: 0, lost: false } as const;
  return { handle, run: reduceRunAll(emptyRun(method), [startEvent({ role, method }), ...events]) };
}

const pair: ShownPair = {
  seed: 0,
  method: shown('masksub', [
    stepEvent(10, { loss: { total: 1.5, main: 2, sub: 1 }, grad: { total: 1, main: 4, sub: 2, cosine: -0.25 } }),
    stepEvent(20, { loss: { total: 1, main: Number.NaN, sub: 0.5 } }),
    epochEvent(1),
    epochEvent(2, { top1: 0.5, maskedTop1: 0.25 }),
  ]),
  baseline: shown('baseline', [
    stepEvent(10, { loss: { total: 3, main: 3 }, grad: { total: 1, main: 1 }, learningRate: 1e-3 }),
    epochEvent(2, { top1: 0.75 }),
  ]),
};

const drawn = (id: string) => {
  const metric = metrics.find((candidate) => candidate.id === id);
  if (!metric) throw new Error(`There is no chart ${id}.`);
  return seriesOf(metric, pair).map(({ label, who, dashed, points }) => ({ label, who, dashed, ...points }));
};

const expected = {
  loss: [
    { label: 'MaskSub main', who: 'method', dashed: false, x: [1, 2], y: [2, Number.NaN] },
    { label: 'MaskSub sub', who: 'method', dashed: true, x: [1, 2], y: [1, 0.5] },
    { label: 'Baseline', who: 'baseline', dashed: false, x: [1], y: [3] },
  ],
  accuracy: [
    { label: 'MaskSub', who: 'method', dashed: false, x: [2], y: [50] },
    { label: 'MaskSub masked', who: 'method', dashed: true, x: [2], y: [25] },
    { label: 'Baseline', who: 'baseline', dashed: false, x: [2], y: [75] },
  ],
  'grad-ratio': [{ label: 'MaskSub sub / main', who: 'method', dashed: false, x: [1, 2], y: [0.5, 2] }],
  'grad-cosine': [{ label: 'MaskSub cosine', who: 'method', dashed: false, x: [1, 2], y: [-0.25, 0.5] }],
  lr: [{ label: 'both runs', who: 'both', dashed: false, x: [1, 2], y: [1e-3, 1e-3] }],
  throughput: [
    { label: 'MaskSub', who: 'method', dashed: false, x: [1, 2], y: [100, 100] },
    { label: 'Baseline', who: 'baseline', dashed: false, x: [1], y: [100] },
  ],
};

describe('a method with one branch', () => {
  const alone: ShownPair = { seed: 0, method: shown('masksub', [stepEvent(10, { loss: { total: 3, main: 3 } })]) };
  const of = (id: string) => metrics.find((metric) => metric.id === id) as (typeof metrics)[number];
  test('does not say which', () => {
    expect(seriesOf(of('loss'), alone).map(({ label }) => label)).toEqual(['MaskSub']);
  });
  test('has no ratio and no cosine, and is not waited for', () => {
    for (const id of ['grad-ratio', 'grad-cosine']) {
      expect(emptyText(of(id), alone)).toBe('MaskSub has one branch here: there is nothing to compare.');
      expect(emptyText(of(id), { seed: 0, method: shown('masksub', []) })).toBe('Begins with the first step.');
      expect(emptyText(of(id), { seed: 0, baseline: shown('baseline', []) })).toMatch(/baseline has one branch/);
    }
  });
});

describe('a pair', () => {
  for (const [id, lines] of Object.entries(expected)) {
    test(`as ${id}`, () => {
      expect(drawn(id)).toEqual(lines);
    });
  }
});

test('the ids that others rely on are there', () => {
  const ids = ['loss', 'accuracy', 'grad-norm', 'grad-ratio', 'grad-cosine', 'lr', 'throughput'];
  expect(metrics.map(({ id }) => id).sort()).toEqual(ids.sort());
});

test('without points there are no lines', () => {
  for (const metric of metrics) expect(seriesOf(metric, { seed: 0, method: shown('masksub', []) })).toEqual([]);
});
