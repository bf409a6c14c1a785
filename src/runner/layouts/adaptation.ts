/** How a tensor of a file becomes one of another size: positions for another grid, and images with another number of channels. */
import type { ModelName } from '../../core/modelConfig.ts';
import type { Model, ParameterSpec } from '../../engine/models/model.ts';
import { resizeOffsets, resizePositions } from '../../engine/resizePositions.ts';
import { sideOf } from './layout.ts';

export interface Adaptation {
  /** From which size to which, for a person. */
  readonly what: string;
  apply(values: Float32Array): Float32Array;
}

/** What makes values of `shape` those of a parameter; nothing where no rule does. */
export function adaptationOf(
  name: ModelName,
  model: Pick<Model, 'masking'>,
  spec: Pick<ParameterSpec, 'name' | 'shape'>,
  shape: readonly number[],
): Adaptation | undefined {
  if (name === 'vit' && spec.name === 'pos_embed') return ofGrid(spec.shape, shape, model.masking.rows);
  if (spec.name.endsWith('.relative_position_bias_table')) return ofOffsets(name, spec.shape, shape);
  if (['patch_embed.proj.weight', 'conv1.weight'].includes(spec.name)) return ofChannels(spec.shape, shape);
  if (spec.name.endsWith('.position_embeddings.weight')) return ofSequence(spec.shape, shape);
  return undefined;
}

/** Position embeddings of a grid; the row of the class token stays. */
function ofGrid(to: readonly number[], from: readonly number[], side: number): Adaptation | undefined {
  const [rows, width] = to.slice(-2) as [number, number];
  const [oldRows, oldWidth] = from.slice(-2) as [number, number];
  const extra = rows - side * side;
  const oldSide = sideOf(oldRows, extra);
  if (oldSide === undefined || oldWidth !== width || from.length < 2) return undefined;
  const at = extra * width;
  return {
    what: grids(oldSide, side),
    apply: (values) => joined(values.subarray(0, at), resizePositions(values.subarray(at), oldSide, side)),
  };
}

/**
 * Biases of relative positions, of which there are 2·side − 1 a line. Swin's are resized as Microsoft does it (load_pretrained in utils.py),
 * bicubic; BEiT's as timm does it, and the three rows of the class token at their end stay.
 */
function ofOffsets(name: ModelName, to: readonly number[], from: readonly number[]): Adaptation | undefined {
  const [rows, heads] = to as [number, number];
  const [oldRows, oldHeads] = from as [number, number];
  const extra = name === 'vit' ? 3 : 0;
  const [side, oldSide] = [sideOf(rows, extra), sideOf(oldRows, extra)];
  if (from.length !== 2 || oldHeads !== heads || !side || !oldSide || oldSide % 2 === 0) return undefined;
  const resize = name === 'vit' ? resizeOffsets : resizePositions;
  const end = oldSide * oldSide * heads;
  return {
    what: grids(oldSide, side),
    apply: (values) => joined(resize(values.subarray(0, end), oldSide, side), values.subarray(end)),
  };
}

/**
 * The first convolution for another number of channels, as timm adapts it (adapt_input_conv): for one channel the sum over colours, for
 * others the old channels over and over, scaled so that equal channels give what they gave.
 */
function ofChannels(to: readonly number[], from: readonly number[]): Adaptation | undefined {
  const [, channels = 0, ...kernel] = to;
  const [out = 0, oldChannels = 0, ...oldKernel] = from;
  if (out !== to[0] || `${oldKernel}` !== `${kernel}` || kernel.length !== 2) return undefined;
  if (channels !== 1 && oldChannels !== 3 && oldChannels !== 1) return undefined;
  const size = kernel.reduce((product, length) => product * length, 1);
  return {
    what: `${oldChannels} → ${channels} channels`,
    apply(values) {
      const adapted = new Float32Array(out * channels * size);
      const scale = channels === 1 ? 1 : oldChannels / channels;
      for (let o = 0; o < out; o++) {
        for (let c = 0; c < (channels === 1 ? oldChannels : channels); c++) {
          const [source, target] = [o * oldChannels + (c % oldChannels), o * channels + (c % channels)];
          for (let k = 0; k < size; k++) {
            adapted[target * size + k] =
              (adapted[target * size + k] as number) + scale * (values[source * size + k] as number);
          }
        }
      }
      return adapted;
    },
  };
}

/** Positions of a sequence: those behind its end go. */
function ofSequence(to: readonly number[], from: readonly number[]): Adaptation | undefined {
  const [rows = 0, width = 0] = to;
  const [oldRows = 0, oldWidth] = from;
  if (from.length !== 2 || oldWidth !== width || oldRows < rows) return undefined;
  return { what: `${oldRows} → ${rows} positions`, apply: (values) => values.slice(0, rows * width) };
}

const grids = (from: number, to: number) => `${from} × ${from} → ${to} × ${to}`;

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const all = new Float32Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
