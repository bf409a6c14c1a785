/** What enters a step: the same batches for both runs of a pair, whatever was drawn before, augmented and masked as the config says. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawCropAndFlip } from '../../src/augment/padAndFlip.ts';
import type { Config } from '../../src/core/config.ts';
import { keptTokens } from '../../src/core/maskRatio.ts';
import { RandomStream } from '../../src/core/random.ts';
import { memoryImages } from '../../src/data/memoryImages.ts';
import { Batches } from '../../src/engine/batches.ts';
import { buildProblem } from '../../src/engine/problem.ts';
import type { HostBatch, HostImages, HostText } from '../../src/engine/step/executor.ts';
import type { TrainingData } from '../../src/engine/trainingData.ts';
import { demoConfig, demoData, methodNames, tinyConfig, tinyData, tinyTexts } from './examples.ts';

function batchesOf(config: Config, data: TrainingData = demoData): Batches {
  const { model, method } = buildProblem(config, data);
  return new Batches(config, data, model, method);
}

const batchAt = (batches: Batches, epoch: number, index: number) => batches.batch(epoch, index, batches.order(epoch));
/** Images in, by the type of these data. */
const imagesIn = ({ input }: HostBatch) => input as HostImages;
const labelled = ({ input, target }: HostBatch) => ({ input, target });

test('every method gets the same images and labels', async () => {
  const [first, ...others] = await Promise.all(
    methodNames.map(async (name) => labelled(await batchAt(batchesOf(demoConfig({ method: { name } })), 2, 1))),
  );
  expect(others.length).toBeGreaterThan(0);
  for (const other of others) expect(other).toEqual(first);
});

test('a batch does not depend on which batches were drawn before', async () => {
  const config = demoConfig({ model: { dropPath: 0.1 } });
  const fresh = await batchAt(batchesOf(config), 3, 2);
  const used = batchesOf(config);
  for (const [epoch, index] of [
    [0, 0],
    [3, 1],
    [5, 3],
  ] as const)
    await batchAt(used, epoch, index);
  expect(await batchAt(used, 3, 2)).toEqual(fresh);
});

test('another epoch, batch or seed gives other images', async () => {
  const batches = batchesOf(demoConfig());
  const reference = imagesIn(await batchAt(batches, 1, 1)).values;
  expect(imagesIn(await batchAt(batches, 2, 1)).values).not.toEqual(reference);
  expect(imagesIn(await batchAt(batches, 1, 2)).values).not.toEqual(reference);
  expect(imagesIn(await batchAt(batchesOf(demoConfig({ train: { seed: 1 } })), 1, 1)).values).not.toEqual(reference);
});

describe('an epoch', () => {
  test('holds every sample once', () => {
    const order = batchesOf(demoConfig()).order(4);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 128 }, (_, i) => i));
  });
  test('has an order of its own', () => {
    const batches = batchesOf(demoConfig());
    expect(batches.order(1)).not.toEqual(batches.order(0));
  });
  test('with data.trainOn holds the same subset at every epoch and seed, from all over the data', () => {
    const subset = (seed: number, epoch: number) =>
      [...batchesOf(demoConfig({ data: { trainOn: 32 }, train: { seed } })).order(epoch)].sort((a, b) => a - b);
    expect(new Set(subset(0, 0)).size).toBe(32);
    expect(subset(1, 5)).toEqual(subset(0, 0));
    expect(Math.max(...subset(0, 0))).toBeGreaterThan(63);
  });
  test('drops an incomplete last batch', () => {
    expect(batchesOf(demoConfig({ train: { batchSize: 50, warmupEpochs: 0 } })).perEpoch).toBe(2);
  });
});

describe('images', () => {
  test('for validation are the pixels, normalized', async () => {
    const { values, shape } = (await batchesOf(tinyConfig(), tinyData).validation(3, 5)) as HostImages;
    expect(shape).toEqual([2, 8, 8, 3]);
    const pixels = tinyData.validation.pixels.subarray(3 * 192, 5 * 192);
    expect(values).toEqual(Float32Array.from(pixels, (pixel) => (pixel / 255 - 0.3) / 0.4));
  });
  test('without augmentation are those of validation', async () => {
    const data = { ...tinyData, validation: tinyData.train };
    const batches = batchesOf(tinyConfig(), data);
    const [sample = 0] = batches.order(0);
    const { values } = (await batches.validation(sample, sample + 1)) as HostImages;
    expect(imagesIn(await batchAt(batches, 0, 0)).values.subarray(0, 192)).toEqual(values);
  });
  test('are flipped about half of the time, and then are mirror images', async () => {
    const batches = batchesOf(tinyConfig({ augment: { flip: true } }), tinyData);
    const plain = batchesOf(tinyConfig(), tinyData);
    let flipped = 0;
    for (let index = 0; index < batches.perEpoch; index++) {
      const [got, original] = [
        imagesIn(await batchAt(batches, 0, index)).values,
        imagesIn(await batchAt(plain, 0, index)).values,
      ];
      for (let i = 0; i < 8; i++) {
        const image = got.subarray(192 * i, 192 * (i + 1)).join();
        const unflipped = original.subarray(192 * i, 192 * (i + 1));
        if (image !== unflipped.join()) {
          expect(image).toBe(mirrored(unflipped).join());
          flipped++;
        }
      }
    }
    expect(flipped).toBeGreaterThan(16);
    expect(flipped).toBeLessThan(48);
  });
  test('are moved by up to the padding, with black coming in', async () => {
    const white = memoryImages({
      pixels: new Uint8Array(tinyData.train.pixels.length).fill(255),
      labels: tinyData.train.labels,
      height: 8,
      width: 8,
      channels: 3,
    });
    const batches = batchesOf(tinyConfig({ augment: { crop: 'pad', padding: 2 } }), { ...tinyData, train: white });
    const [black, bright] = [-0.3 / 0.4, 0.7 / 0.4].map(Math.fround);
    const { values } = imagesIn(await batchAt(batches, 0, 0));
    expect(new Set(values)).toEqual(new Set([black, bright]));
    for (let i = 0; i < 8; i++) {
      const kept = values.subarray(192 * i, 192 * (i + 1)).filter((value) => value === bright).length / 3;
      expect([64, 56, 48, 49, 42, 36]).toContain(kept); // 8, 7 or 6 rows by as many columns
    }
  });
  test('a switched-off augmentation shifts no other draw', () => {
    fc.assert(
      fc.property(fc.nat(), (sample) => {
        const draw = (augment: Parameters<typeof drawCropAndFlip>[0]) =>
          drawCropAndFlip(augment, new RandomStream(0, 'x', 1, sample));
        const both = draw({ crop: 'pad', padding: 3, flip: true });
        expect(draw({ crop: 'none', padding: 3, flip: true })).toEqual({ top: 0, left: 0, flip: both.flip });
        expect(draw({ crop: 'pad', padding: 3, flip: false })).toEqual({ ...both, flip: false });
        expect(Math.max(Math.abs(both.top), Math.abs(both.left))).toBeLessThanOrEqual(3);
      }),
    );
  });
});

describe('random erasing', () => {
  const otherwiseStill = { crop: 'none', flip: false } as const;
  const erasing = (name: 'baseline' | 'masksub') =>
    batchesOf(demoConfig({ method: { name }, augment: { ...otherwiseStill, randomErasing: 1 } }));
  const plain = batchesOf(demoConfig({ augment: otherwiseStill }));

  test('fills a rectangle of each normalized image with noise', async () => {
    const batches = erasing('masksub');
    const noise: number[] = [];
    for (let index = 0; index < batches.perEpoch; index++) {
      const { values } = imagesIn(await batchAt(batches, 0, index));
      const { values: original } = imagesIn(await batchAt(plain, 0, index));
      for (let i = 0; i < 32; i++) {
        const pixels = Array.from({ length: 784 }, (_, pixel) => pixel);
        const changed = pixels.filter((pixel) => values[784 * i + pixel] !== original[784 * i + pixel]);
        const [rows, columns] = [changed.map((at) => Math.floor(at / 28)), changed.map((at) => at % 28)];
        expect(changed, 'a rectangle').toHaveLength(span(rows) * span(columns));
        expect(changed.length / 784).toBeGreaterThan(0.01);
        expect(changed.length / 784).toBeLessThan(0.36); // a third, but for rounding
        noise.push(...changed.map((pixel) => values[784 * i + pixel] as number));
      }
    }
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(0.04);
    expect(Math.abs(variance - 1)).toBeLessThan(0.06);
  });
  test('is the same for baseline and method, another in each epoch, and none for validation', async () => {
    const [baseline, method] = [erasing('baseline'), erasing('masksub')];
    const first = await batchAt(method, 0, 0);
    expect(labelled(await batchAt(baseline, 0, 0))).toEqual(labelled(first));
    const shown = method.order(0).subarray(0, 32);
    const later = await method.batch(1, 0, shown);
    expect(imagesIn(later).values).not.toEqual(imagesIn(first).values);
    expect(await method.validation(0, 4)).toEqual(await plain.validation(0, 4));
  });
});

describe('repeated augmentation', () => {
  const [samples, views] = [64, 3];
  const changes = {
    augment: { repeated: views, crop: 'pad', padding: 2, flip: true },
    train: { batchSize: 12 },
  } as const;
  const repeating = batchesOf(tinyConfig(changes), tinyData);

  test('shows each sample three times in a row, under different keys, in an epoch of the same length', () => {
    const order = repeating.order(2);
    expect(order).toHaveLength(samples);
    expect(new Set(order).size).toBe(samples);
    const shown = [...order].map((key) => key % samples);
    expect(new Set(shown).size).toBe(22);
    expect(shown).toEqual(shown.map((_, at) => shown[at - (at % views)]));
    expect(repeating.order(3)).not.toEqual(order);
    expect(repeating.perEpoch).toBe(batchesOf(tinyConfig({ train: changes.train }), tinyData).perEpoch);
  });
  test('with data.trainOn stays within the subset', () => {
    const subset = { ...changes, data: { trainOn: 16 } };
    const own = new Set(batchesOf(tinyConfig({ ...subset, augment: {} }), tinyData).order(0));
    const shown = [...batchesOf(tinyConfig(subset), tinyData).order(5)].map((key) => key % samples);
    expect(shown).toHaveLength(16);
    expect(shown.filter((sample) => !own.has(sample))).toEqual([]);
  });
  test('shows views that differ, the first of them as it would be alone', async () => {
    const batch = await batchAt(repeating, 0, 0);
    const images = imagesOf(batch, 12);
    // Two of 50 views are sometimes alike.
    expect(new Set(images.map((image) => image.join())).size).toBeGreaterThan(10);
    const order = repeating.order(0).subarray(0, 12);
    const alone = batchesOf(tinyConfig({ ...changes, augment: { ...changes.augment, repeated: 1 } }), tinyData);
    const firsts = order.filter((_, at) => at % views === 0);
    expect(images.filter((_, at) => at % views === 0)).toEqual(imagesOf(await alone.batch(0, 0, firsts), 4));
    const labels = [...order].map((key) => tinyData.train.labels[key % samples]);
    expect(labels.map((_, i) => batch.target.subarray(5 * i, 5 * (i + 1)).indexOf(1))).toEqual(labels);
  });
  test('shows the same image where nothing is drawn', async () => {
    const still = batchesOf(tinyConfig({ ...changes, augment: { repeated: views } }), tinyData);
    const images = imagesOf(await batchAt(still, 0, 0), 12);
    expect(images).toEqual(images.map((_, at) => images[at - (at % views)]));
  });
  test('is the same for every method', async () => {
    const [first, ...others] = await Promise.all(
      methodNames.map(async (name) =>
        labelled(await batchAt(batchesOf(tinyConfig({ ...changes, method: { name } }), tinyData), 1, 2)),
      ),
    );
    for (const other of others) expect(other).toEqual(first);
  });
  test('masks and drops each view in its own way', async () => {
    const model = { patchSize: 2, depth: 8, dropPath: 0.5 };
    const { draws } = await batchAt(batchesOf(tinyConfig({ ...changes, model }), tinyData), 0, 0);
    const { indices = new Int32Array(), kept = 0 } = draws.sub?.keep ?? {};
    const masks = Array.from({ length: 12 }, (_, i) => indices.subarray(kept * i, kept * (i + 1)).join());
    expect(new Set(masks).size).toBe(12);
    const drops = Array.from({ length: 12 }, (_, i) => Object.values(draws.sub?.drop ?? {}).map((of) => of[i]));
    expect(new Set(drops.map((drop) => drop.join())).size).toBe(12);
  });
});

test('targets are one-hot, smoothed over all classes', async () => {
  const { target } = await batchAt(batchesOf(tinyConfig({ train: { smoothing: 0.1 } }), tinyData), 0, 0);
  for (let i = 0; i < 8; i++) {
    const row = [...target.subarray(5 * i, 5 * (i + 1))].sort((a, b) => b - a);
    expect(row).toEqual([0.92, 0.02, 0.02, 0.02, 0.02].map(Math.fround));
  }
});

describe('masks', () => {
  test.each([
    [16, 0.5, 8],
    [49, 0.5, 24],
    [196, 0.75, 49],
    [16, 0, 16],
    [10, 0.99, 0],
  ])('%i tokens at ratio %f keep %i', (tokens, ratio, kept) => expect(keptTokens(tokens, ratio)).toBe(kept));

  test('keep as many tokens as the ratio says, each once, other ones for each sample and epoch', async () => {
    const batches = batchesOf(demoConfig());
    const { draws } = await batchAt(batches, 0, 0);
    const { indices = new Int32Array(), kept = 0 } = draws.sub?.keep ?? {};
    expect(kept).toBe(8);
    const rows = Array.from({ length: 32 }, (_, i) => indices.subarray(8 * i, 8 * (i + 1)));
    for (const row of rows) {
      expect(new Set(row).size).toBe(8);
      expect(Math.max(...row)).toBeLessThan(16);
    }
    expect(new Set(rows.map((row) => row.join())).size).toBeGreaterThan(28);
    expect(draws.main?.keep).toBeUndefined();
    expect(batches.validationMask(0, 4)).toEqual(
      batchesOf(demoConfig({ method: { name: 'baseline' } })).validationMask(0, 4),
    );
  });
});

describe('a mask ratio of each sample, where tokens are removed', () => {
  const maskRatio = { min: 0.25, max: 0.75, per: 'sample' } as const;
  const keepOf = async (epoch: number) => {
    const batches = batchesOf(demoConfig({ method: { name: 'masksub', maskRatio } }));
    const { keep } = (await batchAt(batches, epoch, 0)).draws.sub ?? {};
    if (!keep?.present) throw new Error('It does not say which tokens are there.');
    return { kept: keep.kept, ...rowsOf(keep.indices, keep.present, keep.kept) };
  };
  const rowsOf = (indices: Int32Array, present: Float32Array, kept: number) => ({
    rows: Array.from({ length: 32 }, (_, i) => indices.subarray(kept * i, kept * (i + 1))),
    counts: Array.from({ length: 32 }, (_, i) => present.subarray(kept * i, kept * (i + 1)).filter(Boolean).length),
    present,
  });

  test('fills the sequences up to what the least ratio keeps', async () => {
    const { kept, rows, counts, present } = await keepOf(0);
    expect(kept).toBe(12);
    expect(new Set(present)).toEqual(new Set([0, 1]));
    for (const row of rows) expect(new Set(row).size, 'each token once').toBe(12);
    // ⌊16 · (1 − ratio)⌋ for ratios from 0.25 to 0.75, each about as often.
    expect(new Set(counts).size).toBeGreaterThan(5);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...counts)).toBeLessThanOrEqual(12);
    const mean = counts.reduce((sum, count) => sum + count, 0) / 32;
    expect(Math.abs(mean - 7.5)).toBeLessThan(1.5);
    const first = present.subarray(0, 12);
    expect(
      [...first].sort((a, b) => b - a),
      'what fills up comes last',
    ).toEqual([...first]);
  });

  test('is drawn anew in each epoch', async () => {
    expect((await keepOf(1)).counts).not.toEqual((await keepOf(0)).counts);
  });
});

describe('texts', () => {
  const length = tinyTexts.length;
  const textBatches = (changes: Parameters<typeof tinyConfig>[0] = {}) =>
    batchesOf(tinyConfig({ ...changes, model: { name: 'bert', ...changes.model } }), tinyTexts);
  /** Tokens of each text of a batch, and where its words stand in the data. */
  const drawn = (batches: Batches, batch: HostBatch) => {
    const order = batches.order(0);
    return Array.from({ length: 8 }, (_, i) => ({
      i,
      tokens: tinyTexts.train.tokens[order[i] as number] as number,
      text: batch.input as HostText,
    }));
  };

  test('come with their tokens, segments and padding', async () => {
    const batches = textBatches();
    const { input } = await batchAt(batches, 0, 0);
    const [sample = 0] = batches.order(0);
    expect(input).toMatchObject({ kind: 'text', shape: [8, length] });
    const { ids, types, present } = input as HostText;
    const of = (values: Int32Array) => values.subarray(sample * length, (sample + 1) * length);
    expect(ids.subarray(0, length)).toEqual(of(tinyTexts.train.ids));
    expect(types.subarray(0, length)).toEqual(of(tinyTexts.train.types));
    const tokens = tinyTexts.train.tokens[sample] as number;
    expect([...present.subarray(0, length)]).toEqual(Array.from({ length }, (_, at) => (at < tokens ? 1 : 0)));
  });

  test.each([0.25, 0.5, 0.75])(
    'removed at %f: of each text as large a share, [CLS] first, padding after it',
    async (maskRatio) => {
      const batches = textBatches({ method: { name: 'masksub', maskRatio } });
      const batch = await batchAt(batches, 0, 0);
      const { indices, kept, present } = batch.draws.sub?.keep ?? { indices: new Int32Array(), kept: 0 };
      expect(kept).toBe(Math.floor(length * (1 - maskRatio)));
      expect(present, 'padding says it').toBeUndefined();
      for (const { i, tokens } of drawn(batches, batch)) {
        const row = [...indices.subarray(i * kept, (i + 1) * kept)];
        const own = row.filter((at) => at < tokens);
        expect(own).toHaveLength(Math.max(1, Math.floor(tokens * (1 - maskRatio))));
        expect(row[0]).toBe(0);
        expect(row.slice(0, own.length), 'words first').toEqual(own);
        expect(new Set(row).size).toBe(kept);
      }
    },
  );

  test('replaced: that share of the words is [MASK], never [CLS] and never padding', async () => {
    const batches = textBatches({ model: { masking: 'replace' } });
    const batch = await batchAt(batches, 0, 0);
    const ids = batch.draws.sub?.ids ?? new Int32Array();
    for (const { i, tokens, text } of drawn(batches, batch)) {
      const [row, before] = [ids, text.ids].map((of) => of.subarray(i * length, (i + 1) * length)) as [
        Int32Array,
        Int32Array,
      ];
      expect(row[0]).toBe(before[0]);
      const changed = [...row].flatMap((id, at) => (id === before[at] ? [] : [at]));
      expect(changed).toHaveLength(tokens - Math.floor(tokens / 2));
      expect(changed.every((at) => row[at] === tinyTexts.maskToken && at < tokens)).toBe(true);
    }
  });

  test('in blocks: the words that are hidden stand together', async () => {
    const batches = textBatches({
      method: { name: 'masksub', maskRatio: 0.25, maskShape: 'block' },
      model: { masking: 'replace' },
    });
    const { draws, input } = await batchAt(batches, 0, 0);
    const hidden = [...(draws.sub?.ids ?? [])].map((id, at) => (id === (input as HostText).ids[at] ? '.' : 'M'));
    const rows = Array.from({ length: 8 }, (_, i) => hidden.slice(i * length, (i + 1) * length).join(''));
    expect(
      rows.every((row) => /^\.+M+\.*(M+\.*)?$/.test(row)),
      rows.join(' '),
    ).toBe(true);
  });

  test('for validation are the same for every method, masked at the same ratio', async () => {
    const [a, b] = (['masksub', 'baseline'] as const).map((name) => textBatches({ method: { name } }));
    expect(a?.validationMask(2, 6)).toEqual(b?.validationMask(2, 6));
    expect(await a?.validation(2, 6)).toEqual(await b?.validation(2, 6));
    const { ids } = (await textBatches().validation(2, 3)) as HostText;
    expect(ids).toEqual(tinyTexts.validation.ids.subarray(2 * length, 3 * length));
  });
});

describe('drop-path', () => {
  const factorsOf = (changes: Parameters<typeof tinyConfig>[0]) => {
    const batches = batchesOf(tinyConfig(changes), tinyData);
    const indices = Array.from({ length: batches.perEpoch }, (_, index) => index);
    return Promise.all(indices.map(async (index) => (await batchAt(batches, 0, index)).draws));
  };
  test('drops each sample with its probability, and scales the others by 1 over the rest', async () => {
    const values = (await factorsOf({ model: { dropPath: 0.25 } })).flatMap((draws) =>
      Object.values(draws.main?.drop ?? {}).flatMap((factors) => [...factors]),
    );
    expect(values).toHaveLength(64 * 4);
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    const dropped = values.filter((value) => value === 0).length / values.length;
    expect(dropped).toBeGreaterThan(0.15);
    expect(dropped).toBeLessThan(0.35);
  });
  test('is drawn for each branch and site alone', async () => {
    const [draws] = await factorsOf({ model: { dropPath: 0.5 } });
    const rows = [draws?.main, draws?.sub].flatMap((branch) => Object.values(branch?.drop ?? {}));
    expect(rows).toHaveLength(8);
    expect(new Set(rows.map((row) => row.join())).size).toBeGreaterThan(6);
  });
  test('grows over depth in the MAE form, from nothing in the first block', async () => {
    const [draws] = await factorsOf({ model: { form: 'mae', dropPath: 0.5 } });
    expect(Object.keys(draws?.main?.drop ?? {})).toEqual(['blocks.1.drop_path1', 'blocks.1.drop_path2']);
  });
  test('is off where its rate is 0', async () => {
    const [draws] = await factorsOf({});
    expect(draws?.main?.drop).toBeUndefined();
  });
});

/** From the least to the greatest, both included. */
const span = (values: readonly number[]) => Math.max(...values) - Math.min(...values) + 1;

/** The first images of a batch, of 8 × 8 pixels and 3 channels. */
const imagesOf = (batch: HostBatch, count: number) =>
  Array.from({ length: count }, (_, i) => imagesIn(batch).values.subarray(192 * i, 192 * (i + 1)));

/** An image of 8 × 8 pixels and 3 channels from right to left. */
function mirrored(image: Float32Array): Float32Array {
  return image.map((_, at) => {
    const [row, column, channel] = [Math.floor(at / 24), Math.floor(at / 3) % 8, at % 3];
    return image[row * 24 + (7 - column) * 3 + channel] as number;
  });
}
