/**
 * The catalog: what can be named in a config, with a title and a sentence for completion, hover and pick lists.
 * `test/tidy.test.ts` holds it equal to the tables that implement it.
 */

export interface Entry {
  readonly title: string;
  /** One sentence, for hover and pick lists. */
  readonly about: string;
}

export const models = {
  vit: {
    title: 'Vision Transformer',
    about: 'ViT (Dosovitskiy et al. 2021) in the DeiT-III, MAE, BEiT or CLIP form, with timm parameter names.',
  },
  resnet: {
    title: 'ResNet',
    about: 'Bottleneck ResNet (He et al. 2016) as in timm; the masked branch sees an image with patches zeroed.',
  },
  swin: {
    title: 'Swin Transformer',
    about:
      'Shifted windows (Liu et al. 2021) as in timm; in the masked branch a learned token stands for hidden patches.',
  },
  bert: {
    title: 'BERT',
    about: 'Sequence classification (Devlin et al. 2019) as in transformers; needs a data set of texts.',
  },
} as const satisfies Record<string, Entry>;

export const methods = {
  baseline: { title: 'Baseline', about: 'Plain supervised training: one branch, one loss.' },
  masksub: {
    title: 'MaskSub',
    about:
      'A second branch sees the input with a share of its patches removed and learns from the first (Heo et al., CVPR 2025).',
  },
  dropsub: {
    title: 'DropSub',
    about: 'The second branch has dropout in place of the mask (Heo et al., CVPR 2025).',
  },
  pathsub: {
    title: 'PathSub',
    about: 'The second branch has another drop-path rate in place of the mask (Heo et al., CVPR 2025).',
  },
  cosub: {
    title: 'CoSub',
    about:
      'Two branches with drop-path draws of their own learn from the labels and from each other (Touvron et al. 2023).',
  },
  'direct-mask': {
    title: 'Direct masking',
    about: 'The masked input with the label, alone or beside the whole input: the failure that motivates MaskSub.',
  },
} as const satisfies Record<string, Entry>;

export const recipes = {
  demo: {
    title: 'Demo',
    about: 'A small ViT on 1,000 Fashion-MNIST images, where the gain of MaskSub shows in minutes on a laptop.',
  },
} as const satisfies Record<string, Entry>;

export const datasets = {
  'fashion-mnist-mini': {
    title: 'Fashion-MNIST, 1,000 images',
    about:
      'Comes with the extension: 100 training images a class and the 10,000 test images, 28×28, grey (Xiao et al. 2017).',
  },
  'fashion-mnist': {
    title: 'Fashion-MNIST',
    about: 'All 60,000 training images, where they are installed (or `path` says where they lie).',
  },
  idx: {
    title: 'IDX files',
    about:
      'Your own images: a folder (`path`) with train-images, train-labels, t10k-images and t10k-labels in the IDX format of MNIST.',
  },
  cifar10: {
    title: 'CIFAR-10',
    about:
      'The binary version, in the folder `path`: 10 classes, 50,000 + 10,000 images, 32×32, colour (Krizhevsky 2009).',
  },
  cifar100: {
    title: 'CIFAR-100',
    about:
      'The binary version, in the folder `path`: 100 classes in 20 groups (`labels`), 50,000 + 10,000 images, 32×32, colour (Krizhevsky 2009).',
  },
} as const satisfies Record<string, Entry>;

export const optimizers = {
  adamw: { title: 'AdamW', about: 'Adam with decoupled weight decay (Loshchilov & Hutter 2019).' },
  lamb: { title: 'LAMB', about: 'Layer-wise adaptive moments for large batches (You et al. 2020), as in timm.' },
  sgd: { title: 'SGD', about: 'Stochastic gradient descent with momentum and coupled weight decay.' },
} as const satisfies Record<string, Entry>;

export const backends = {
  auto: { title: 'Automatic', about: 'The native engine where it is installed, else WebAssembly.' },
  tensorflow: { title: 'TensorFlow', about: 'libtensorflow, on the processor or the GPU.' },
  wasm: { title: 'WebAssembly', about: 'Runs everywhere; about ten times slower than TensorFlow.' },
  webgpu: {
    title: 'WebGPU',
    about: 'Any GPU, by Vulkan, Metal or Direct3D 12; from a checkout only, as its binaries are not packaged.',
  },
  cpu: { title: 'JavaScript', about: 'Plain JavaScript, for tests: very slow.' },
} as const satisfies Record<string, Entry>;

export const executors = {
  auto: { title: 'Automatic', about: 'The fastest executor that the backend has.' },
  eager: { title: 'Eager', about: 'Op by op; the reference.' },
  recorded: {
    title: 'Recorded',
    about: 'The whole step as one TensorFlow graph: faster and leaner; needs the backend TensorFlow.',
  },
} as const satisfies Record<string, Entry>;

export const precisions = {
  float32: { title: 'float32', about: 'Every number has 32 bits.' },
  bfloat16: {
    title: 'bfloat16',
    about:
      'Products in bfloat16; weights, statistics, norms, losses and optimizer in float32. Needs the recorded executor and a processor that has it in hardware.',
  },
} as const satisfies Record<string, Entry>;

/** The names of a table, typed, for schemas. */
export function namesOf<T extends Record<string, Entry>>(table: T): [keyof T & string, ...(keyof T & string)[]] {
  return Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];
}
