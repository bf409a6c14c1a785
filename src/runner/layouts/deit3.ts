/** DeiT-III as its authors publish it (https://github.com/facebookresearch/deit, models_v2.py): no position for the class token. */
import { type Layout, rename } from './layout.ts';
import { encoder, ending, isVit } from './vit.ts';

export const deit3: Layout = {
  title: 'DeiT-III (facebookresearch/deit)',
  model: 'vit',
  describes: (shapes) => isVit(shapes) && shapes.has('blocks.0.gamma_1') && !shapes.has('blocks.0.attn.q_bias'),
  rules: [...encoder, ...ending, rename(/^(blocks\.\d+)\.gamma_([12])$/, '$1.ls$2.gamma')],
};
