/** The methods by name. A new one is a file beside this one, a line here and its options in `core/catalog.ts`. */
import type { methods as catalog } from '../../core/catalog.ts';
import { baseline } from './baseline.ts';
import { masksub } from './masksub.ts';
import type { Method } from './method.ts';

export const methods = { baseline, masksub } satisfies Record<keyof typeof catalog, Method>;
