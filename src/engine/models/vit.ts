/**
 * Vision Transformer with token removal and timm parameter names.
 * Dosovitskiy et al. 2021 (https://arxiv.org/abs/2010.11929); DeiT-III form: Touvron et al. 2022 (https://arxiv.org/abs/2204.07118);
 * MAE form: He et al. 2022 (https://arxiv.org/abs/2111.06377); BEiT form: Bao et al. 2022 (https://arxiv.org/abs/2106.08254);
 * CLIP form, its visual tower: Radford et al. 2021 (https://arxiv.org/abs/2103.00020).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfigOf } from '../../core/modelConfig.ts';
import { dropPathRates } from '../../core/schedules.ts';
import { attentionWeights, type ScoreTerms, scoresOfPadding, selfAttention } from '../ops/attention.ts';
import { dropElements } from '../ops/dropElements.ts';
import { gelu, quickGelu } from '../ops/gelu.ts';
import { linear, linearOfConstant } from '../ops/linear.ts';
import { meanOfPresent } from '../ops/meanOfPresent.ts';
import { overBatch } from '../ops/overBatch.ts';
import { patchify } from '../ops/patchify.ts';
import { biasOfKept, type GridConstants, gridConstants, gridPositionBias } from '../ops/relativePosition.ts';
import { residual } from '../ops/residual.ts';
import { selection, selectOfEach } from '../ops/selectTokens.ts';
import { constant, get, layerNormOf, linearOf, ones, truncatedNormal, zeros } from './layers.ts';
import {
  type BranchDraws,
  type DropSite,
  type ImageShape,
  type Init,
  imagesOf,
  type Model,
  type ModelInput,
  type ParameterSpec,
  type Parameters,
} from './model.ts';

/** What differs between the forms. */
interface Form {
  /** What the position embedding covers; `relative`: there is none, but a bias on the scores of each block. */
  readonly positions: 'patches' | 'all' | 'relative';
  /** A norm between the embedding, then without a bias, and the blocks. */
  readonly preNorm: boolean;
  readonly epsilon: number;
  readonly activation: (x: tf.Tensor2D) => tf.Tensor2D;
  /** Drop-path over depth. */
  readonly dropPath: 'constant' | 'linear';
  /** Names of the layer scales in a block. */
  readonly scales: readonly [string, string];
  readonly headDeviation: number;
}

const common = { preNorm: false, epsilon: 1e-6, activation: gelu, scales: ['ls1.gamma', 'ls2.gamma'] } as const;
const forms: Readonly<Record<VitConfig['form'], Form>> = {
  deit3: { ...common, positions: 'patches', dropPath: 'constant', headDeviation: 0.02 },
  mae: { ...common, positions: 'all', dropPath: 'linear', headDeviation: 2e-5 },
  beit: { ...common, positions: 'relative', dropPath: 'linear', headDeviation: 2e-5, scales: ['gamma_1', 'gamma_2'] },
  clip: {
    ...common,
    positions: 'all',
    preNorm: true,
    epsilon: 1e-5,
    activation: quickGelu,
    dropPath: 'linear',
    headDeviation: 0.02,
  },
};

/** Which tokens a branch sees, in the forms in which its blocks want to know. */
interface Seen extends Pick<ScoreTerms, 'padding'> {
  /** Of relative positions. */
  readonly grid: GridConstants | undefined;
  /** Relative positions: a 1 at each kept token, (B·T, T of the whole sequence). */
  readonly selected: tf.Tensor2D | undefined;
}

export interface VitConfig extends ImageShape {
  readonly form: 'deit3' | 'mae' | 'beit' | 'clip';
  readonly patchSize: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  readonly pool: 'token' | 'mean';
  /** Initial layer scale; 0: none. */
  readonly layerScale: number;
  readonly dropPath: number;
  /** Dropout after the attention's projection and both layers of the MLP. */
  readonly dropout: number;
  readonly init: 'truncated-normal' | 'fan-in';
}

export function vitFromConfig(config: ModelConfigOf<'vit'>, input: ImageShape): Model {
  return vit({ ...config, heads: Number(config.heads), ...input });
}

export function vit(config: VitConfig): Model {
  const { imageSize, patchSize, channels, width, depth, heads } = config;
  const side = imageSize / patchSize;
  const tokens = side * side;
  const form = forms[config.form];
  const hasClassToken = config.form !== 'deit3' || config.pool === 'token';
  const rates = dropPathRates(config.dropPath, depth, form.dropPath);
  const normOf = (p: Parameters, at: string, x: tf.Tensor2D) => layerNormOf(p, at, x, form.epsilon);

  function forward(p: Parameters, input: ModelInput, draws: BranchDraws): tf.Tensor2D {
    const images = imagesOf(input);
    const batch = images.shape[0];
    const patches = patchify(images, patchSize); // (B, L, C·P·P)
    let x = embed(p, patches, draws.keep); // (B·T, D)
    if (form.preNorm) x = normOf(p, 'norm_pre', x);
    const seen: Seen = {
      grid: form.positions === 'relative' ? gridConstants(side) : undefined,
      selected: form.positions === 'relative' && draws.keep ? selectionWithClass(draws.keep, tokens) : undefined,
      padding: draws.present && scoresOfPadding(hasClassToken ? withClass(draws.present) : draws.present),
    };
    for (let i = 0; i < depth; i++) x = block(p, `blocks.${i}`, x, batch, draws.drop, seen);
    return head(p, tf.reshape<tf.Rank.R3>(x, [batch, x.shape[0] / batch, width]), draws.present);
  }

  /** Of the class token where the head reads that, else what the patches give each other. */
  function attention(p: Parameters, input: ModelInput): tf.Tensor3D {
    const images = imagesOf(input);
    const batch = images.shape[0];
    const grid = form.positions === 'relative' ? gridConstants(side) : undefined;
    let x = embed(p, patchify(images, patchSize), undefined);
    if (form.preNorm) x = normOf(p, 'norm_pre', x);
    const whole: Seen = { grid, selected: undefined };
    for (let i = 0; i < depth - 1; i++) x = block(p, `blocks.${i}`, x, batch, undefined, whole);
    const at = `blocks.${depth - 1}`;
    const [q, k] = tf.split(qkvOf(p, at, normOf(p, `${at}.norm1`, x)), 3, 1) as [tf.Tensor2D, tf.Tensor2D];
    const bias = grid && positionBias(p, at, grid, undefined, batch);
    const weights = attentionWeights(q, k, batch, heads, { bias });
    const first = hasClassToken ? 1 : 0;
    const [from, count] = config.pool === 'token' ? [0, 1] : [first, tokens];
    const toPatches = tf.slice(weights, [0, from, first], [batch, count, tokens]);
    return tf.reshape(tf.mean(toPatches, 1), [batch, side, side]);
  }

  /** Patch and position embedding; only the kept tokens are embedded, and the class token goes in front. */
  function embed(p: Parameters, patches: tf.Tensor3D, keep: tf.Tensor2D | undefined): tf.Tensor2D {
    const batch = patches.shape[0];
    const kept = keep ? keep.shape[1] : tokens;
    const weight = tf.reshape<tf.Rank.R2>(get(p, 'patch_embed.proj.weight'), [width, channels * patchSize * patchSize]);
    const bias = form.preNorm ? undefined : get<tf.Tensor1D>(p, 'patch_embed.proj.bias');
    const project = (x: tf.Tensor2D) =>
      bias ? linearOfConstant(x, weight, bias) : tf.matMul<tf.Tensor2D>(x, weight, false, true);
    const table = form.positions === 'relative' ? undefined : tf.reshape<tf.Rank.R2>(get(p, 'pos_embed'), [-1, width]); // (L or 1 + L, D)
    const coversClass = form.positions === 'all';
    const position = table && coversClass ? tf.slice(table, [1, 0], [tokens, width]) : table; // (L, D)
    let x: tf.Tensor3D;
    if (keep) {
      const selected = selection(keep, tokens); // (B·K, L)
      const embedded = project(selectOfEach(selected, patches));
      x = tf.reshape(position ? tf.add(embedded, tf.matMul(selected, position)) : embedded, [batch, kept, width]);
    } else {
      const embedded = project(tf.reshape(patches, [batch * tokens, weight.shape[1]]));
      x = tf.reshape(embedded, [batch, tokens, width]);
      if (position) x = tf.add(x, tf.reshape(position, [1, tokens, width]));
    }
    if (hasClassToken) {
      let token = tf.reshape<tf.Rank.R1>(get(p, 'cls_token'), [width]);
      if (table && coversClass) token = tf.add(token, tf.reshape(tf.slice(table, [0, 0], [1, width]), [width]));
      x = tf.concat([overBatch(token, batch), x], 1);
    }
    return tf.reshape(x, [batch * x.shape[1], width]);
  }

  /** One pre-norm block. x (B·T, D). */
  function block(
    p: Parameters,
    at: string,
    x: tf.Tensor2D,
    batch: number,
    drop: BranchDraws['drop'],
    { grid, selected, padding }: Seen,
  ): tf.Tensor2D {
    const bias = grid && positionBias(p, at, grid, selected, batch);
    const attended = selfAttention(qkvOf(p, at, normOf(p, `${at}.norm1`, x)), batch, heads, { bias, padding });
    const scale1 = p[`${at}.${form.scales[0]}`] as tf.Tensor1D | undefined;
    const projected = dropElements(linearOf(p, `${at}.attn.proj`, attended), drop?.[`${at}.attn.proj_drop`]);
    const y = residual(x, projected, scale1, drop?.[`${at}.drop_path1`] as tf.Tensor1D | undefined);
    const hidden = form.activation(linearOf(p, `${at}.mlp.fc1`, normOf(p, `${at}.norm2`, y)));
    const kept = dropElements(hidden, drop?.[`${at}.mlp.drop1`]);
    const out = dropElements(linearOf(p, `${at}.mlp.fc2`, kept), drop?.[`${at}.mlp.drop2`]);
    const scale2 = p[`${at}.${form.scales[1]}`] as tf.Tensor1D | undefined;
    return residual(y, out, scale2, drop?.[`${at}.drop_path2`] as tf.Tensor1D | undefined);
  }

  /** Queries, keys and values. A bias of the keys changes no attention weight, and BEiT has none. */
  function qkvOf(p: Parameters, at: string, x: tf.Tensor2D): tf.Tensor2D {
    if (form.positions !== 'relative') return linearOf(p, `${at}.attn.qkv`, x);
    const parts = [get<tf.Tensor1D>(p, `${at}.attn.q_bias`), tf.zeros<tf.Rank.R1>([width])];
    const bias = tf.concat1d([...parts, get<tf.Tensor1D>(p, `${at}.attn.v_bias`)]);
    return linear(x, get(p, `${at}.attn.qkv.weight`), bias);
  }

  /** Bias of the scores: (H, T, T), or with tokens removed (B·H, T, T). */
  function positionBias(
    p: Parameters,
    at: string,
    grid: GridConstants,
    selected: tf.Tensor2D | undefined,
    batch: number,
  ): tf.Tensor3D {
    const bias = gridPositionBias(get(p, `${at}.attn.relative_position_bias_table`), side, grid);
    return selected ? biasOfKept(bias, selected, batch) : bias;
  }

  /** x (B, T, D), present (B, T less the class token) → logits (B, classes). */
  function head(p: Parameters, x: tf.Tensor3D, present: tf.Tensor2D | undefined): tf.Tensor2D {
    const [batch, length] = x.shape;
    const weight = get<tf.Tensor2D>(p, 'head.weight');
    const bias = get<tf.Tensor1D>(p, 'head.bias');
    if (config.pool === 'token') {
      // The norm acts on each token alone, so that of the class token is enough.
      const token = tf.reshape<tf.Rank.R2>(tf.slice(x, [0, 0, 0], [batch, 1, width]), [batch, width]);
      return linear(normOf(p, 'norm', token), weight, bias);
    }
    const first = hasClassToken ? 1 : 0;
    const patchTokens = first ? tf.slice(x, [0, first, 0], [batch, length - first, width]) : x;
    const pooled = present ? meanOfPresent(patchTokens, present) : tf.mean<tf.Tensor2D>(patchTokens, 1);
    return linear(normOf(p, 'fc_norm', pooled), weight, bias);
  }

  /** Where the reference drops: both residual branches, and three dropouts a block (Heo et al., DropSub). */
  function dropSitesOf(at: string, rate: number): DropSite[] {
    const hidden = Math.round(width * config.mlpRatio);
    const elements = (channels: number) => (kept: number) => [kept + (hasClassToken ? 1 : 0), channels];
    return [
      { site: `${at}.drop_path1`, rate, kind: 'path' },
      { site: `${at}.drop_path2`, rate, kind: 'path' },
      { site: `${at}.attn.proj_drop`, rate: config.dropout, kind: 'dropout', elements: elements(width) },
      { site: `${at}.mlp.drop1`, rate: config.dropout, kind: 'dropout', elements: elements(hidden) },
      { site: `${at}.mlp.drop2`, rate: config.dropout, kind: 'dropout', elements: elements(width) },
    ];
  }

  return {
    parameters: vitParameters(config, hasClassToken),
    buffers: [],
    masking: { kind: 'remove', rows: side, columns: side },
    depth,
    dropSites: rates.flatMap((rate, i) => dropSitesOf(`blocks.${i}`, rate)),
    forward,
    attention,
    forwardFlops: (kept) => {
      const length = kept + (hasClassToken ? 1 : 0);
      const hidden = Math.round(width * config.mlpRatio);
      const perBlock = 2 * length * width * (4 * width + 2 * hidden) + 4 * length * length * width;
      return 2 * kept * channels * patchSize * patchSize * width + depth * perBlock + 2 * width * config.classes;
    },
  };
}

/** The selection of `keep` (B, K) with the class token in front of each sample's tokens, (B·(1 + K), 1 + L). */
function selectionWithClass(keep: tf.Tensor2D, tokens: number): tf.Tensor2D {
  const withClass = tf.concat2d([tf.zeros([keep.shape[0], 1], 'int32'), tf.add(keep, tf.scalar(1, 'int32'))], 1);
  return selection(withClass, 1 + tokens);
}

/** present (B, K) with the class token in front, which is always there: (B, 1 + K). */
function withClass(present: tf.Tensor2D): tf.Tensor2D {
  return tf.concat2d([tf.ones([present.shape[0], 1]), present], 1);
}

/** Every parameter in timm's order. */
function vitParameters(config: VitConfig, hasClassToken: boolean): ParameterSpec[] {
  const { width, patchSize, channels, classes, imageSize } = config;
  const hidden = Math.round(width * config.mlpRatio);
  const side = imageSize / patchSize;
  const form = forms[config.form];
  const relative = form.positions === 'relative';
  const rows = side * side + (form.positions === 'all' ? 1 : 0);
  const specs: ParameterSpec[] = [];
  const add = (name: string, shape: number[], init: Init, decay = shape.length > 1) =>
    specs.push({ name, shape, init, decay, layer: layerOf(name) });
  const weight = (fanIn: number, divisor = 1): Init =>
    truncatedNormal((config.init === 'fan-in' ? 1 / Math.sqrt(fanIn) : 0.02) / divisor);
  const linearSpecs = (name: string, out: number, fanIn: number, init = weight(fanIn)) => {
    add(`${name}.weight`, [out, fanIn], init);
    add(`${name}.bias`, [out], zeros);
  };
  const normSpecs = (name: string) => {
    add(`${name}.weight`, [width], ones);
    add(`${name}.bias`, [width], zeros);
  };

  if (hasClassToken) add('cls_token', [1, 1, width], truncatedNormal(0.02), false);
  const position: Init =
    config.init === 'fan-in'
      ? { kind: 'values', values: sineCosinePositions(side, width, rows - side * side, 0.7 * Math.SQRT2) }
      : truncatedNormal(0.02);
  if (!relative) add('pos_embed', [1, rows, width], position, false);
  add('patch_embed.proj.weight', [width, channels, patchSize, patchSize], weight(channels * patchSize * patchSize));
  if (form.preNorm) normSpecs('norm_pre');
  else add('patch_embed.proj.bias', [width], zeros);
  const scaleSpec = (at: string, which: 0 | 1) => {
    if (config.layerScale > 0) add(`${at}.${form.scales[which]}`, [width], constant(config.layerScale));
  };
  for (let i = 0; i < config.depth; i++) {
    const at = `blocks.${i}`;
    // The end of a residual branch: BEiT starts it smaller the deeper it is.
    const last = (fanIn: number) => weight(fanIn, relative ? Math.sqrt(2 * (i + 1)) : 1);
    if (relative) {
      scaleSpec(at, 0);
      scaleSpec(at, 1);
      normSpecs(`${at}.norm1`);
      add(`${at}.attn.q_bias`, [width], zeros);
      add(`${at}.attn.v_bias`, [width], zeros);
      add(`${at}.attn.relative_position_bias_table`, [(2 * side - 1) ** 2 + 3, config.heads], zeros, false);
      add(`${at}.attn.qkv.weight`, [3 * width, width], weight(width));
    } else {
      normSpecs(`${at}.norm1`);
      linearSpecs(`${at}.attn.qkv`, 3 * width, width);
    }
    linearSpecs(`${at}.attn.proj`, width, width, last(width));
    if (!relative) scaleSpec(at, 0);
    normSpecs(`${at}.norm2`);
    linearSpecs(`${at}.mlp.fc1`, hidden, width);
    linearSpecs(`${at}.mlp.fc2`, width, hidden, last(hidden));
    if (!relative) scaleSpec(at, 1);
  }
  normSpecs(config.pool === 'mean' ? 'fc_norm' : 'norm');
  linearSpecs('head', classes, width, truncatedNormal(form.headDeviation));
  return specs;
}

/** `blocks.3.attn.qkv.weight` → `blocks.3`; embeddings → `embed`; the rest → `head`. */
function layerOf(name: string): string {
  if (name.startsWith('blocks.')) return name.split('.', 2).join('.');
  return /^(cls_token|pos_embed|patch_embed|norm_pre)/.test(name) ? 'embed' : 'head';
}

/** 2-D sine-cosine position embedding times `scale`, after `skip` rows of zeros. Chen et al. 2021 (MoCo v3), appendix. */
function sineCosinePositions(side: number, width: number, skip: number, scale: number): Float32Array {
  const values = new Float32Array((skip + side * side) * width);
  const quarter = Math.floor(width / 4);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const at = (skip + row * side + column) * width;
      for (let i = 0; i < quarter; i++) {
        const frequency = 1e4 ** (-i / quarter);
        values[at + i] = scale * Math.sin(column * frequency);
        values[at + quarter + i] = scale * Math.cos(column * frequency);
        values[at + 2 * quarter + i] = scale * Math.sin(row * frequency);
        values[at + 3 * quarter + i] = scale * Math.cos(row * frequency);
      }
    }
  }
  return values;
}
