/** 1,000 training images and the 10,000 test images of Fashion-MNIST, which come with the extension (see their PROVENANCE.md). */
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import type { DatasetReader } from './dataset.ts';
import { fashionClassNames, fashionStatistics } from './fashionMnist.ts';
import { readIdxFolder } from './idxFolder.ts';

export const fashionMnistMini: DatasetReader = {
  kind: 'pixels',
  // Those of the full set, so that an image means the same to a model in both.
  statistics: fashionStatistics,
  async read(data, { mediaFolder }) {
    if (data.path !== undefined) {
      throw new UserError('"fashion-mnist-mini" comes with the extension: "path" does not apply.', {
        hint: 'Remove "path", or choose the data set "fashion-mnist" or "idx".',
      });
    }
    return readIdxFolder(path.join(mediaFolder, 'fashion-mnist-mini'), fashionClassNames);
  },
};
