/** ResNet as torchvision publishes it (https://github.com/pytorch/vision, models/resnet.py) and timm names it: our names. */
import { dropBuffer, type Layout, rename } from './layout.ts';

export const resnet: Layout = {
  title: 'ResNet (torchvision, timm)',
  model: 'resnet',
  describes: (shapes) => shapes.has('conv1.weight') && shapes.has('layer1.0.conv1.weight'),
  rules: [
    rename(/^((?:layer\d+\.\d+\.)?(?:conv\d|downsample\.0)\.weight)$/, '$1'),
    rename(/^((?:layer\d+\.\d+\.)?(?:bn\d|downsample\.1)\.(?:weight|bias|running_mean|running_var))$/, '$1'),
    rename(/^(fc\.(?:weight|bias))$/, '$1'),
    dropBuffer(/\.num_batches_tracked$/, 'counts of steps'),
  ],
};
