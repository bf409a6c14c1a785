/** BERT agrees with transformers: parameters, logits and gradients; and its look-ups can be recorded. */
import fs from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { modelSizes } from '../../../src/core/modelConfig.ts';
import { methods } from '../../../src/engine/methods/index.ts';
import { type BertConfig, bert, bertConfigOf } from '../../../src/engine/models/bert.ts';
import type { BranchDraws, Parameters, TextInput } from '../../../src/engine/models/model.ts';
import { lookUp } from '../../../src/engine/ops/embedding.ts';
import { criteria } from '../../../src/engine/ops/losses.ts';
import { maskedAttention, scoresOfPadding } from '../../../src/engine/ops/maskedAttention.ts';
import { groupParameters, sizeOf } from '../../../src/engine/parameters.ts';
import type { HostBatch, Inspection } from '../../../src/engine/step/executor.ts';
import type { Problem } from '../../../src/engine/step/step.ts';
import { loadBackend } from '../../../src/runner/backend.ts';
import { Comparison, fingerprint, maxAbs } from '../../../src/runner/parity/comparison.ts';
import { optimizerOf } from '../../../src/runner/parity/optimizer.ts';
import { floatsOf, numbersOf, type OracleCase, openOracle, shapeOf } from '../../../src/runner/parity/oracle.ts';
import type { TensorFile } from '../../../src/store/safetensors.ts';
import { executorNames, executors } from '../examples.ts';

const oracle = openOracle('test/parity/oracle');

beforeAll(async () => {
  await loadBackend('tensorflow');
});

const published = (size: keyof typeof modelSizes.bert) => {
  const sized = modelSizes.bert[size];
  return { ...sized, hidden: 4 * sized.width, vocabulary: 30522, positions: 512, segments: 2 };
};
const named = (size: keyof typeof modelSizes.bert) =>
  bert({ ...published(size), classes: 2, length: 128, dropout: 0.1, masking: 'remove' });

test.each([
  ['base', 109_483_778],
  ['small', 28_764_674],
] as const)('BERT %s has the parameters of transformers', (size, parameters) => {
  const model = named(size);
  expect(model.parameters.reduce((sum, spec) => sum + sizeOf(spec), 0)).toBe(parameters);
});

test('a forward pass costs two operations for each weight and token, and more for attention', () => {
  const { forwardFlops } = named('base');
  const weights = 12 * (4 * 768 * 768 + 2 * 768 * 3072);
  const attention = (tokens: number) => 12 * 4 * tokens * tokens * 768;
  const head = 2 * 768 * (768 + 2);
  for (const tokens of [128, 64]) expect(forwardFlops(tokens)).toBe(2 * tokens * weights + attention(tokens) + head);
  const replacing = bert({ ...published('base'), classes: 2, length: 128, dropout: 0, masking: 'replace' });
  expect(replacing.forwardFlops(64)).toBe(forwardFlops(128));
});

test('what is decayed, dropped and removed', () => {
  const model = oracleModel('remove');
  expect(model.parameters.map(({ name }) => name)).toEqual(reference().param_order);
  const index = JSON.parse(fs.readFileSync('test/parity/oracle/index.json', 'utf8'));
  const undecayed = new Set<string>(index.models.bert_a.no_decay);
  for (const { name, decay } of model.parameters) expect(`${name} ${decay}`).toBe(`${name} ${!undecayed.has(name)}`);
  const tensors = oracle.tensors('cases/bert_dropsub.safetensors');
  const stored = [...tensors.keys()].filter((key) => key.startsWith('s0.m0.sub.drop.'));
  const shapes = stored.map((key) => [key.slice('s0.m0.sub.drop.'.length), shapeOf(tensors, key).slice(1)]);
  expect(Object.fromEntries(model.dropSites.map(({ site, elements }) => [site, elements?.(12)]))).toEqual(
    Object.fromEntries(shapes),
  );
  expect(model.masking).toEqual({ kind: 'remove', rows: 1, columns: 12, fixed: 1 });
  expect([...new Set(model.parameters.map(({ layer }) => layer))]).toEqual(['embed', 'layer.0', 'layer.1', 'head']);
});

describe.each(['bert_baseline', 'bert_dropsub', 'bert_masksub_remove', 'bert_masksub_replace'])('%s', (name) => {
  const testCase = oracle.index.cases[name] as OracleCase;
  const tensors = oracle.tensors(testCase.file);
  const branches = testCase.method === 'baseline' ? (['main'] as const) : (['main', 'sub'] as const);

  test('logits', () => {
    const comparison = new Comparison();
    for (const branch of branches) {
      const expected = floatsOf(tensors, `s0.m0.${branch}.logits`);
      const got = tf.tidy(() => forward(testCase, tensors, branch, parametersOf()).dataSync());
      comparison.array(branch, got, expected, 1e-4 * Math.max(1, maxAbs(expected)));
    }
    expect(comparison.worst.ratio, comparison.worst.tensor).toBeLessThan(0.5);
  });

  test('gradients', () => {
    const main = gradientsOf(testCase, tensors, 'main');
    const sub = branches.length > 1 ? gradientsOf(testCase, tensors, 'sub') : undefined;
    const total = new Map([...main].map(([p, g]) => [p, g.map((v, i) => v + (sub?.get(p)?.[i] ?? 0))]));
    const comparison = new Comparison();
    compareFingerprints('grads.fp', total, tensors, comparison);
    if (sub) compareFingerprints('grads_main.fp', main, tensors, comparison);
    const largest = Math.max(...[...total.values()].map((values) => fingerprint(values)[0]));
    const full = [...tensors.keys()].filter((key) => key.startsWith('grads.full/'));
    for (const key of full) {
      const expected = floatsOf(tensors, key);
      const allowed = 1e-4 * Math.max(fingerprint(expected)[0], 0.01 * largest);
      comparison.array(key, total.get(key.slice('grads.full/'.length)) ?? [], expected, allowed);
    }
    expect(full.length).toBeGreaterThan(0);
    expect(comparison.worst.ratio, comparison.worst.tensor).toBeLessThan(0.5);
  });
});

test('a forward and backward pass leaves no tensor behind', () => {
  const testCase = oracle.index.cases.bert_masksub_remove as OracleCase;
  const tensors = oracle.tensors(testCase.file);
  gradientsOf(testCase, tensors, 'sub');
  const before = tf.memory().numTensors;
  gradientsOf(testCase, tensors, 'main');
  gradientsOf(testCase, tensors, 'sub');
  expect(tf.memory().numTensors).toBe(before);
});

test('the recorded step computes what the eager step computes', async () => {
  const testCase = oracle.index.cases.bert_masksub_remove as OracleCase;
  const tensors = oracle.tensors(testCase.file);
  const model = oracleModel('remove');
  const optimizer = optimizerOf(testCase);
  const problem: Problem = {
    model,
    method: methods.masksub({
      ...{ dropRate: 0, subWeight: 0.5, target: 'soft', temperature: 1, stopGradient: true, cleanView: true },
    }),
    criterion: criteria.ce,
    optimizer,
    groups: groupParameters(model.parameters, { depth: model.depth, layerDecay: 1, separate: optimizer.separate }),
    bufferGroups: [],
    clipNorm: undefined,
    ema: undefined,
  };
  const values = oracle.tensors('models/bert_a.safetensors');
  const initial = new Map(reference().param_order.map((name) => [name, floatsOf(values, name)]));
  const integers = (name: string) => Int32Array.from(numbersOf(tensors, name));
  const batch: HostBatch = {
    input: {
      kind: 'text',
      ids: integers('m0.input_ids'),
      types: integers('m0.token_type_ids'),
      present: floatsOf(tensors, 'm0.attention_mask'),
      shape: [testCase.batch, 12],
    },
    target: floatsOf(tensors, 's0.m0.target'),
    draws: { sub: { keep: { indices: integers('s0.m0.keep_ids'), kept: 6 } } },
  };
  const inspections = [];
  for (const name of executorNames) {
    const { executor } = await executors[name](problem, initial);
    inspections.push(await executor.inspect([batch], optimizer.scalars(1, 1e-3)));
    await executor.dispose();
  }
  const [eager, recorded] = inspections as [Inspection, Inspection];
  const largest = Math.max(...[...eager.total.values()].map((gradient) => fingerprint(gradient)[0]));
  const comparison = new Comparison();
  for (const branch of ['main', 'sub'] as const) {
    const logits = eager.logits[0]?.[branch] as Float32Array;
    comparison.array(branch, recorded.logits[0]?.[branch] ?? [], logits, 1e-5);
  }
  for (const [name, gradient] of eager.total)
    comparison.array(name, recorded.total.get(name) ?? [], gradient, 1e-5 * Math.max(1, largest));
  expect(comparison.worst.ratio, comparison.worst.tensor).toBeLessThan(1);
});

describe('embedding', () => {
  // Ids that repeat, in a table larger than a test of the model has.
  const vocabulary = 3000;
  const ids = Int32Array.of(2999, 0, 7, 7, 1234, 7, 2999);

  test.each(['tensorflow', 'wasm', 'cpu'] as const)('copies rows and adds their gradients up: %s', async (backend) => {
    await loadBackend(backend);
    try {
      tf.tidy(() => {
        const table = tf.reshape<tf.Rank.R2>(tf.range(0, 2 * vocabulary), [vocabulary, 2]);
        const weights = tf.tensor2d(
          [...ids.keys()].flatMap((i) => [i + 1, -i]),
          [ids.length, 2],
        );
        const { value, grad } = tf.valueAndGrad((table: tf.Tensor2D) =>
          tf.sum<tf.Scalar>(tf.mul(lookUp(table, tf.tensor1d(ids)), weights)),
        )(table);
        const rows = [...ids].map((id) => [2 * id, 2 * id + 1] as const);
        expect(value.dataSync()[0]).toBe(rows.reduce((sum, [a, b], i) => sum + a * (i + 1) - b * i, 0));
        const expected = new Float32Array(2 * vocabulary);
        ids.forEach((id, i) => {
          expected[2 * id] = (expected[2 * id] as number) + i + 1;
          expected[2 * id + 1] = (expected[2 * id + 1] as number) - i;
        });
        expect(grad.dataSync()).toEqual(expected);
      });
    } finally {
      await loadBackend('tensorflow');
    }
  });

  test('padding has no weight at all', () => {
    tf.tidy(() => {
      const padding = scoresOfPadding(tf.tensor2d([1, 1, 0], [1, 3]));
      const q = tf.tensor2d([9, -3, 4, 1, 2, 8], [3, 2]);
      const attended = (last: number) =>
        maskedAttention(
          q,
          tf.tensor2d([1, 2, 3, 4, last, 9], [3, 2]),
          tf.tensor2d([1, 0, 5, 2, last, 1], [3, 2]),
          padding,
          1,
        );
      expect(attended(1e3).dataSync()).toEqual(attended(-1e3).dataSync());
    });
  });
});

describe('config.json', () => {
  const base = {
    model_type: 'bert',
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 3072,
    vocab_size: 30522,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    hidden_dropout_prob: 0.1,
    layer_norm_eps: 1e-12,
    hidden_act: 'gelu',
  };

  test('of bert-base gives its sizes', () => {
    expect(bertConfigOf(base)).toEqual({ ...published('base'), dropout: 0.1 });
  });

  test.each([
    ['hidden_size', undefined],
    ['vocab_size', '30522'],
    ['num_hidden_layers', 1.5],
    ['num_attention_heads', 7],
    ['hidden_dropout_prob', 1],
    ['layer_norm_eps', 1e-5],
    ['hidden_act', 'relu'],
    ['model_type', 'roberta'],
  ])('names a wrong %s (%j)', (field, value) => {
    const read = () => bertConfigOf({ ...base, [field]: value });
    expect(read).toThrow(UserError);
    expect(read).toThrow(`"${field}"`);
  });

  test('that is none at all is refused', () => {
    for (const json of [null, 'bert', []]) expect(() => bertConfigOf(json)).toThrow(UserError);
  });
});

test('sequences longer than the positions are refused', () => {
  expect(() => bert({ ...configOf('remove'), length: 17 })).toThrow('17 tokens');
});

function reference() {
  return oracle.index.models.bert_a as (typeof oracle.index.models)[string];
}

function configOf(masking: BertConfig['masking']): BertConfig {
  const { config } = reference();
  return {
    classes: Number(config.num_classes),
    vocabulary: Number(config.vocab_size),
    positions: Number(config.max_pos),
    segments: 2,
    length: Number(config.seq_len),
    width: Number(config.hidden),
    depth: Number(config.layers),
    heads: Number(config.heads),
    hidden: Number(config.intermediate),
    dropout: 0.1,
    masking,
  };
}

const oracleModel = (masking: BertConfig['masking']) => bert(configOf(masking));

function parametersOf(): Parameters {
  const values = oracle.tensors('models/bert_a.safetensors');
  return Object.fromEntries(
    oracleModel('remove').parameters.map(({ name, shape }) => {
      expect(shapeOf(values, name)).toEqual(shape);
      return [name, tf.tensor(floatsOf(values, name), [...shape])];
    }),
  );
}

function forward(testCase: OracleCase, tensors: TensorFile, branch: 'main' | 'sub', parameters: Parameters) {
  const shape = shapeOf(tensors, 'm0.input_ids') as [number, number];
  const integers = (name: string) => tf.tensor2d(Int32Array.from(numbersOf(tensors, name)), shape, 'int32');
  const input: TextInput = {
    kind: 'text',
    ids: integers('m0.input_ids'),
    types: integers('m0.token_type_ids'),
    present: tf.tensor2d(floatsOf(tensors, 'm0.attention_mask'), shape),
  };
  const mode = { training: true, buffers: {}, update: () => {} };
  const model = oracleModel(tensors.has('s0.m0.replaced_ids') ? 'replace' : 'remove');
  return model.forward(parameters, input, drawsOf(testCase, tensors, branch), mode);
}

function drawsOf(testCase: OracleCase, tensors: TensorFile, branch: 'main' | 'sub'): BranchDraws {
  const prefix = `s0.m0.${branch}.drop.`;
  const sites = [...tensors.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  const drop = sites.map((site) => {
    const keep = testCase.keep_prob?.[branch]?.[site] as number;
    return [site, tf.div(tf.tensor1d(floatsOf(tensors, prefix + site)), keep)] as const;
  });
  const integers = (name: string) => {
    if (branch === 'main' || !tensors.has(name)) return undefined;
    const shape = shapeOf(tensors, name) as [number, number];
    return tf.tensor2d(Int32Array.from(numbersOf(tensors, name)), shape, 'int32');
  };
  const [keep, ids] = [integers('s0.m0.keep_ids'), integers('s0.m0.replaced_ids')];
  return { drop: Object.fromEntries(drop), ...(keep ? { keep } : {}), ...(ids ? { ids } : {}) };
}

/** Gradient of one term with its weight; that of the sub term takes the main logits of the reference as its target. */
function gradientsOf(testCase: OracleCase, tensors: TensorFile, branch: 'main' | 'sub'): Map<string, Float32Array> {
  const names = reference().param_order;
  const gradients = tf.tidy(() => {
    const criterion = criteria[testCase.loss];
    const parameters = parametersOf();
    const shape = shapeOf(tensors, 's0.m0.target') as [number, number];
    const target =
      branch === 'main'
        ? tf.tensor2d(floatsOf(tensors, 's0.m0.target'), shape)
        : criterion.activation(tf.tensor2d(floatsOf(tensors, 's0.m0.main.logits'), shape));
    const { grads } = tf.valueAndGrads((...all: tf.Tensor[]) => {
      const given = Object.fromEntries(names.map((name, i) => [name, all[i] as tf.Tensor]));
      const loss = criterion.loss(forward(testCase, tensors, branch, given), target);
      return tf.mul<tf.Scalar>(loss, testCase.method === 'baseline' ? 1 : 0.5);
    })(Object.values(parameters));
    return grads.map((gradient) => gradient.dataSync<'float32'>());
  });
  return new Map(names.map((name, i) => [name, gradients[i] as Float32Array]));
}

function compareFingerprints(
  name: string,
  gradients: ReadonlyMap<string, Float32Array>,
  tensors: TensorFile,
  comparison: Comparison,
) {
  const values = floatsOf(tensors, name);
  const rows = reference().param_order.map((_, i) => values.subarray(3 * i, 3 * i + 3));
  const largest = Math.max(...rows.map((row) => row[0] as number));
  reference().param_order.forEach((parameter, i) => {
    const row = rows[i] as Float32Array;
    const allowed = 1e-4 * Math.max(row[0] as number, 0.01 * largest);
    comparison.array(`${name} of ${parameter}`, fingerprint(gradients.get(parameter) ?? []), row, allowed);
  });
}
