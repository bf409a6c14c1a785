/** BERT agrees with transformers: parameters, logits and gradients; and its look-ups can be recorded. */
import fs from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { modelSizes } from '../../../src/core/modelConfig.ts';
import { type BertConfig, bert, bertConfigOf } from '../../../src/engine/models/bert.ts';
import { attention, scoresOfPadding } from '../../../src/engine/ops/attention.ts';
import { lookUp } from '../../../src/engine/ops/embedding.ts';
import { sizeOf } from '../../../src/engine/parameters.ts';
import { loadBackend } from '../../../src/runner/backend.ts';
import { openOracle, shapeOf } from '../../../src/runner/parity/oracle.ts';

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
        attention(q, tf.tensor2d([1, 2, 3, 4, last, 9], [3, 2]), tf.tensor2d([1, 0, 5, 2, last, 1], [3, 2]), 1, 1, {
          padding,
        });
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
