/** The recipes by name. A new one is a file beside this one, a line here and its title in `core/catalog.ts`. */
import type { recipes as catalog } from '../../core/catalog.ts';
import type { Recipe } from '../../core/config.ts';
import { demo } from './demo.ts';

export const recipes = { demo } satisfies Record<keyof typeof catalog, Recipe>;
