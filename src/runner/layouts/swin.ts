/**
 * Swin Transformer as timm names it, which is our way, and as Microsoft publishes it (https://github.com/microsoft/Swin-Transformer,
 * models/swin_transformer.py), where a stage ends with its downsampling instead of beginning with it.
 */
import { dropBuffer, type Layout, rename, type Shapes } from './layout.ts';

const isSwin = (shapes: Shapes) =>
  shapes.has('patch_embed.norm.weight') && shapes.has('layers.0.blocks.0.attn.relative_position_bias_table');

const shared = [
  rename(/^(mask_token)$/, '$1'),
  rename(/^(patch_embed\.(?:proj|norm)\.(?:weight|bias))$/, '$1'),
  rename(/^(layers\.\d+\.blocks\.\d+\.(?:norm1|norm2|attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.(?:weight|bias))$/, '$1'),
  rename(/^(layers\.\d+\.blocks\.\d+\.attn\.relative_position_bias_table)$/, '$1'),
  rename(/^(norm\.(?:weight|bias))$/, '$1'),
  rename(/^head\.(?:fc\.)?(weight|bias)$/, 'head.fc.$1'),
  dropBuffer(/\.relative_position_index$/, 'indices of relative positions'),
  dropBuffer(/^layers\.\d+\.blocks\.\d+\.attn_mask$/, 'masks of shifted windows'),
];
/** timm's model has none: without masked training it has no use for it. */
const mayLack = /^mask_token$/;

export const swin: Layout = {
  title: 'Swin Transformer (microsoft/Swin-Transformer)',
  model: 'swin',
  describes: (shapes) => isSwin(shapes) && shapes.has('layers.0.downsample.reduction.weight'),
  rules: [
    ...shared,
    ...Array.from({ length: 10 }, (_, stage) =>
      rename(
        new RegExp(`^layers\\.${stage}\\.(downsample\\.(?:norm\\.weight|norm\\.bias|reduction\\.weight))$`),
        `layers.${stage + 1}.$1`,
      ),
    ),
  ],
  mayLack,
};

export const timmSwin: Layout = {
  title: 'Swin Transformer (timm)',
  model: 'swin',
  describes: isSwin,
  rules: [...shared, rename(/^(layers\.\d+\.downsample\.(?:norm\.weight|norm\.bias|reduction\.weight))$/, '$1')],
  mayLack,
};
