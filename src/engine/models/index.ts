/** The models by name. A new one is a file beside this one, a line here and its options in `core/catalog.ts`. */
import type { models as catalog } from '../../core/catalog.ts';
import type { Config } from '../../core/config.ts';
import type { InputShape, Model } from './model.ts';
import { vitFromConfig } from './vit.ts';

export const models = {
  vit: vitFromConfig,
} satisfies Record<keyof typeof catalog, (config: Config['model'], input: InputShape) => Model>;
