/** The recipes by name. A new one is a row in the file of its family, a line here where that is new, and its title in `core/catalog.ts`. */
import type { recipes as catalog } from '../../core/catalog.ts';
import type { Recipe } from '../../core/config.ts';
import { beit2Finetune } from './beit2Finetune.ts';
import { bertClassify } from './bertClassify.ts';
import { clipFinetune } from './clipFinetune.ts';
import { deit3 } from './deit3.ts';
import { demo } from './demo.ts';
import { maeFinetune } from './maeFinetune.ts';
import { plainRecipes, type Row } from './row.ts';
import { rsb } from './rsb.ts';
import { swin } from './swin.ts';

export type RecipeName = keyof typeof catalog;

/** The families, in the order of pick lists. */
export const families = {
  'DeiT-III': deit3,
  'Fine-tuning': { ...maeFinetune, ...beit2Finetune, ...clipFinetune },
  ResNet: rsb,
  Swin: swin,
  BERT: bertClassify,
} as const satisfies Record<string, Readonly<Record<string, Row>>>;

/** With the source of every number. */
export const recipeRows = {
  demo,
  ...families['DeiT-III'],
  ...families['Fine-tuning'],
  ...families.ResNet,
  ...families.Swin,
  ...families.BERT,
} satisfies Record<RecipeName, Row>;

export const recipes = plainRecipes(recipeRows) satisfies Record<RecipeName, Recipe>;
