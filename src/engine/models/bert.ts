/** BERT for sequence classification with transformers' names. Devlin et al. 2019 (https://arxiv.org/abs/1810.04805). */
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../core/errors.ts';
import type { ModelConfigOf } from '../../core/modelConfig.ts';
import { attention, attentionWeights, scoresOfPadding } from '../ops/attention.ts';
import { dropElements } from '../ops/dropElements.ts';
import { lookUp } from '../ops/embedding.ts';
import { gelu } from '../ops/gelu.ts';
import { selection, selectOfEach } from '../ops/selectTokens.ts';
import { get, layerNormOf, linearOf, ones, truncatedNormal, zeros } from './layers.ts';
import type { BranchDraws, DropSite, Init, Model, ModelInput, ParameterSpec, Parameters, TextInput } from './model.ts';

const EPSILON = 1e-12;

export interface BertConfig {
  readonly classes: number;
  /** Token ids. */
  readonly vocabulary: number;
  /** The longest sequence that has position embeddings. */
  readonly positions: number;
  /** Segments that a token may belong to. */
  readonly segments: number;
  /** Tokens of a sequence, padding included. */
  readonly length: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  /** Width of the hidden layer of the feed-forward network. */
  readonly hidden: number;
  /** Of the embeddings, both residual branches of each layer and the pooled token; none of the attention's weights. */
  readonly dropout: number;
  /** What a masked branch does to a token: take it out of the sequence, or put [MASK] in its place. */
  readonly masking: 'remove' | 'replace';
}

/** What a checkpoint fixes of a model. */
export type BertShape = Omit<BertConfig, 'classes' | 'length' | 'masking'>;

export function bertFromConfig(config: ModelConfigOf<'bert'>, input: { classes: number; length?: number }): Model {
  const { width, depth, vocabulary, positions, dropout, masking } = config;
  return bert({
    width,
    depth,
    vocabulary,
    positions,
    dropout,
    masking,
    heads: Number(config.heads),
    hidden: Math.round(width * config.mlpRatio),
    segments: 2,
    classes: input.classes,
    length: input.length ?? positions,
  });
}

export function bert(config: BertConfig): Model {
  const { width, depth, heads, hidden, segments, length, classes } = config;
  checkSizes(config);

  function forward(p: Parameters, input: ModelInput, draws: BranchDraws): tf.Tensor2D {
    const text = textOf(input, length);
    const batch = text.ids.shape[0];
    let present = text.present; // (B, T)
    let x = embed(p, draws.ids ?? text.ids, text.types, draws.drop); // (B·T, D)
    if (draws.keep) {
      const selected = selection(draws.keep, length); // (B·K, T)
      present = tf.reshape(selectOfEach(selected, tf.reshape(present, [batch, length, 1])), draws.keep.shape);
      if (draws.present) present = tf.mul(present, draws.present);
      x = selectOfEach(selected, tf.reshape(x, [batch, length, width])); // (B·K, D)
    }
    const padding = scoresOfPadding(present);
    for (let i = 0; i < depth; i++) x = layer(p, `bert.encoder.layer.${i}`, x, padding, heads, draws.drop);
    return head(p, tf.reshape(x, [batch, x.shape[0] / batch, width]), draws.drop);
  }

  /** Of [CLS], which the head reads. */
  function shownAttention(p: Parameters, input: ModelInput): tf.Tensor3D {
    const { ids, types, present } = textOf(input, length);
    const batch = ids.shape[0];
    const padding = scoresOfPadding(present);
    let x = embed(p, ids, types, undefined);
    for (let i = 0; i < depth - 1; i++) x = layer(p, `bert.encoder.layer.${i}`, x, padding, heads, undefined);
    const projection = (name: string) => linearOf(p, `bert.encoder.layer.${depth - 1}.attention.self.${name}`, x);
    const weights = attentionWeights(projection('query'), projection('key'), batch, heads, { padding });
    return tf.slice(weights, [0, 0, 0], [batch, 1, length]);
  }

  /** Sum of word, segment and position embeddings, (B, T) → (B·T, D). */
  function embed(p: Parameters, ids: tf.Tensor2D, types: tf.Tensor2D, drop: BranchDraws['drop']): tf.Tensor2D {
    const batch = ids.shape[0];
    const rows = batch * length;
    const words = lookUp(get(p, 'bert.embeddings.word_embeddings.weight'), tf.reshape(ids, [rows]));
    const ofSegment = get<tf.Tensor2D>(p, 'bert.embeddings.token_type_embeddings.weight');
    const inSegment = tf.add<tf.Tensor2D>(words, tf.matMul(selection(types, segments), ofSegment));
    const table = get<tf.Tensor2D>(p, 'bert.embeddings.position_embeddings.weight');
    const position = tf.reshape(tf.slice(table, [0, 0], [length, width]), [1, length, width]);
    const x = tf.add(tf.reshape(inSegment, [batch, length, width]), position);
    const normal = normOf(p, 'bert.embeddings.LayerNorm', tf.reshape(x, [rows, width]));
    return dropElements(normal, drop?.['bert.embeddings.dropout']);
  }

  /** Pooler on [CLS] and classifier. x (B, T, D) → logits (B, classes). */
  function head(p: Parameters, x: tf.Tensor3D, drop: BranchDraws['drop']): tf.Tensor2D {
    const batch = x.shape[0];
    const first = tf.reshape<tf.Rank.R2>(tf.slice(x, [0, 0, 0], [batch, 1, width]), [batch, width]);
    const pooled = tf.tanh(linearOf(p, 'bert.pooler.dense', first));
    return linearOf(p, 'classifier', dropElements(pooled, drop?.dropout));
  }

  return {
    parameters: bertParameters(config),
    buffers: [],
    masking: { kind: config.masking, rows: 1, columns: length, fixed: 1 },
    depth,
    dropSites: dropSitesOf(config),
    forward,
    attention: shownAttention,
    forwardFlops: (kept) => {
      const tokens = config.masking === 'remove' ? kept : length; // [MASK] costs what a word does
      const perLayer = 2 * tokens * width * (4 * width + 2 * hidden) + 4 * tokens * tokens * width;
      return depth * perLayer + 2 * width * (width + classes);
    },
  };
}

/** The model that a `config.json` of transformers describes. */
export function bertConfigOf(json: unknown): BertShape {
  const fields: Readonly<Record<string, unknown>> = typeof json === 'object' && json ? { ...json } : {};
  const expect = (name: string, ...allowed: readonly unknown[]) => {
    const value = fields[name];
    if (value === undefined || allowed.includes(value)) return;
    throw wrongField(name, value, allowed.map((one) => JSON.stringify(one)).join(' or '));
  };
  const natural = (name: string): number => {
    const value = fields[name];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    throw wrongField(name, value, 'a positive whole number');
  };
  const dropout = fields.hidden_dropout_prob ?? 0.1;
  if (typeof dropout !== 'number' || !(dropout >= 0 && dropout < 1))
    throw wrongField('hidden_dropout_prob', dropout, 'a number from 0 to below 1');
  // Where these are absent, transformers takes what is expected here.
  expect('model_type', 'bert');
  expect('hidden_act', 'gelu');
  expect('layer_norm_eps', EPSILON);
  expect('position_embedding_type', 'absolute');
  const [width, heads] = [natural('hidden_size'), natural('num_attention_heads')];
  if (width % heads !== 0) throw wrongField('num_attention_heads', heads, `a divisor of "hidden_size" (${width})`);
  return {
    vocabulary: natural('vocab_size'),
    positions: natural('max_position_embeddings'),
    segments: natural('type_vocab_size'),
    width,
    depth: natural('num_hidden_layers'),
    heads,
    hidden: natural('intermediate_size'),
    dropout,
  };
}

function wrongField(name: string, value: unknown, expected: string): UserError {
  const got = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
  return new UserError(`config.json: "${name}" ${got}, expected ${expected}.`, {
    hint: 'Take a checkpoint of BERT as transformers saves it, such as bert-base-uncased.',
  });
}

function checkSizes({ width, heads, length, positions }: BertConfig): void {
  if (width % heads !== 0)
    throw new UserError(`BERT has a width of ${width} for ${heads} heads.`, {
      hint: 'Choose heads that divide the width.',
    });
  if (length > positions)
    throw new UserError(`Sequences have ${length} tokens, BERT has ${positions} positions.`, {
      hint: 'Cut the sequences, or raise model.positions.',
    });
}

function textOf(input: ModelInput, length: number): TextInput {
  if (input.kind !== 'text') throw new Error('BERT sees texts.');
  const tokens = input.ids.shape[1];
  if (tokens !== length) throw new Error(`BERT was built for ${length} tokens, the input has ${tokens}.`);
  return input;
}

/** One post-norm layer. x (B·T, D), padding (B, 1, 1, T). */
function layer(
  p: Parameters,
  at: string,
  x: tf.Tensor2D,
  padding: tf.Tensor4D,
  heads: number,
  drop: BranchDraws['drop'],
): tf.Tensor2D {
  const projection = (name: string) => linearOf(p, `${at}.attention.self.${name}`, x);
  const [q, k, v] = [projection('query'), projection('key'), projection('value')];
  const attended = attention(q, k, v, padding.shape[0], heads, { padding });
  const projected = linearOf(p, `${at}.attention.output.dense`, attended);
  const mixed = dropElements(projected, drop?.[`${at}.attention.output.dropout`]);
  const y = normOf(p, `${at}.attention.output.LayerNorm`, tf.add(mixed, x));
  const hidden = gelu(linearOf(p, `${at}.intermediate.dense`, y));
  const out = dropElements(linearOf(p, `${at}.output.dense`, hidden), drop?.[`${at}.output.dropout`]);
  return normOf(p, `${at}.output.LayerNorm`, tf.add(out, y));
}

const normOf = (p: Parameters, at: string, x: tf.Tensor2D) => layerNormOf(p, at, x, EPSILON);

function dropSitesOf({ depth, width, length, dropout: rate }: BertConfig): DropSite[] {
  const site = (site: string, elements: (tokens: number) => readonly number[]): DropSite => ({
    site,
    rate,
    kind: 'dropout',
    elements,
  });
  const ofTokens = (tokens: number) => [tokens, width];
  const ofLayers = Array.from({ length: depth }, (_, i) => `bert.encoder.layer.${i}`).flatMap((at) => [
    site(`${at}.attention.output.dropout`, ofTokens),
    site(`${at}.output.dropout`, ofTokens),
  ]);
  // Tokens are removed only after their embedding.
  return [site('bert.embeddings.dropout', () => [length, width]), ...ofLayers, site('dropout', () => [width])];
}

/** Every parameter in transformers' order. */
function bertParameters({ width, depth, hidden, classes, ...tables }: BertConfig): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  const normal = truncatedNormal(0.02);
  const add = (name: string, shape: number[], init: Init) =>
    specs.push({ name, shape, init, decay: shape.length > 1, layer: layerOf(name) });
  const linearSpecs = (name: string, out: number, fanIn: number) => {
    add(`${name}.weight`, [out, fanIn], normal);
    add(`${name}.bias`, [out], zeros);
  };
  const normSpecs = (name: string) => {
    add(`${name}.weight`, [width], ones);
    add(`${name}.bias`, [width], zeros);
  };

  add('bert.embeddings.word_embeddings.weight', [tables.vocabulary, width], normal);
  add('bert.embeddings.position_embeddings.weight', [tables.positions, width], normal);
  add('bert.embeddings.token_type_embeddings.weight', [tables.segments, width], normal);
  normSpecs('bert.embeddings.LayerNorm');
  for (let i = 0; i < depth; i++) {
    const at = `bert.encoder.layer.${i}`;
    for (const name of ['query', 'key', 'value']) linearSpecs(`${at}.attention.self.${name}`, width, width);
    linearSpecs(`${at}.attention.output.dense`, width, width);
    normSpecs(`${at}.attention.output.LayerNorm`);
    linearSpecs(`${at}.intermediate.dense`, hidden, width);
    linearSpecs(`${at}.output.dense`, width, hidden);
    normSpecs(`${at}.output.LayerNorm`);
  }
  linearSpecs('bert.pooler.dense', width, width);
  linearSpecs('classifier', classes, width);
  return specs;
}

/** `bert.encoder.layer.3.output.dense.weight` → `layer.3`; embeddings → `embed`; the rest → `head`. */
function layerOf(name: string): string {
  const [, layer] = /^bert\.encoder\.(layer\.\d+)\./.exec(name) ?? [];
  return layer ?? (name.startsWith('bert.embeddings.') ? 'embed' : 'head');
}
