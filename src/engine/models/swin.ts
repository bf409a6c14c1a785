/** Swin Transformer with hidden patches and timm parameter names. Liu et al. 2021 (https://arxiv.org/abs/2103.14030). */
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../core/errors.ts';
import type { ModelConfigOf } from '../../core/modelConfig.ts';
import { dropPathRates } from '../../core/schedules.ts';
import { selfAttention } from '../ops/attention.ts';
import { dropElements } from '../ops/dropElements.ts';
import { gelu } from '../ops/gelu.ts';
import { hideNothing, hideTokens } from '../ops/hideTokens.ts';
import { linearOfConstant } from '../ops/linear.ts';
import { patchify } from '../ops/patchify.ts';
import { relativePositionBias } from '../ops/relativePosition.ts';
import { residual } from '../ops/residual.ts';
import { blockedPairs, fromWindows, relativePositionIndex, toWindows, type WindowGrid } from '../ops/windows.ts';
import { get, layerNormOf, linearOf, ones, truncatedNormal, zeros } from './layers.ts';
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

const EPSILON = 1e-5;
/** What forbids attention, added to a score: enough to vanish in the softmax. */
const FORBIDDEN = -100;

export interface SwinConfig extends ImageShape {
  /** 4 in the named sizes, as 7 is the window. */
  readonly patchSize: number;
  /** Of the first stage; each further stage has twice the width and half the side. */
  readonly width: number;
  /** Blocks of each stage. */
  readonly blocks: readonly number[];
  /** Heads of each stage. */
  readonly heads: readonly number[];
  /** Side of a window in tokens; a stage that is smaller is one window. */
  readonly window: number;
  readonly mlpRatio: number;
  /** Side of what is hidden or visible, in pixels: 32 in MaskSub. */
  readonly maskPatch: number;
  readonly dropPath: number;
}

/** One resolution of the pyramid. */
interface Stage {
  readonly at: string;
  readonly width: number;
  /** Side of the token grid. */
  readonly side: number;
  readonly window: number;
  /** Of every second block. */
  readonly shift: number;
  readonly heads: number;
  /** Drop-path rate of each block. */
  readonly rates: readonly number[];
  /** 1 at the table's row of each pair of tokens, (T·T, R). */
  readonly rowOfPair: Float32Array;
  /** What is added to the scores of a shifted block, (N, T, T); nothing where no block is shifted. */
  readonly forbidden: Float32Array | undefined;
}

/** Constants of a stage as tensors. */
interface StageTensors {
  readonly rowOfPair: tf.Tensor2D;
  /** (N, 1, T, T). */
  readonly forbidden: tf.Tensor4D | undefined;
}

export function swinFromConfig(config: ModelConfigOf<'swin'>, input: ImageShape): Model {
  return swin({ ...config, heads: [config.heads].flat(), ...input });
}

export function swin(config: SwinConfig): Model {
  const { imageSize, patchSize, channels, width, classes, maskPatch } = config;
  const stages = stagesOf(config);
  const side = imageSize / patchSize;
  const maskSide = imageSize / maskPatch;

  function forward(p: Parameters, input: ModelInput, draws: BranchDraws): tf.Tensor2D {
    const images = imagesOf(input);
    const batch = images.shape[0];
    let x = embed(p, images, draws.hidden); // (B·S·S, D)
    stages.forEach((stage, i) => {
      if (i > 0) x = downsample(p, `${stage.at}.downsample`, x, 2 * stage.side);
      const tensors = tensorsOf(stage);
      stage.rates.forEach((_, j) => {
        x = block(p, x, stage, j, tensors, draws.drop);
      });
    });
    const normal = normOf(p, 'norm', x);
    const pooled = tf.mean<tf.Tensor2D>(tf.reshape(normal, [batch, normal.shape[0] / batch, normal.shape[1]]), 1);
    return linearOf(p, 'head.fc', pooled);
  }

  /** Patch embedding, (B, H, W, C) → (B·S·S, D), with the mask token in hidden patches. */
  function embed(p: Parameters, images: tf.Tensor4D, hidden: tf.Tensor2D | undefined): tf.Tensor2D {
    const patchWidth = channels * patchSize * patchSize;
    const patches = tf.reshape<tf.Rank.R2>(patchify(images, patchSize), [images.shape[0] * side * side, patchWidth]);
    const weight = tf.reshape<tf.Rank.R2>(get(p, 'patch_embed.proj.weight'), [width, patchWidth]);
    const embedded = linearOfConstant(patches, weight, get<tf.Tensor1D>(p, 'patch_embed.proj.bias'));
    const x = normOf(p, 'patch_embed.norm', embedded);
    const token = tf.reshape<tf.Rank.R1>(get(p, 'mask_token'), [width]);
    return hidden ? hideTokens(x, token, hidden, { side, perPatch: maskPatch / patchSize }) : hideNothing(x, token);
  }

  return {
    parameters: swinParameters(config, stages),
    buffers: [],
    masking: { kind: 'hide', rows: maskSide, columns: maskSide },
    depth: config.blocks.reduce((sum, blocks) => sum + blocks, 0),
    dropSites: stages.flatMap((stage) => dropSitesOf(stage, config.mlpRatio)),
    forward,
    // Hidden patches are computed like visible ones.
    forwardFlops: () => {
      const last = stages.at(-1)?.width ?? width;
      const embedding = 2 * side * side * channels * patchSize * patchSize * width;
      return (
        embedding + stages.reduce((sum, stage, i) => sum + stageFlops(config, stage, i > 0), 0) + 2 * last * classes
      );
    },
  };
}

function stagesOf(config: SwinConfig): Stage[] {
  const { blocks, heads } = config;
  checkSizes(config);
  const all = blocks.reduce((sum, count) => sum + count, 0);
  const rates = dropPathRates(config.dropPath, all, 'linear');
  let first = 0;
  return blocks.map((count, i) => {
    const side = sideOf(config, i);
    const window = Math.min(side, config.window);
    const shift = side > window && count > 1 ? Math.floor(window / 2) : 0;
    const blocked = shift > 0 ? blockedPairs({ side, window, shift }) : undefined;
    first += count;
    return {
      at: `layers.${i}`,
      width: config.width * 2 ** i,
      side,
      window,
      shift,
      heads: heads[i] as number,
      rates: rates.slice(first - count, first),
      rowOfPair: oneHot(relativePositionIndex(window), (2 * window - 1) ** 2),
      forbidden: blocked && Float32Array.from(blocked, (isBlocked) => FORBIDDEN * isBlocked),
    };
  });
}

const sideOf = ({ imageSize, patchSize }: SwinConfig, stage: number) => imageSize / patchSize / 2 ** stage;

/** Every grid must fall into windows and all but the last into halves; a mask patch covers whole patches. */
function checkSizes(config: SwinConfig): void {
  const { imageSize, patchSize, maskPatch, blocks, heads } = config;
  if (blocks.length !== heads.length)
    throw refusal(`There are blocks for ${blocks.length} stages and heads for ${heads.length}`);
  if (imageSize % maskPatch !== 0 || maskPatch % patchSize !== 0)
    throw refusal(
      `Mask patches of ${maskPatch} pixels do not cover whole patches (${patchSize}) of ${imageSize} pixels`,
    );
  heads.forEach((count, i) => {
    const side = sideOf(config, i);
    const window = Math.min(side, config.window);
    const width = config.width * 2 ** i;
    if (!Number.isInteger(side) || side % window !== 0)
      throw refusal(
        `Stage ${i + 1} has ${side} × ${side} tokens, which do not fall into windows of ${window} × ${window}`,
      );
    if (width % count !== 0) throw refusal(`Stage ${i + 1} has a width of ${width} for ${count} heads`);
  });
}

function refusal(problem: string): UserError {
  return new UserError(`${problem}: Swin cannot be built.`, {
    hint: 'A side of the image is a multiple of patch size · window · 2 for each further stage, as 224 = 4 · 7 · 8.',
  });
}

/** Made anew in each forward pass, and once for all blocks of a stage: a recording keeps no tensors. */
function tensorsOf({ rowOfPair, forbidden, side, window }: Stage): StageTensors {
  const tokens = window * window;
  const windows = (side / window) ** 2;
  return {
    rowOfPair: tf.tensor2d(rowOfPair, [tokens * tokens, (2 * window - 1) ** 2]),
    forbidden: forbidden && tf.tensor4d(forbidden, [windows, 1, tokens, tokens]),
  };
}

/** One pre-norm block; every second one has shifted windows. x (B·S·S, D). */
function block(
  p: Parameters,
  x: tf.Tensor2D,
  stage: Stage,
  index: number,
  { rowOfPair, forbidden }: StageTensors,
  drop: BranchDraws['drop'],
): tf.Tensor2D {
  const at = `${stage.at}.blocks.${index}`;
  const { side, window, heads } = stage;
  const shift = index % 2 === 1 ? stage.shift : 0;
  const grid: WindowGrid = { side, window, shift };
  const tokens = window * window;

  let bias = relativePositionBias(get(p, `${at}.attn.relative_position_bias_table`), rowOfPair); // (H, T, T)
  if (shift > 0 && forbidden) bias = tf.reshape(tf.add(bias, forbidden), [-1, tokens, tokens]); // (N·H, T, T)
  const windows = toWindows(normOf(p, `${at}.norm1`, x), grid); // (B·N·T, D)
  const attended = selfAttention(linearOf(p, `${at}.attn.qkv`, windows), windows.shape[0] / tokens, heads, { bias });
  const unwindowed = fromWindows(linearOf(p, `${at}.attn.proj`, attended), grid);
  const projected = dropElements(unwindowed, drop?.[`${at}.attn.proj_drop`]);
  const y = residual(x, projected, undefined, drop?.[`${at}.drop_path1`] as tf.Tensor1D | undefined);
  const hidden = gelu(linearOf(p, `${at}.mlp.fc1`, normOf(p, `${at}.norm2`, y)));
  const kept = dropElements(hidden, drop?.[`${at}.mlp.drop1`]);
  const out = dropElements(linearOf(p, `${at}.mlp.fc2`, kept), drop?.[`${at}.mlp.drop2`]);
  return residual(y, out, undefined, drop?.[`${at}.drop_path2`] as tf.Tensor1D | undefined);
}

/** Each 2 × 2 tokens become one of twice the width. x (B·S·S, C) → (B·S/2·S/2, 2·C). */
function downsample(p: Parameters, at: string, x: tf.Tensor2D, side: number): tf.Tensor2D {
  const [rows, width] = x.shape;
  const squares = tf.reshape(x, [rows / (2 * side), 2, side / 2, 2, width]); // (B·S/2, h, S/2, w, C)
  // The upper left token comes first, then the one below it.
  const merged = tf.reshape<tf.Rank.R2>(tf.transpose(squares, [0, 2, 3, 1, 4]), [rows / 4, 4 * width]);
  return tf.matMul(normOf(p, `${at}.norm`, merged), get<tf.Tensor2D>(p, `${at}.reduction.weight`), false, true);
}

const normOf = (p: Parameters, at: string, x: tf.Tensor2D) => layerNormOf(p, at, x, EPSILON);

/** Both residual branches of each block, and the three dropouts that timm has there, as in the ViT; only DropSub drops at these. */
function dropSitesOf({ at, rates, side, width }: Stage, mlpRatio: number): DropSite[] {
  const dropout = (site: string, channels: number): DropSite => ({
    site,
    rate: 0,
    kind: 'dropout',
    elements: () => [side * side, channels],
  });
  return rates.flatMap((rate, j) => {
    const block = `${at}.blocks.${j}`;
    return [
      { site: `${block}.drop_path1`, rate, kind: 'path' },
      { site: `${block}.drop_path2`, rate, kind: 'path' },
      dropout(`${block}.attn.proj_drop`, width),
      dropout(`${block}.mlp.drop1`, Math.round(width * mlpRatio)),
      dropout(`${block}.mlp.drop2`, width),
    ];
  });
}

function stageFlops({ mlpRatio }: SwinConfig, { width, side, window, rates }: Stage, downsampled: boolean): number {
  const tokens = side * side;
  const hidden = Math.round(width * mlpRatio);
  const perBlock = 2 * tokens * width * (4 * width + 2 * hidden) + 4 * tokens * window * window * width;
  return (downsampled ? 2 * tokens * 2 * width * width : 0) + rates.length * perBlock;
}

/** Every parameter in timm's order. */
function swinParameters(config: SwinConfig, stages: readonly Stage[]): ParameterSpec[] {
  const { patchSize, channels, width, classes } = config;
  const specs: ParameterSpec[] = [];
  const normal = truncatedNormal(0.02);
  const add = (name: string, shape: number[], init: Init, decay = shape.length > 1) =>
    specs.push({ name, shape, init, decay, layer: layerOf(name) });
  const linearSpecs = (name: string, out: number, fanIn: number) => {
    add(`${name}.weight`, [out, fanIn], normal);
    add(`${name}.bias`, [out], zeros);
  };
  const normSpecs = (name: string, width: number) => {
    add(`${name}.weight`, [width], ones);
    add(`${name}.bias`, [width], zeros);
  };

  add('mask_token', [1, 1, width], normal, false);
  // timm leaves this one at PyTorch's start of a convolution, uniform in ±1/√fan-in.
  add('patch_embed.proj.weight', [width, channels, patchSize, patchSize], normal);
  add('patch_embed.proj.bias', [width], zeros);
  normSpecs('patch_embed.norm', width);
  stages.forEach(({ at, width, window, heads, rates }, i) => {
    const hidden = Math.round(width * config.mlpRatio);
    if (i > 0) {
      normSpecs(`${at}.downsample.norm`, 2 * width);
      add(`${at}.downsample.reduction.weight`, [width, 2 * width], normal);
    }
    rates.forEach((_, j) => {
      const block = `${at}.blocks.${j}`;
      normSpecs(`${block}.norm1`, width);
      add(`${block}.attn.relative_position_bias_table`, [(2 * window - 1) ** 2, heads], normal, false);
      linearSpecs(`${block}.attn.qkv`, 3 * width, width);
      linearSpecs(`${block}.attn.proj`, width, width);
      normSpecs(`${block}.norm2`, width);
      linearSpecs(`${block}.mlp.fc1`, hidden, width);
      linearSpecs(`${block}.mlp.fc2`, width, hidden);
    });
  });
  normSpecs('norm', stages.at(-1)?.width ?? width);
  linearSpecs('head.fc', classes, stages.at(-1)?.width ?? width);
  return specs;
}

/** `layers.2.blocks.3.attn.qkv.weight` → `layers.2.blocks.3`; `layers.2.downsample.norm.bias` → `layers.2.downsample`. */
function layerOf(name: string): string {
  const [layer] = /^layers\.\d+\.(blocks\.\d+|downsample)/.exec(name) ?? [];
  return layer ?? (/^(mask_token|patch_embed)/.test(name) ? 'embed' : 'head');
}

/** Indices → rows with a 1 at each. */
function oneHot(indices: Int32Array, length: number): Float32Array {
  const rows = new Float32Array(indices.length * length);
  indices.forEach((index, row) => {
    rows[row * length + index] = 1;
  });
  return rows;
}
