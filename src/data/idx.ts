/** One's own images, as a folder of four IDX files. */
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import type { DatasetReader } from './dataset.ts';
import { readIdxFolder } from './idxFolder.ts';

export const idx: DatasetReader = {
  kind: 'pixels',
  async read(data, { configFolder }) {
    if (data.path === undefined) {
      throw new UserError('The data set "idx" needs "path".', { hint: 'Name the folder with the four IDX files.' });
    }
    return readIdxFolder(path.resolve(configFolder, data.path));
  },
};
