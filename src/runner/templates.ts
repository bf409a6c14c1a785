/** Whole configs to start from. Every key is one that a newcomer may want to change; the recipe gives the rest. */
export const templates = {
  'fashion-vit': `{
  // A small Vision Transformer on 1,000 Fashion-MNIST images, with MaskSub and its baseline side by side.
  "name": "fashion-vit",
  "data": { "dataset": "fashion-mnist-mini" },
  "model": { "name": "vit" },
  "method": { "name": "masksub", "maskRatio": 0.5 },
  "recipe": "demo",
  "train": { "epochs": 150 },
  "compare": { "baseline": true, "seeds": [0] }
}
`,
  'my-images': `{
  // Your own images as IDX files (the format of MNIST): train-images-idx3-ubyte, train-labels-idx1-ubyte,
  // t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte in the folder "path", gzipped or not.
  "name": "my-images",
  "data": { "dataset": "idx", "path": "data" },
  "model": { "name": "vit", "patchSize": 4, "width": 192, "depth": 6, "heads": 3 },
  "method": { "name": "masksub", "maskRatio": 0.5 },
  "train": { "epochs": 100, "batchSize": 64, "learningRate": 1e-3, "warmupEpochs": 5 },
  "augment": { "crop": "pad", "padding": 2, "flip": true },
  "compare": { "baseline": true, "seeds": [0] }
}
`,
} as const;

export type TemplateName = keyof typeof templates;
export const defaultTemplate: TemplateName = 'fashion-vit';
