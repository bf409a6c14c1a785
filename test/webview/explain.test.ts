/** The page Explain shows what a run recorded: read as the schema has it, filtered, counted, and nothing that is not there. */
import { describe, expect, test } from 'vitest';
import { emptyRun } from '../../src/core/run.ts';
import { type Samples, samplesSchema } from '../../src/core/samples.ts';
import { toWire } from '../../src/core/wire.ts';
import { checkSamples } from '../../webview/explain/checkSamples.ts';
import { chosenOf, stepped } from '../../webview/explain/choice.ts';
import { matrixView, mostConfused } from '../../webview/explain/confusion.ts';
import { lossScale, neighbour, placeOn, pointsOf, summaryOf } from '../../webview/explain/difficulty.ts';
import { rgbaOf, shownSize } from '../../webview/explain/picture.ts';
import { attentionOf, imageOf, readRecord } from '../../webview/explain/record.ts';
import { MOST_RECORDS, RecordCache } from '../../webview/explain/recordCache.ts';
import { agree, filtered, hiddenOf, isRight, keptText, spoken } from '../../webview/explain/sampleFacts.ts';
import { emptyState } from '../../webview/state.ts';

const said = (predicted: number, certainty: number, loss: number) => ({
  predicted,
  confidence: certainty / 2,
  certainty,
  loss,
});
const training: Samples['training'] = [
  { sample: 7, label: 0, mixed: false, main: said(0, 0.9, 0.1), sub: said(0, 0.6, 0.5), kept: [1, 2] },
  { sample: 3, label: 1, mixed: false, main: said(1, 0.5, 0.7), sub: said(0, 0.6, 1.5), kept: [0, 3] },
  { sample: 9, label: 1, mixed: true, main: said(0, 0.4, 2), sub: said(0, 0.7, 2.5), kept: [0, 1] },
];
const samples: Samples = {
  v: 1,
  epoch: 5,
  step: 40,
  classNames: ['cat', 'dog'],
  grid: { rows: 2, columns: 2 },
  unit: [1, 1],
  training,
  validation: {
    samples: 4,
    confusion: [
      [2, 0],
      [1, 1],
    ],
    worst: [{ sample: 2, label: 1, ...said(0, 0.8, 3) }],
  },
  blocks: {
    trainingImages: { offset: 0, dtype: 'uint8', shape: [2, 2, 2, 1] },
    attention: { offset: 8, dtype: 'float32', shape: [1, 2, 2] },
    worstImages: { offset: 24, dtype: 'uint8', shape: [1, 1, 1, 3] },
  },
};
const floats = new Uint8Array(Float32Array.of(0.1, 0.2, 0.3, 0.4).buffer);
const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, ...floats, 9, 10, 11);
const baseline: Samples = { ...samples, training: training.map(({ sub: _, kept: __, ...rest }) => rest) };

describe('a record is taken', () => {
  const changed = (change: (copy: Record<string, unknown> & { training: Record<string, unknown>[] }) => void) => {
    const copy = structuredClone(samples) as never;
    change(copy);
    return copy as unknown;
  };
  const cases: Readonly<Record<string, unknown>> = {
    'as it is written': samples,
    'of a baseline': baseline,
    'with fields to come': changed((copy) => Object.assign(copy, { later: 1 })),
    'not: of a later version': changed((copy) => Object.assign(copy, { v: 2 })),
    'not: without samples': changed((copy) => Object.assign(copy, { training: undefined })),
    'not: with a label that is none': changed((copy) => Object.assign(copy.training[1] ?? {}, { label: -1 })),
    'not: with a text for a number': changed((copy) =>
      Object.assign(copy.training[1] ?? {}, { main: { ...said(0, 1, 1), loss: '1' } }),
    ),
    'not: with half a prediction': changed((copy) => Object.assign(copy.training[1] ?? {}, { sub: { predicted: 1 } })),
    'not: with kept places that are none': changed((copy) => Object.assign(copy.training[1] ?? {}, { kept: [1.5] })),
    'not: with a unit of one side': changed((copy) => Object.assign(copy, { unit: [1] })),
    'not: with a ragged block': changed((copy) =>
      Object.assign(copy, { blocks: { attention: { offset: 0, dtype: 'int8', shape: [] } } }),
    ),
    'not: with five dimensions': changed((copy) =>
      Object.assign(copy, { blocks: { attention: { offset: 0, dtype: 'uint8', shape: [1, 1, 1, 1, 1] } } }),
    ),
    'not: a list': [],
    'not: nothing': null,
  };
  for (const [name, value] of Object.entries(cases)) {
    test(`${name}, as by the schema`, () => {
      const taken = !name.startsWith('not:');
      expect(samplesSchema.safeParse(value).success).toBe(taken);
      if (taken) expect(checkSamples(value)).toEqual(value);
      else expect(() => checkSamples(value)).toThrow(/expected .* got /);
    });
  }
});

test('a loss that is not finite comes as it is', () => {
  const [first] = training;
  const odd = { ...samples, training: [{ ...first, main: said(0, 1, Number.NaN) }] };
  expect(readRecord(toWire(odd), bytes).samples.training[0]?.main.loss).toBeNaN();
});

describe('images and attention', () => {
  const record = readRecord(toWire(samples), bytes);
  test('are what lies in the bytes', () => {
    expect(imageOf(record, 'training', 1)).toEqual({
      values: Uint8Array.of(5, 6, 7, 8),
      height: 2,
      width: 2,
      channels: 1,
    });
    expect(imageOf(record, 'worst', 0)?.values).toEqual(Uint8Array.of(9, 10, 11));
    expect(attentionOf(record, 0)).toEqual({ values: Float32Array.of(0.1, 0.2, 0.3, 0.4), rows: 2, columns: 2 });
  });
  test('are read at any place of a larger buffer', () => {
    const shifted = new Uint8Array([0, ...bytes]).subarray(1);
    expect(attentionOf(readRecord(toWire(samples), shifted), 0)?.values[3]).toBeCloseTo(0.4);
  });
  test('are missing where they were not kept', () => {
    expect(imageOf(record, 'training', 2)).toBeUndefined();
    expect(attentionOf(record, 1)).toBeUndefined();
  });
  test('must lie within the bytes', () => {
    expect(() => readRecord(toWire(samples), bytes.subarray(0, 26))).toThrow(
      '"worstImages" would end at 27 of 26 bytes',
    );
  });
  test('have 1 or 3 channels', () => {
    const blocks = { trainingImages: { offset: 0, dtype: 'uint8' as const, shape: [1, 2, 2, 2] } };
    expect(() => readRecord(toWire({ ...samples, blocks }), bytes)).toThrow('1 or 3 channels');
  });
  test('are drawn in grey or in colour, as a whole multiple of their size', () => {
    const colour = { values: Uint8Array.of(1, 2, 3), height: 1, width: 1, channels: 3 };
    expect([...rgbaOf(colour)]).toEqual([1, 2, 3, 255]);
    expect([...rgbaOf({ ...colour, channels: 1 })]).toEqual([1, 1, 1, 255]);
    expect(shownSize({ width: 28, height: 14 }, 100)).toEqual({ width: 84, height: 42 });
    expect(shownSize({ width: 200, height: 100 }, 100)).toEqual({ width: 100, height: 50 });
  });
});

describe('a sample', () => {
  const [first, second, third] = training as [Samples['training'][0], Samples['training'][0], Samples['training'][0]];
  test('hides what the step did not keep', () => {
    expect(hiddenOf(first, samples)).toEqual([true, false, false, true]);
    expect(keptText(first, samples)).toBe('2 of 4 patches kept');
    const text = { ...first, tokens: ['[CLS]', 'good', 'film'], kept: [0, 2] };
    expect(hiddenOf(text, samples)).toEqual([false, true, false]);
    expect(keptText(text, samples)).toBe('2 of 3 tokens kept');
  });
  test('of a run without a mask hides nothing', () => {
    expect(hiddenOf(baseline.training[0] as typeof first, baseline)).toBeUndefined();
    expect(agree(baseline.training[0] as typeof first)).toBeUndefined();
  });
  test('is let through by what both branches say', () => {
    expect(training.map(agree)).toEqual([true, false, true]);
    expect(training.map(isRight)).toEqual([true, true, false]);
    expect(filtered(samples, 'all')).toEqual([0, 1, 2]);
    expect(filtered(samples, 'disagree')).toEqual([1]);
    expect(filtered(samples, 'mainWrong')).toEqual([2]);
    expect(filtered(baseline, 'disagree')).toEqual([]);
  });
  test('is said in words', () => {
    const words =
      'Sample 3, label dog; main branch: dog, 50.0 %, right; sub-branch: cat, 60.0 %; disagree; 2 of 4 patches kept';
    expect(spoken(second, samples).replaceAll('\u00a0', ' ')).toBe(words);
    expect(spoken(third, samples)).toContain('dog (mixed)');
  });
});

describe('difficulty', () => {
  const points = pointsOf(samples, 'certainty');
  test('has a point for each sample, by confidence of the main branch', () => {
    expect(points.map(({ index, x, y, right }) => [index, x, y, right])).toEqual([
      [2, 0.4, 2.5, false],
      [1, 0.5, 1.5, true],
      [0, 0.9, 0.5, true],
    ]);
    expect(pointsOf(samples, 'confidence').map(({ x }) => x)).toEqual([0.2, 0.25, 0.45]);
    expect(pointsOf(baseline, 'certainty')).toEqual([]);
  });
  test('leaves out what is not finite', () => {
    const [one, ...rest] = training as [Samples['training'][0], ...Samples['training']];
    const broken = { ...samples, training: [{ ...one, sub: said(0, 1, Number.POSITIVE_INFINITY) }, ...rest] };
    expect(pointsOf(broken, 'certainty').map(({ index }) => index)).toEqual([2, 1]);
  });
  test('sums up right and wrong, and how both numbers go together', () => {
    expect(summaryOf(points)).toEqual({
      right: { count: 2, meanLoss: 1 },
      wrong: { count: 1, meanLoss: 2.5 },
      correlation: -1,
    });
    // By hand: the ranks are 0, 1.5, 1.5, 3 and 0, 3, 1.5, 1.5.
    const tied = [
      [1, 1],
      [2, 3],
      [2, 2],
      [4, 2],
    ].map(([x = 0, y = 0], index) => ({ index, x, y, right: true }));
    expect(summaryOf(tied).correlation).toBeCloseTo(0.5, 10);
    expect(summaryOf(points.slice(0, 1)).correlation).toBeUndefined();
  });
  test('has a place for every loss on either scale', () => {
    const log = lossScale(points, true);
    expect(points.map(({ y }) => placeOn(log, y)).every((place) => place > 0 && place < 1)).toBe(true);
    expect([0, -1].map((loss) => placeOn(log, loss))).toEqual([0, 0]);
    expect(placeOn({ min: 0.1, max: 10, isLog: true }, 1)).toBeCloseTo(0.5);
    expect(placeOn(lossScale(points, false), 0)).toBe(0);
    expect(lossScale([], true).min).toBeGreaterThan(0);
  });
  test('is walked by arrow keys', () => {
    expect(neighbour(points, 2, 'x', 1)).toBe(1);
    expect(neighbour(points, 2, 'y', -1)).toBe(1);
    expect(neighbour(points, 2, 'x', -1)).toBe(2);
    expect(neighbour(points, 99, 'x', 1)).toBe(2);
  });
});

describe('a confusion matrix', () => {
  const confusion = [
    [8, 2, 0],
    [1, 9, 0],
    [3, 0, 0],
  ];
  test('has counts and shares of the label', () => {
    const { rows, right, samples, isWhole } = matrixView(confusion);
    expect(rows[0]?.map(({ count, share }) => [count, share])).toEqual([
      [8, 0.8],
      [2, 0.2],
      [0, 0],
    ]);
    expect([right, samples, isWhole]).toEqual([17, 23, true]);
  });
  test('names the pairs that are confused most', () => {
    expect(mostConfused(confusion, 2).map(({ label, predicted, count }) => [label, predicted, count])).toEqual([
      [2, 0, 3],
      [0, 1, 2],
    ]);
  });
  test('of many classes shows those with most errors', () => {
    const many = Array.from({ length: 100 }, (_, i) => Array.from({ length: 100 }, (_, j) => (i === j ? 5 : 0)));
    (many[97] as number[])[98] = 2;
    const view = matrixView(many);
    expect(view.isWhole).toBe(false);
    expect(view.classes).toHaveLength(60);
    expect(view.classes.slice(-2)).toEqual([97, 98]);
    expect(view.samples).toBe(502);
  });
  test('of a label that did not occur has no shares', () => {
    expect(
      matrixView([
        [0, 0],
        [0, 4],
      ]).rows[0]?.map(({ share }) => share),
    ).toEqual([0, 0]);
  });
});

describe('records', () => {
  const answer = (epoch: number) =>
    ({ type: 'samples', run: 'a', epoch, samples: toWire({ ...samples, epoch }), bytes }) as const;
  const cacheWith = () => {
    const asked: number[] = [];
    return { asked, cache: new RecordCache((_, epoch) => asked.push(epoch)) };
  };
  test('are asked for once', () => {
    const { asked, cache } = cacheWith();
    expect(cache.get('a', 5).state).toBe('asked');
    cache.get('a', 5);
    cache.take(answer(5));
    expect(cache.get('a', 5)).toMatchObject({ state: 'read', record: { samples: { epoch: 5 } } });
    expect(asked).toEqual([5]);
  });
  test('are kept a few at a time, the last looked at', () => {
    const { asked, cache } = cacheWith();
    for (let epoch = 1; epoch <= MOST_RECORDS + 2; epoch++) {
      cache.get('a', epoch);
      cache.take(answer(epoch));
      cache.get('a', 1);
    }
    expect(cache.of('a')).toHaveLength(MOST_RECORDS);
    expect(asked).toEqual(Array.from({ length: MOST_RECORDS + 2 }, (_, i) => i + 1));
    asked.length = 0;
    cache.get('a', 1);
    cache.get('a', 2);
    expect(asked).toEqual([2]);
  });
  test('that cannot be read say why', () => {
    const { cache } = cacheWith();
    for (const epoch of [1, 2, 3]) cache.get('a', epoch);
    cache.take({ type: 'samples', run: 'a', epoch: 1, problem: 'The disk is gone.' });
    cache.take({ ...answer(2), bytes: new Uint8Array(3) });
    cache.take({ ...answer(3), samples: '{' });
    expect(cache.get('a', 1)).toEqual({ state: 'failed', problem: 'The disk is gone.' });
    expect(cache.get('a', 2)).toMatchObject({ problem: expect.stringContaining('would end at 8 of 3 bytes') });
    expect(cache.get('a', 3).state).toBe('failed');
  });
  test('of runs that are not shown any more are forgotten, also when they come late', () => {
    const { cache } = cacheWith();
    cache.get('a', 1);
    cache.keepOnly(() => false);
    cache.take(answer(1));
    expect(cache.of('a')).toEqual([]);
  });
});

describe('what is shown', () => {
  const handle = (id: string, role: 'method' | 'baseline') => ({
    ...{ id, name: 'x', method: role === 'method' ? 'masksub' : 'baseline', role, pair: 'p', experiment: 'x' },
    ...{ seed: 0, lost: false },
  });
  const state = (method: readonly number[], base: readonly number[]) => ({
    ...emptyState,
    handles: [handle('b', 'baseline'), handle('m', 'method')],
    runs: new Map([
      ['m', { ...emptyRun('m'), sampledEpochs: method }],
      ['b', { ...emptyRun('b'), sampledEpochs: base }],
    ]),
  });
  test("is the method's newest record, with the baseline's beside it", () => {
    const { run, epoch, other, hasOther } = chosenOf(state([5, 10], [5, 10]), {});
    expect([run?.handle.id, epoch, other?.handle.id, hasOther]).toEqual(['m', 10, 'b', true]);
    expect(chosenOf(state([5, 10], [5]), {}).hasOther).toBe(false);
  });
  test('is what was chosen, or the nearest to it', () => {
    expect(chosenOf(state([5, 10], [5, 10]), { run: 'b', epoch: 5 })).toMatchObject({
      run: { handle: { id: 'b' } },
      epoch: 5,
    });
    expect(chosenOf(state([5, 10], []), { epoch: 6 }).epoch).toBe(5);
  });
  test('is the run that has something, before one that has nothing', () => {
    expect(chosenOf(state([], [5]), {}).run?.handle.id).toBe('b');
    expect(chosenOf(state([], []), {})).toMatchObject({ run: { handle: { id: 'm' } }, epoch: undefined });
  });
  test('steps through the recorded epochs', () => {
    expect(stepped([5, 10, 15], 10, 1)).toBe(15);
    expect(stepped([5, 10, 15], 15, 1)).toBe(15);
    expect(stepped([5, 10, 15], 5, -1)).toBe(5);
    expect(stepped([], undefined, 1)).toBeUndefined();
  });
});
