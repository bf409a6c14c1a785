/** The dashboard says in words how a pair stands. */
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { emptyRun, reduceRunAll } from '../../src/core/run.ts';
import { computingTexts } from '../../webview/proof.ts';
import { progressText } from '../../webview/runCard.ts';
import type { ShownPair, ShownRun } from '../../webview/state.ts';
import { verdictOf } from '../../webview/verdict.ts';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';

function shown(method: 'baseline' | 'masksub', seed: number, events: readonly RunEvent[]): ShownRun {
  const role = method === 'baseline' ? 'baseline' : 'method';
  const handle = { id: `${method}${seed}`, name: 'x', method, role, experiment: 'e', seed, lost: false } as const;
  return { handle, run: reduceRunAll(emptyRun(handle.id), events) };
}

const ended = (state: 'finished' | 'stopped', t = 75): RunEvent => ({
  ...{ v: 1, run: '', attempt: 0 },
  ...{ t, type: 'end', state, message: '' },
});

const unnamed = { key: 'e-s0', name: 'x' };

/** A pair with that top-1 at epoch 10. */
function pair(seed: number, baseline: number, method: number, state: 'finished' | 'stopped' = 'finished'): ShownPair {
  const events = (role: 'baseline' | 'method', top1: number) => [
    startEvent({ role, seed }),
    epochEvent(10, { top1 }),
    ended(state),
  ];
  return {
    key: `e-s${seed}`,
    name: 'x',
    seed,
    baseline: shown('baseline', seed, events('baseline', baseline)),
    method: shown('masksub', seed, events('method', method)),
  };
}

describe('the verdict', () => {
  test('a clear lead is a number and a sentence', () => {
    const one = pair(0, 0.8, 0.85);
    expect(verdictOf(one, [one])).toMatchObject({ figure: '+5.0', unit: 'points', clear: true });
    expect(verdictOf(one, [one]).sentences).toHaveLength(1);
  });

  test('a difference within noise is not clear', () => {
    const one = pair(0, 0.8, 0.797);
    expect(verdictOf(one, [one])).toMatchObject({ figure: '−0.3', clear: false });
  });

  test('over seeds only those that have finished count', () => {
    const pairs = [pair(0, 0.8, 0.82), pair(1, 0.8, 0.84), pair(2, 0.8, 0.1, 'stopped')];
    const [first] = pairs;
    expect(first && verdictOf(first, pairs).sentences[1]).toContain('+3.00 ± 1.41 points over 2 seeds');
    expect(first && verdictOf(first, pairs.slice(0, 1)).sentences).toHaveLength(1);
  });

  test('before the first validation of both there is no number', () => {
    const running = {
      ...unnamed,
      seed: 0,
      baseline: shown('baseline', 0, [startEvent()]),
      method: shown('masksub', 0, [startEvent()]),
    };
    expect(verdictOf(running, [running]).figure).toBeUndefined();
    expect(verdictOf(running, [running]).sentences[0]).toContain('after the first validation');
  });

  test('a run on its own has nothing to be compared with', () => {
    const alone = { ...unnamed, seed: 0, method: pair(0, 0.8, 0.85).method } as ShownPair;
    expect(verdictOf(alone, [alone])).toMatchObject({ figure: '85.0', unit: '%' });
  });
});

describe('the progress of a run', () => {
  for (const [events, text] of [
    [[], ''],
    [[startEvent()], 'epoch 1 of 10'],
    [[startEvent(), stepEvent(15, { t: 30 })], 'epoch 2 of 10 · 2 min 50 s left'],
    [[startEvent(), stepEvent(100)], 'epoch 10 of 10 · 0 s left'],
    [[startEvent(), stepEvent(35), ended('stopped')], '3 of 10 epochs in 1 min 15 s'],
    [[startEvent(), stepEvent(100), ended('finished')], '10 epochs in 1 min 15 s'],
  ] as const) {
    test(text || 'is empty before the first event', () => {
      expect(progressText(reduceRunAll(emptyRun('run'), events))).toBe(text);
    });
  }
});

describe('on what a pair computes', () => {
  const reasons = { backendReason: 'It is installed.', executorReason: 'It is the fastest.' };
  const on = (executor: string, precision = 'float32') =>
    startEvent({ backend: 'tensorflow', executor, precision, ...reasons });
  const texts = (method: RunEvent[], baseline: RunEvent[]) =>
    computingTexts({
      ...unnamed,
      seed: 0,
      method: shown('masksub', 0, method),
      baseline: shown('baseline', 0, baseline),
    });

  test('is said once, with the reasons, where it is the same for both', () => {
    const text = 'TensorFlow, recorded, bfloat16: It is installed. It is the fastest.';
    const start = on('recorded', 'bfloat16');
    expect(texts([start], [{ ...start, method: 'baseline' }])).toEqual([text]);
    expect(texts([start], [])).toEqual([text]);
  });

  test('is said of each run where one fell back', () => {
    const fallen = { ...on('eager'), method: 'baseline', executorReason: 'Recording failed.' };
    expect(texts([on('recorded')], [fallen])).toEqual([
      'MaskSub on TensorFlow, recorded, float32: It is installed. It is the fastest.',
      'Baseline on TensorFlow, eager, float32: It is installed. Recording failed.',
    ]);
  });

  test('is not said before one has started', () => expect(texts([], [])).toEqual([]));
});
