/**
 * Vision Transformer with token removal and timm parameter names.
 * Dosovitskiy et al. 2021 (https://arxiv.org/abs/2010.11929); DeiT-III form: Touvron et al. 2022 (https://arxiv.org/abs/2204.07118);
 * MAE form: He et al. 2022 (https://arxiv.org/abs/2111.06377).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Config } from '../../core/config.ts';
import { dropPathRates } from '../../core/schedules.ts';
import { selfAttention } from '../ops/attention.ts';
import { gelu } from '../ops/gelu.ts';
import { layerNorm } from '../ops/layerNorm.ts';
import { linear, linearOfConstant } from '../ops/linear.ts';
import { overBatch } from '../ops/overBatch.ts';
import { residual } from '../ops/residual.ts';
import { selection, selectOfEach } from '../ops/selectTokens.ts';
import type { BranchDraws, Init, InputShape, Model, ParameterSpec, Parameters } from './model.ts';

const EPSILON = 1e-6;

export interface VitConfig extends InputShape {
  readonly form: 'deit3' | 'mae';
  readonly patchSize: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly mlpRatio: number;
  readonly pool: 'token' | 'mean';
  /** Initial layer scale; 0: none. */
  readonly layerScale: number;
  readonly dropPath: number;
  readonly init: 'truncated-normal' | 'fan-in';
}

export function vitFromConfig(config: Config['model'], input: InputShape): Model {
  return vit({ ...config, ...input });
}

export function vit(config: VitConfig): Model {
  const { imageSize, patchSize, channels, width, depth, heads } = config;
  const side = imageSize / patchSize;
  const tokens = side * side;
  const hasClassToken = config.form === 'mae' || config.pool === 'token';
  const rates = dropPathRates(config.dropPath, depth, config.form === 'mae' ? 'linear' : 'constant');

  function forward(p: Parameters, images: tf.Tensor4D, draws: BranchDraws): tf.Tensor2D {
    const batch = images.shape[0];
    const patches = patchify(images, patchSize); // (B, L, C·P·P)
    let x = embed(p, patches, draws.keep); // (B·T, D)
    for (let i = 0; i < depth; i++) x = block(p, `blocks.${i}`, x, batch, heads, draws.drop);
    return head(p, tf.reshape<tf.Rank.R3>(x, [batch, x.shape[0] / batch, width]));
  }

  /** Patch and position embedding; only the kept tokens are embedded, and the class token goes in front. */
  function embed(p: Parameters, patches: tf.Tensor3D, keep: tf.Tensor2D | undefined): tf.Tensor2D {
    const batch = patches.shape[0];
    const kept = keep ? keep.shape[1] : tokens;
    const weight = tf.reshape<tf.Rank.R2>(get(p, 'patch_embed.proj.weight'), [width, channels * patchSize * patchSize]);
    const bias = get<tf.Tensor1D>(p, 'patch_embed.proj.bias');
    const table = tf.reshape<tf.Rank.R2>(get(p, 'pos_embed'), [-1, width]); // (L or 1 + L, D)
    const coversClass = config.form === 'mae';
    const position = coversClass ? tf.slice(table, [1, 0], [tokens, width]) : table; // (L, D)
    let x: tf.Tensor3D;
    if (keep) {
      const selected = selection(keep, tokens); // (B·K, L)
      const embedded = linearOfConstant(selectOfEach(selected, patches), weight, bias);
      x = tf.reshape(tf.add(embedded, tf.matMul(selected, position)), [batch, kept, width]);
    } else {
      const embedded = linearOfConstant(tf.reshape(patches, [batch * tokens, weight.shape[1]]), weight, bias);
      x = tf.add(tf.reshape(embedded, [batch, tokens, width]), tf.reshape(position, [1, tokens, width]));
    }
    if (hasClassToken) {
      let token = tf.reshape<tf.Rank.R1>(get(p, 'cls_token'), [width]);
      if (coversClass) token = tf.add(token, tf.reshape(tf.slice(table, [0, 0], [1, width]), [width]));
      x = tf.concat([overBatch(token, batch), x], 1);
    }
    return tf.reshape(x, [batch * x.shape[1], width]);
  }

  /** x (B, T, D) → logits (B, classes). */
  function head(p: Parameters, x: tf.Tensor3D): tf.Tensor2D {
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
    return linear(normOf(p, 'fc_norm', tf.mean<tf.Tensor2D>(patchTokens, 1)), weight, bias);
  }

  return {
    parameters: vitParameters(config, hasClassToken),
    tokens,
    depth,
    dropSites: rates.flatMap((rate, i) => [
      { site: `blocks.${i}.drop_path1`, rate },
      { site: `blocks.${i}.drop_path2`, rate },
    ]),
    forward,
    forwardFlops: (kept) => {
      const length = kept + (hasClassToken ? 1 : 0);
      const hidden = Math.round(width * config.mlpRatio);
      const perBlock = 2 * length * width * (4 * width + 2 * hidden) + 4 * length * length * width;
      return 2 * kept * channels * patchSize * patchSize * width + depth * perBlock + 2 * width * config.classes;
    },
  };
}

/** (B, H, W, C) → (B, L, C·P·P); within a patch channel, row, column, as PyTorch's convolution weights are laid out. */
function patchify(images: tf.Tensor4D, patchSize: number): tf.Tensor3D {
  const [batch, height, width, channels] = images.shape;
  const [rows, columns] = [height / patchSize, width / patchSize];
  const grid = tf.reshape(images, [batch, rows, patchSize, columns, patchSize, channels]);
  const order = tf.transpose(grid, [0, 1, 3, 5, 2, 4]); // (B, rows, columns, C, P, P)
  return tf.reshape(order, [batch, rows * columns, channels * patchSize * patchSize]);
}

/** One pre-norm block. x (B·T, D). */
function block(p: Parameters, at: string, x: tf.Tensor2D, batch: number, heads: number, drop: BranchDraws['drop']) {
  const attended = selfAttention(linearOf(p, `${at}.attn.qkv`, normOf(p, `${at}.norm1`, x)), batch, heads);
  const scale1 = p[`${at}.ls1.gamma`] as tf.Tensor1D | undefined;
  const y = residual(x, linearOf(p, `${at}.attn.proj`, attended), scale1, drop?.[`${at}.drop_path1`]);
  const hidden = gelu(linearOf(p, `${at}.mlp.fc1`, normOf(p, `${at}.norm2`, y)));
  const scale2 = p[`${at}.ls2.gamma`] as tf.Tensor1D | undefined;
  return residual(y, linearOf(p, `${at}.mlp.fc2`, hidden), scale2, drop?.[`${at}.drop_path2`]);
}

function linearOf(p: Parameters, at: string, x: tf.Tensor2D): tf.Tensor2D {
  return linear(x, get(p, `${at}.weight`), get(p, `${at}.bias`));
}

function normOf(p: Parameters, at: string, x: tf.Tensor2D): tf.Tensor2D {
  return layerNorm(x, get(p, `${at}.weight`), get(p, `${at}.bias`), EPSILON);
}

function get<T extends tf.Tensor>(p: Parameters, name: string): T {
  const tensor = p[name];
  if (!tensor) throw new Error(`Parameter ${name} is missing.`);
  return tensor as T;
}

/** Every parameter in timm's order. */
function vitParameters(config: VitConfig, hasClassToken: boolean): ParameterSpec[] {
  const { width, patchSize, channels, classes, imageSize } = config;
  const hidden = Math.round(width * config.mlpRatio);
  const side = imageSize / patchSize;
  const rows = side * side + (config.form === 'mae' ? 1 : 0);
  const specs: ParameterSpec[] = [];
  const add = (name: string, shape: number[], init: Init, decay = shape.length > 1) =>
    specs.push({ name, shape, init, decay, layer: layerOf(name) });
  const weight = (fanIn: number): Init => truncatedNormal(config.init === 'fan-in' ? 1 / Math.sqrt(fanIn) : 0.02);
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
  add('pos_embed', [1, rows, width], position, false);
  add('patch_embed.proj.weight', [width, channels, patchSize, patchSize], weight(channels * patchSize * patchSize));
  add('patch_embed.proj.bias', [width], zeros);
  for (let i = 0; i < config.depth; i++) {
    normSpecs(`blocks.${i}.norm1`);
    linearSpecs(`blocks.${i}.attn.qkv`, 3 * width, width);
    linearSpecs(`blocks.${i}.attn.proj`, width, width);
    if (config.layerScale > 0) add(`blocks.${i}.ls1.gamma`, [width], constant(config.layerScale));
    normSpecs(`blocks.${i}.norm2`);
    linearSpecs(`blocks.${i}.mlp.fc1`, hidden, width);
    linearSpecs(`blocks.${i}.mlp.fc2`, width, hidden);
    if (config.layerScale > 0) add(`blocks.${i}.ls2.gamma`, [width], constant(config.layerScale));
  }
  normSpecs(config.pool === 'mean' ? 'fc_norm' : 'norm');
  linearSpecs('head', classes, width, truncatedNormal(config.form === 'mae' ? 2e-5 : 0.02));
  return specs;
}

const constant = (value: number): Init => ({ kind: 'constant', value });
const zeros = constant(0);
const ones = constant(1);
const truncatedNormal = (standardDeviation: number): Init => ({ kind: 'truncated-normal', standardDeviation });

/** `blocks.3.attn.qkv.weight` → `blocks.3`; embeddings → `embed`; the rest → `head`. */
function layerOf(name: string): string {
  if (name.startsWith('blocks.')) return name.split('.', 2).join('.');
  return /^(cls_token|pos_embed|patch_embed)/.test(name) ? 'embed' : 'head';
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
