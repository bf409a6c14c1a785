/** The methods by name. A new one is a file beside this one, a line here and its options in `core/catalog.ts`. */
import type { methods as catalog } from '../../core/catalog.ts';
import { baseline } from './baseline.ts';
import { cosub } from './cosub.ts';
import { directMask } from './directMask.ts';
import { dropsub } from './dropsub.ts';
import { masksub } from './masksub.ts';
import type { Method, MethodOptions } from './method.ts';
import { pathsub } from './pathsub.ts';

export const methods = {
  baseline,
  masksub,
  dropsub,
  pathsub,
  cosub,
  'direct-mask': directMask,
} satisfies Record<keyof typeof catalog, (options: MethodOptions) => Method>;
