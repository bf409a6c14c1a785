/**
 * ResNet strikes back: a ResNet from scratch in 300 epochs, near recipe A2.
 * Wightman et al. 2021 (https://arxiv.org/abs/2110.00476), as in the MaskSub paper (https://arxiv.org/abs/2306.11339).
 */
import { randAugment, resizedCrop } from './augmentations.ts';
import type { Row } from './row.ts';
import { from } from './sources.ts';

const [readme, code, timm] = [from('readme'), from('code'), from('timm')];

function trained(size: '50' | '101' | '152', baseline: number, masksub: number): Row {
  return {
    model: {
      name: readme('resnet'),
      size: readme(size),
      imageSize: readme(224),
      maskPatch: code(32, '7 × 7 patches of the image'),
      dropPath: readme(0.05),
    },
    train: {
      epochs: readme(300),
      batchSize: readme(256, 'of one GPU: batch normalization sees so many'),
      accumulate: readme(8, 'the GPUs of the reference'),
      learningRate: readme(5e-3),
      weightDecay: readme(0.02),
      loss: readme('bce', 'targets stay soft after mixup'),
      smoothing: readme(0),
      optimizer: readme('lamb', 'timm’s, which bounds the gradient’s global norm by 1'),
      betas: timm([0.9, 0.999]),
      epsilon: timm(1e-6),
      schedule: readme('cosine'),
      schedulePer: code('epoch'),
      warmupEpochs: readme(5),
      warmupPrefix: timm(false),
      warmupLearningRate: readme(1e-4),
      minLearningRate: readme(1e-6),
      seed: code(42),
    },
    augment: {
      ...resizedCrop(timm),
      randAugment: randAugment(readme, 7, false),
      colorJitter: readme(0),
      mixup: readme(0.1),
      cutmix: readme(1),
      switchProb: timm(0.5),
      mixProb: timm(1),
      randomErasing: readme(0),
      repeated: readme(3),
      testCrop: readme(0.95),
    },
    published: { baseline: readme(baseline), masksub: readme(masksub) },
    notes: [
      'At a mask ratio of 0.5 the code shows 25 of the 49 patches, by accident; here it is 24, as in Swin. `"maskRounding": "up"` does it the code’s way.',
      'Running statistics of batch normalization: the reference keeps those of each GPU and averages them after an epoch; here every batch moves them in turn.',
    ],
  };
}

export const rsb = {
  'rsb-resnet-50': trained('50', 79.7, 80.0),
  'rsb-resnet-101': trained('101', 81.4, 82.1),
  'rsb-resnet-152': trained('152', 81.8, 82.8),
} as const satisfies Record<string, Row>;
