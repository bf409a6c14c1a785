/** Fashion-MNIST, all 60,000 training images. Xiao, Rasul and Vollgraf 2017, https://arxiv.org/abs/1708.07747 */
import { access } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../core/errors.ts';
import type { DatasetReader } from './dataset.ts';
import { readIdxFolder } from './idxFolder.ts';

/** In the order of the labels, as the data set's own page names them. */
export const fashionClassNames = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

/** Of the 60,000 training images, rounded to four digits. */
export const fashionStatistics = { mean: [0.286], std: [0.353] } as const;

/** Where Debian's package `dataset-fashion-mnist` puts it. */
const installedFolder = '/usr/share/datasets/fashion-mnist';

export const fashionMnist: DatasetReader = {
  kind: 'pixels',
  statistics: fashionStatistics,
  async read(data, { configFolder }) {
    const folder = data.path === undefined ? installedFolder : path.resolve(configFolder, data.path);
    await access(folder).catch((cause: unknown) => {
      throw new UserError(`Fashion-MNIST is not in ${folder}.`, {
        hint: 'On Debian and Ubuntu install the package dataset-fashion-mnist; elsewhere download the four .gz files of zalandoresearch/fashion-mnist and name their folder as "path". The data set "fashion-mnist-mini" is always there.',
        cause,
      });
    });
    return readIdxFolder(folder, fashionClassNames);
  },
};
