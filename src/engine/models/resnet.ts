/**
 * Residual network with bottleneck blocks (v1.5: the stride is on the 3×3 convolution) and timm parameter names.
 * He et al. 2016 (https://arxiv.org/abs/1512.03385); zero-initialized branches: Goyal et al. 2017 (https://arxiv.org/abs/1706.02677).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfigOf } from '../../core/modelConfig.ts';
import { dropPathRates } from '../../core/schedules.ts';
import { batchNorm, batchNormBy } from '../ops/batchNorm.ts';
import { convolution, convolutionOfConstant, maxPool, relu } from '../ops/convolution.ts';
import { residual } from '../ops/residual.ts';
import { get, linearOf, ones, truncatedNormal, zeros } from './layers.ts';
import {
  type BranchDraws,
  type BufferSpec,
  type ForwardMode,
  type ImageShape,
  type Init,
  imagesOf,
  type Model,
  type ModelInput,
  type ParameterSpec,
  type Parameters,
} from './model.ts';

/** Channels that come out of a bottleneck for one inside. */
const EXPANSION = 4;

export interface ResnetConfig extends ImageShape {
  /** Bottleneck blocks of each stage. */
  readonly blocks: readonly number[];
  /** Inner channels of the bottlenecks of each stage; four times as many come out. */
  readonly widths: readonly number[];
  /** Channels of the stem. */
  readonly stem: number;
  /** Side of a masked patch in pixels, of which the side of the image is a multiple. */
  readonly maskPatch: number;
  /** Of the last block; it grows linearly from 0 at the first. */
  readonly dropPath: number;
}

export function resnetFromConfig({ channels, ...config }: ModelConfigOf<'resnet'>, input: ImageShape): Model {
  return resnet({ ...config, widths: channels, ...input });
}

export function resnet(config: ResnetConfig): Model {
  const blocks = blocksOf(config);
  const rates = dropPathRates(config.dropPath, blocks.length, 'linear');
  const side = config.imageSize / config.maskPatch;

  function forward(p: Parameters, input: ModelInput, draws: BranchDraws, mode: ForwardMode): tf.Tensor2D {
    const images = imagesOf(input);
    const seen = draws.hidden ? hide(images, draws.hidden, config.maskPatch) : images;
    const stem = convolutionOfConstant(seen, get(p, 'conv1.weight'), 2);
    let x = maxPool(relu(normOf(p, 'bn1', stem, mode)), 3, 2); // (B, H/4, W/4, stem)
    for (const block of blocks) x = bottleneck(p, block, x, draws.drop?.[`${block.at}.drop_path`], mode);
    const [batch, height, width, channels] = x.shape;
    const pooled = tf.mean<tf.Tensor2D>(tf.reshape(x, [batch, height * width, channels]), 1); // (B, C)
    return linearOf(p, 'fc', pooled);
  }

  return {
    ...resnetState(config, blocks),
    masking: { kind: 'hide', rows: side, columns: side },
    depth: blocks.length,
    dropSites: blocks.map(({ at }, i) => ({ site: `${at}.drop_path`, rate: rates[i] as number, kind: 'path' })),
    forward,
    forwardFlops: () => resnetFlops(config, blocks),
  };
}

interface Block {
  /** Its name, such as `layer2.0`. */
  readonly at: string;
  /** Channels that come in, and those inside. */
  readonly input: number;
  readonly width: number;
  readonly stride: number;
  /** The shortcut is a convolution where the shape changes. */
  readonly hasDownsample: boolean;
}

function blocksOf({ blocks, widths, stem }: ResnetConfig): Block[] {
  let input = stem;
  return blocks.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i): Block => {
      const width = widths[stage];
      if (width === undefined) throw new Error(`Stage ${stage + 1} has no width.`);
      const stride = i === 0 && stage > 0 ? 2 : 1;
      const hasDownsample = stride !== 1 || input !== EXPANSION * width;
      const block = { at: `layer${stage + 1}.${i}`, input, width, stride, hasDownsample };
      input = EXPANSION * width;
      return block;
    }),
  );
}

/** x (B, H, W, in) → (B, H/stride, W/stride, 4·width). */
function bottleneck(
  p: Parameters,
  { at, stride, hasDownsample }: Block,
  x: tf.Tensor4D,
  drop: tf.Tensor | undefined,
  mode: ForwardMode,
): tf.Tensor4D {
  const layer = (x: tf.Tensor4D, conv: string, norm: string, stride: number) =>
    normOf(p, `${at}.${norm}`, convolution(x, get(p, `${at}.${conv}.weight`), stride), mode);
  const inner = relu(layer(relu(layer(x, 'conv1', 'bn1', 1)), 'conv2', 'bn2', stride));
  const y = layer(inner, 'conv3', 'bn3', 1);
  const shortcut = hasDownsample ? layer(x, 'downsample.0', 'downsample.1', stride) : x;
  const sum = residual(flat(shortcut), flat(y), undefined, drop as tf.Tensor1D | undefined);
  return relu(tf.reshape<tf.Rank.R4>(sum, y.shape));
}

/** (B, H, W, C) → (B·H·W, C). */
function flat(x: tf.Tensor4D): tf.Tensor2D {
  const [batch, height, width, channels] = x.shape;
  return tf.reshape(x, [batch * height * width, channels]);
}

function normOf(p: Parameters, at: string, x: tf.Tensor4D, mode: ForwardMode): tf.Tensor4D {
  const [weight, bias] = [get<tf.Tensor1D>(p, `${at}.weight`), get<tf.Tensor1D>(p, `${at}.bias`)];
  const running = {
    mean: get<tf.Tensor1D>(mode.buffers, `${at}.running_mean`),
    variance: get<tf.Tensor1D>(mode.buffers, `${at}.running_var`),
  };
  if (!mode.training) return batchNormBy(x, weight, bias, running);
  return batchNorm(x, weight, bias, running, ({ mean, variance }) => {
    mode.update(`${at}.running_mean`, mean);
    mode.update(`${at}.running_var`, variance);
  });
}

/** Hidden patches become 0, the mean color of normalized images. images (B, H, W, C), hidden (B, patches). */
function hide(images: tf.Tensor4D, hidden: tf.Tensor2D, patch: number): tf.Tensor4D {
  const [batch, height, width] = images.shape;
  const visible = tf.reshape<tf.Rank.R5>(tf.sub(1, hidden), [batch, height / patch, 1, width / patch, 1]);
  const pixels = tf.tile(visible, [1, 1, patch, 1, patch]);
  return tf.mul(images, tf.reshape(pixels, [batch, height, width, 1]));
}

/** Every parameter and buffer in timm's order. */
function resnetState(config: ResnetConfig, blocks: readonly Block[]): Pick<Model, 'parameters' | 'buffers'> {
  const parameters: ParameterSpec[] = [];
  const buffers: BufferSpec[] = [];
  const add = (name: string, shape: number[], init: Init) =>
    parameters.push({ name, shape, init, decay: shape.length > 1, layer: layerOf(name) });
  /** A convolution and its normalization; He et al. 2015 (https://arxiv.org/abs/1502.01852) for what goes out. */
  const layer = (conv: string, norm: string, out: number, input: number, size: number, scale = ones) => {
    add(`${conv}.weight`, [out, input, size, size], truncatedNormal(Math.sqrt(2 / (out * size * size))));
    add(`${norm}.weight`, [out], scale);
    add(`${norm}.bias`, [out], zeros);
    buffers.push({ name: `${norm}.running_mean`, shape: [out], value: 0 });
    buffers.push({ name: `${norm}.running_var`, shape: [out], value: 1 });
  };

  layer('conv1', 'bn1', config.stem, config.channels, 7);
  for (const { at, input, width, hasDownsample } of blocks) {
    const out = EXPANSION * width;
    layer(`${at}.conv1`, `${at}.bn1`, width, input, 1);
    layer(`${at}.conv2`, `${at}.bn2`, width, width, 3);
    layer(`${at}.conv3`, `${at}.bn3`, out, width, 1, zeros); // at the beginning a block hands its input on
    if (hasDownsample) layer(`${at}.downsample.0`, `${at}.downsample.1`, out, input, 1);
  }
  const features = featuresOf(config, blocks);
  add('fc.weight', [config.classes, features], truncatedNormal(1 / Math.sqrt(3 * features)));
  add('fc.bias', [config.classes], zeros);
  return { parameters, buffers };
}

/** Channels before the classifier. */
function featuresOf({ stem }: ResnetConfig, blocks: readonly Block[]): number {
  const last = blocks.at(-1);
  return last ? EXPANSION * last.width : stem;
}

/** `layer3.1.bn2.weight` → `layer3.1`; the first convolution and its norm → `stem`; the classifier → `head`. */
function layerOf(name: string): string {
  if (name.startsWith('layer')) return name.split('.', 2).join('.');
  return name.startsWith('fc.') ? 'head' : 'stem';
}

/** Convolutions and the classifier; hidden pixels cost as much as visible ones. */
function resnetFlops(config: ResnetConfig, blocks: readonly Block[]): number {
  let side = Math.ceil(config.imageSize / 2);
  let multiplyAdds = side ** 2 * 49 * config.channels * config.stem;
  side = Math.ceil(side / 2);
  for (const { input, width, stride, hasDownsample } of blocks) {
    const out = EXPANSION * width;
    const sideAfter = Math.ceil(side / stride);
    multiplyAdds += side ** 2 * input * width + sideAfter ** 2 * (9 * width * width + width * out);
    if (hasDownsample) multiplyAdds += sideAfter ** 2 * input * out;
    side = sideAfter;
  }
  return 2 * (multiplyAdds + featuresOf(config, blocks) * config.classes);
}
