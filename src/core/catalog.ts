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
  'deit3-vit-s-400': {
    title: 'DeiT-III ViT-S, 400 epochs',
    about: 'ViT-S/16, 400 epochs at 224 pixels: 80.4 → 81.1 with MaskSub.',
  },
  'deit3-vit-s-800': {
    title: 'DeiT-III ViT-S, 800 epochs',
    about: 'ViT-S/16, 800 epochs at 224 pixels: 81.4 → 81.7 with MaskSub.',
  },
  'deit3-vit-b-400': {
    title: 'DeiT-III ViT-B, 400 epochs',
    about: 'ViT-B/16, 400 epochs at 192 pixels: 83.5 → 84.1 with MaskSub.',
  },
  'deit3-vit-b-800': {
    title: 'DeiT-III ViT-B, 800 epochs',
    about: 'ViT-B/16, 800 epochs at 192 pixels: 83.8 → 84.2 with MaskSub.',
  },
  'deit3-vit-l-400': {
    title: 'DeiT-III ViT-L, 400 epochs',
    about: 'ViT-L/16, 400 epochs at 192 pixels: 84.5 → 85.2 with MaskSub.',
  },
  'deit3-vit-l-800': {
    title: 'DeiT-III ViT-L, 800 epochs',
    about: 'ViT-L/16, 800 epochs at 192 pixels: 84.9 → 85.3 with MaskSub.',
  },
  'deit3-vit-h-400': {
    title: 'DeiT-III ViT-H, 400 epochs',
    about: 'ViT-H/14, 400 epochs at 154 pixels: 85.1 → 85.7 with MaskSub.',
  },
  'deit3-vit-h-800': {
    title: 'DeiT-III ViT-H, 800 epochs',
    about: 'ViT-H/14, 800 epochs at 154 pixels: 85.2 → 85.7 with MaskSub.',
  },
  'deit3-vit-b-finetune': {
    title: 'DeiT-III ViT-B, fine-tuning',
    about: 'ViT-B/16, 20 epochs at 224 pixels after DeiT-III at a lower resolution.',
  },
  'deit3-vit-l-finetune': {
    title: 'DeiT-III ViT-L, fine-tuning',
    about: 'ViT-L/16, 20 epochs at 224 pixels after DeiT-III at a lower resolution.',
  },
  'deit3-vit-h-finetune': {
    title: 'DeiT-III ViT-H, fine-tuning',
    about: 'ViT-H/14, 20 epochs at 224 pixels after DeiT-III at a lower resolution.',
  },
  'mae-finetune-vit-b': {
    title: 'MAE ViT-B, fine-tuning',
    about: 'ViT-B/16 pretrained by MAE, 100 epochs: 83.6 → 83.9 with MaskSub.',
  },
  'mae-finetune-vit-l': {
    title: 'MAE ViT-L, fine-tuning',
    about: 'ViT-L/16 pretrained by MAE, 50 epochs: 85.9 → 86.1 with MaskSub.',
  },
  'mae-finetune-vit-h': {
    title: 'MAE ViT-H, fine-tuning',
    about: 'ViT-H/14 pretrained by MAE, 50 epochs: 86.9 → 87.2 with MaskSub.',
  },
  'beit2-finetune-vit-b': {
    title: 'BEiT v2 ViT-B, fine-tuning',
    about: 'ViT-B/16 pretrained by BEiT v2, 100 epochs: 85.5 → 85.6 with MaskSub.',
  },
  'beit2-finetune-vit-l': {
    title: 'BEiT v2 ViT-L, fine-tuning',
    about: 'ViT-L/16 pretrained by BEiT v2, 50 epochs; with MaskSub not published.',
  },
  'clip-finetune-vit-b': {
    title: 'CLIP ViT-B, fine-tuning',
    about: 'ViT-B/16 pretrained by CLIP, 50 epochs: 84.8 → 85.2 with MaskSub.',
  },
  'clip-finetune-vit-l': {
    title: 'CLIP ViT-L, fine-tuning',
    about: 'ViT-L/14 pretrained by CLIP, 30 epochs: 87.5 → 87.8 with MaskSub.',
  },
  'rsb-resnet-50': {
    title: 'ResNet-50, 300 epochs',
    about: 'ResNet-50 after “ResNet strikes back”, 300 epochs: 79.7 → 80.0 with MaskSub.',
  },
  'rsb-resnet-101': {
    title: 'ResNet-101, 300 epochs',
    about: 'ResNet-101 after “ResNet strikes back”, 300 epochs: 81.4 → 82.1 with MaskSub.',
  },
  'rsb-resnet-152': {
    title: 'ResNet-152, 300 epochs',
    about: 'ResNet-152 after “ResNet strikes back”, 300 epochs: 81.8 → 82.8 with MaskSub.',
  },
  'swin-t': {
    title: 'Swin-T, 300 epochs',
    about: 'Swin-T, 300 epochs: 81.3 → 81.4 with MaskSub.',
  },
  'swin-s': {
    title: 'Swin-S, 300 epochs',
    about: 'Swin-S, 300 epochs: 83.0 → 83.4 with MaskSub.',
  },
  'swin-b': {
    title: 'Swin-B, 300 epochs',
    about: 'Swin-B, 300 epochs: 83.5 → 83.9 with MaskSub.',
  },
  'bert-classify': {
    title: 'BERT, classification',
    about: 'BERT-base with a classifier on your texts; numbers with MaskSub are not published.',
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
      'The binary or the Python version, in the folder `path`: 10 classes, 50,000 + 10,000 images, 32×32, colour (Krizhevsky 2009).',
  },
  cifar100: {
    title: 'CIFAR-100',
    about:
      'The binary or the Python version, in the folder `path`: 100 classes in 20 groups (`labels`), 50,000 + 10,000 images, 32×32, colour (Krizhevsky 2009).',
  },
  'image-folder': {
    title: 'Image folder',
    about:
      'Your own JPEG, PNG or WebP files in the folder `path`: train/<class>/… and val/<class>/…, or <class>/… divided by `split`.',
  },
  webdataset: {
    title: 'WebDataset',
    about: 'Tar shards in the folder `path`, with an image and a .cls or .json file for each sample.',
  },
  'image-parquet': {
    title: 'Images in Parquet',
    about: 'Parquet files in the folder `path` with an image and a label in each row, as on the Hugging Face Hub.',
  },
  text: {
    title: 'Texts',
    about:
      'CSV, TSV, JSON Lines or Parquet with a text and a label in each row: a file divided by `split`, or a folder with train and validation.',
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
