/**
 * BEiT and BEiT v2 as published (https://github.com/microsoft/unilm/tree/master/beit2, modeling_pretrain.py and modeling_finetune.py),
 * which timm's names follow, and as transformers names them, before and since its version 5.
 */
import { drop, dropBuffer, joinedQkv, type Layout, rename } from './layout.ts';
import { isVit } from './vit.ts';

const table = 'attn.relative_position_bias_table';

export const beit: Layout = {
  title: 'BEiT (microsoft/unilm, timm)',
  model: 'vit',
  describes: (shapes) => isVit(shapes) && shapes.has('blocks.0.attn.q_bias'),
  rules: [
    rename(/^(cls_token)$/, '$1'),
    rename(/^(patch_embed\.proj\.(?:weight|bias))$/, '$1'),
    rename(/^(blocks\.\d+\.(?:norm1|norm2|attn\.proj|mlp\.fc1|mlp\.fc2)\.(?:weight|bias))$/, '$1'),
    rename(/^(blocks\.\d+\.(?:gamma_[12]|attn\.(?:q_bias|v_bias|qkv\.weight|relative_position_bias_table)))$/, '$1'),
    rename(/^rel_pos_bias\.relative_position_bias_table$/, `blocks.*.${table}`),
    dropBuffer(/(?:^|\.)relative_position_index$/, 'indices of relative positions'),
    { from: /^(norm\.(?:weight|bias))$/, to: '$1', unlessUsed: 'the norm of pre-training' },
    rename(/^((?:fc_norm|head)\.(?:weight|bias))$/, '$1'),
    drop(/^mask_token$/, 'the mask token'),
    drop(/^(?:lm_head|cls_pt_(?:layers|norm|lm_head))\./, 'what predicts visual tokens'),
  ],
  // Pre-training has a norm of all tokens, fine-tuning a new one of their mean.
  mayLack: /^fc_norm\./,
};

const block = '^(?:beit\\.)?(?:encoder\\.layer|layers)\\.(\\d+)\\.';
const inBlock = (from: string, to: string) => rename(new RegExp(`${block}${from}$`), `blocks.$1.${to}`);

export const beitOfTransformers: Layout = {
  title: 'BEiT (transformers)',
  model: 'vit',
  describes: (shapes) =>
    ['', 'beit.'].some(
      (at) =>
        shapes.has(`${at}embeddings.patch_embeddings.projection.weight`) &&
        ['encoder.layer.0', 'layers.0'].some((block) => shapes.has(`${at}${block}.lambda_1`)),
    ),
  rules: [
    rename(/^(?:beit\.)?embeddings\.cls_token$/, 'cls_token'),
    rename(/^(?:beit\.)?embeddings\.patch_embeddings\.projection\.(weight|bias)$/, 'patch_embed.proj.$1'),
    inBlock('lambda_([12])', 'gamma_$2'),
    inBlock('layernorm_before\\.(weight|bias)', 'norm1.$2'),
    inBlock('layernorm_after\\.(weight|bias)', 'norm2.$2'),
    ...joinedQkv(`${block}attention\\.@_proj\\.weight$`, ['q', 'k', 'v'], 'blocks.$1.attn.qkv.weight'),
    ...joinedQkv(`${block}attention\\.attention\\.@\\.weight$`, ['query', 'key', 'value'], 'blocks.$1.attn.qkv.weight'),
    inBlock('attention\\.([qv])_proj\\.bias', 'attn.$2_bias'),
    inBlock('attention\\.attention\\.([qv])(?:uery|alue)\\.bias', 'attn.$2_bias'),
    inBlock('attention\\.(?:o_proj|output\\.dense)\\.(weight|bias)', 'attn.proj.$2'),
    inBlock('(?:mlp\\.fc1|intermediate\\.dense)\\.(weight|bias)', 'mlp.fc1.$2'),
    inBlock('(?:mlp\\.fc2|output\\.dense)\\.(weight|bias)', 'mlp.fc2.$2'),
    inBlock('(?:attention\\.attention\\.)?relative_position_bias\\.relative_position_bias_table', table),
    rename(
      /^(?:beit\.)?(?:encoder\.relative_position_bias|shared_position_bias)\.relative_position_bias_table$/,
      `blocks.*.${table}`,
    ),
    dropBuffer(/\.relative_position_index$/, 'indices of relative positions'),
    rename(/^(?:beit\.)?pooler\.layernorm\.(weight|bias)$/, 'fc_norm.$1'),
    {
      from: /^(?:beit\.)?layernorm\.(weight|bias)$/,
      to: 'norm.$1',
      unlessUsed: 'the norm of pre-training',
    },
    rename(/^classifier\.(weight|bias)$/, 'head.$1'),
    drop(/^(?:beit\.)?embeddings\.mask_token$/, 'the mask token'),
    drop(/^lm_head\./, 'what predicts visual tokens'),
  ],
  mayLack: /^fc_norm\./,
};
