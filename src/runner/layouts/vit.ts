/** Vision Transformers as timm names them, which are our names (https://github.com/huggingface/pytorch-image-models). */
import { type Layout, rename, type Shapes } from './layout.ts';

/** Names of the encoder that timm, DeiT and MAE share. */
export const encoder = [
  rename(/^(cls_token|pos_embed)$/, '$1'),
  rename(/^(patch_embed\.proj\.(?:weight|bias))$/, '$1'),
  rename(/^(blocks\.\d+\.(?:norm1|norm2|attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.(?:weight|bias))$/, '$1'),
];
/** The last norm and the classifier. */
export const ending = [rename(/^((?:norm|fc_norm|head)\.(?:weight|bias))$/, '$1')];

export const isVit = (shapes: Shapes) => shapes.has('patch_embed.proj.weight') && shapes.has('blocks.0.mlp.fc1.weight');

export const timmVit: Layout = {
  title: 'Vision Transformer (timm)',
  model: 'vit',
  describes: isVit,
  rules: [
    ...encoder,
    ...ending,
    rename(/^(norm_pre\.(?:weight|bias))$/, '$1'),
    rename(/^(blocks\.\d+\.ls[12]\.gamma)$/, '$1'),
  ],
};
