/**
 * MAE after pre-training, with or without its decoder (https://github.com/facebookresearch/mae, models_mae.py); after fine-tuning its
 * names are timm's. Where the mean over patches is pooled, fine-tuning starts with a new norm (main_finetune.py).
 */
import { drop, type Layout, type Shapes, sideOf } from './layout.ts';
import { encoder, isVit } from './vit.ts';

export const mae: Layout = {
  title: 'MAE, pre-trained (facebookresearch/mae)',
  model: 'vit',
  describes: (shapes) => isVit(shapes) && isPretrained(shapes),
  rules: [
    ...encoder,
    { from: /^(norm\.(?:weight|bias))$/, to: '$1', unlessUsed: 'the norm of pre-training' },
    drop(/^decoder_(?:embed|pos_embed|blocks|norm|pred)(?:\.|$)/, 'the decoder'),
    drop(/^mask_token$/, 'the mask token'),
  ],
  mayLack: /^fc_norm\./,
};

/** The decoder tells it, or an encoder with positions for the class token, too, and nothing behind the norm. */
function isPretrained(shapes: Shapes): boolean {
  if (shapes.has('decoder_embed.weight')) return true;
  const rows = shapes.get('pos_embed')?.[1];
  const bare = ['head.weight', 'fc_norm.weight', 'norm_pre.weight', 'blocks.0.ls1.gamma', 'blocks.0.gamma_1'];
  return shapes.has('norm.weight') && !bare.some((n) => shapes.has(n)) && !!rows && sideOf(rows, 1) !== undefined;
}
