/** The optimizers by name. A new one is a file beside this one, a line here and its title in `core/catalog.ts`. */
import type { optimizers as catalog } from '../../core/catalog.ts';
import { adamw } from './adamw.ts';
import { lamb } from './lamb.ts';
import type { Hyperparameters, Optimizer } from './optimizer.ts';
import { sgd } from './sgd.ts';

export const optimizers = { adamw, lamb, sgd } satisfies Record<
  keyof typeof catalog,
  (hyperparameters: Hyperparameters) => Optimizer
>;
