/**
 * The visual part of CLIP as OpenAI publishes it (https://github.com/openai/CLIP, clip/model.py), and as transformers names it; in
 * timm's names it is a Vision Transformer like others. The projection to the space of texts goes: a classifier takes its place.
 */
import { drop, dropBuffer, joinedQkv, type Layout, rename } from './layout.ts';

const block = '^visual\\.transformer\\.resblocks\\.(\\d+)\\.';
const inBlock = (from: string, to: string) => rename(new RegExp(`${block}${from}$`), `blocks.$1.${to}`);
const norm = {
  to: 'norm.$1',
  unlessUsed: 'the norm before the projection', // pooling the mean, the model has a new one
};

export const clip: Layout = {
  title: 'CLIP (openai/CLIP)',
  model: 'vit',
  describes: (shapes) => shapes.has('visual.class_embedding') && shapes.has('visual.conv1.weight'),
  rules: [
    rename(/^visual\.class_embedding$/, 'cls_token'),
    rename(/^visual\.positional_embedding$/, 'pos_embed'),
    rename(/^visual\.conv1\.weight$/, 'patch_embed.proj.weight'),
    rename(/^visual\.ln_pre\.(weight|bias)$/, 'norm_pre.$1'),
    { from: /^visual\.ln_post\.(weight|bias)$/, ...norm },
    inBlock('ln_([12])\\.(weight|bias)', 'norm$2.$3'),
    inBlock('attn\\.in_proj_(weight|bias)', 'attn.qkv.$2'),
    inBlock('attn\\.out_proj\\.(weight|bias)', 'attn.proj.$2'),
    inBlock('mlp\\.c_fc\\.(weight|bias)', 'mlp.fc1.$2'),
    inBlock('mlp\\.c_proj\\.(weight|bias)', 'mlp.fc2.$2'),
    drop(/^visual\.proj$/, 'the projection'),
    drop(
      /^(?:transformer\.resblocks\.|token_embedding\.|ln_final\.)|^(?:positional_embedding|text_projection|logit_scale)$/,
      'the text tower',
    ),
    dropBuffer(/^(?:input_resolution|context_length|vocab_size)$/, 'sizes'),
  ],
  mayLack: /^fc_norm\./,
};

const layer = '^(?:vision_model\\.)?encoder\\.layers\\.(\\d+)\\.';
const inLayer = (from: string, to: string) => rename(new RegExp(`${layer}${from}$`), `blocks.$1.${to}`);

export const clipOfTransformers: Layout = {
  title: 'CLIP (transformers)',
  model: 'vit',
  describes: (shapes) => ['', 'vision_model.'].some((at) => shapes.has(`${at}embeddings.class_embedding`)),
  rules: [
    rename(/^(?:vision_model\.)?embeddings\.class_embedding$/, 'cls_token'),
    rename(/^(?:vision_model\.)?embeddings\.position_embedding\.weight$/, 'pos_embed'),
    rename(/^(?:vision_model\.)?embeddings\.patch_embedding\.weight$/, 'patch_embed.proj.weight'),
    rename(/^(?:vision_model\.)?pre_layrnorm\.(weight|bias)$/, 'norm_pre.$1'), // their spelling
    { from: /^(?:vision_model\.)?post_layernorm\.(weight|bias)$/, ...norm },
    inLayer('layer_norm([12])\\.(weight|bias)', 'norm$2.$3'),
    ...joinedQkv(`${layer}self_attn\\.@_proj\\.(weight|bias)$`, ['q', 'k', 'v'], 'blocks.$1.attn.qkv.$2'),
    inLayer('self_attn\\.out_proj\\.(weight|bias)', 'attn.proj.$2'),
    inLayer('mlp\\.(fc[12])\\.(weight|bias)', 'mlp.$2.$3'),
    drop(/^visual_projection\.weight$/, 'the projection'),
    drop(/^text_model\.|^(?:text_projection\.weight|logit_scale)$/, 'the text tower'),
    dropBuffer(/^(?:vision_model\.)?embeddings\.position_ids$/, 'position ids'),
  ],
  mayLack: /^fc_norm\./,
};
