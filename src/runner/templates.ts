/** Whole configs to start from: written by hand for a first run and for one's own data, and made of the recipes for the paper's rows. */
import { recipes as recipeTitles } from '../core/catalog.ts';
import { nearestName, UserError } from '../core/errors.ts';
import type { TemplateEntry } from '../core/messages.ts';
import type { Fit } from '../core/scaling.ts';
import { families, type RecipeName } from '../engine/recipes/index.ts';
import { recipeTemplate } from './recipeTemplate.ts';

/** Those written by hand. Every key is one that a newcomer may want to change; the recipe gives the rest. */
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
  // Your own JPEG, PNG or WebP files in the folder "path": train/<class>/… and val/<class>/…, or only
  // <class>/…, of which a tenth is then kept for validation ("split").
  "name": "my-images",
  "data": { "dataset": "image-folder", "path": "data" },
  "model": { "name": "vit", "imageSize": 64, "patchSize": 8, "width": 192, "depth": 6, "heads": 3 },
  "method": { "name": "masksub", "maskRatio": 0.5 },
  "train": { "epochs": 100, "batchSize": 64, "learningRate": 1e-3, "warmupEpochs": 5 },
  "augment": { "crop": "resized", "minScale": 0.35, "flip": true },
  "compare": { "baseline": true, "seeds": [0] }
}
`,
  'my-texts': `{
  // Your own texts: a CSV, TSV, JSON Lines or Parquet file with the columns "text" and "label", of which a tenth is kept for
  // validation ("split"); or a folder with train and validation. "bert" is a folder with the vocab.txt or tokenizer.json and
  // the weights of a pretrained BERT, such as bert-base-uncased.
  "name": "my-texts",
  "data": { "dataset": "text", "path": "texts.csv", "tokenizer": "bert", "length": 128 },
  "model": { "name": "bert", "weights": "bert/model.safetensors" },
  "method": { "name": "masksub", "maskRatio": 0.5 },
  "train": { "epochs": 3, "batchSize": 32, "learningRate": 2e-5, "warmupEpochs": 0.3, "weightDecay": 0.01 },
  "compare": { "baseline": true, "seeds": [0] }
}
`,
  'my-idx-images': `{
  // Your own images as IDX files (the format of MNIST): train-images-idx3-ubyte, train-labels-idx1-ubyte,
  // t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte in the folder "path", gzipped or not.
  "name": "my-idx-images",
  "data": { "dataset": "idx", "path": "data" },
  "model": { "name": "vit", "patchSize": 4, "width": 192, "depth": 6, "heads": 3 },
  "method": { "name": "masksub", "maskRatio": 0.5 },
  "train": { "epochs": 100, "batchSize": 64, "learningRate": 1e-3, "warmupEpochs": 5 },
  "augment": { "crop": "pad", "padding": 2, "flip": true },
  "compare": { "baseline": true, "seeds": [0] }
}
`,
} as const;

export const defaultTemplate = 'fashion-vit';

/** Every template, group by group. */
export function templateList(): TemplateEntry[] {
  const byHand = Object.entries(writtenByHand).map(([name, entry]) => ({ name, ...entry }));
  const rows = Object.entries(families).flatMap(([group, family]) =>
    (Object.keys(family) as RecipeName[]).map((name) => ({ name, group, ...recipeTitles[name] })),
  );
  return [...byHand, ...rows];
}

/** The text of a template; one of the paper's rows is fitted to `fit` where that is given. Throws a `UserError` for an unknown name. */
export function templateText(name: string, fit?: Fit): string {
  const names = templateList().map((entry) => entry.name);
  if (!names.includes(name)) {
    const near = nearestName(name, names);
    throw new UserError(`Unknown template "${name}".`, {
      hint: near ? `Did you mean "${near}"?` : '`masksub new --list` names them all.',
    });
  }
  if (!Object.hasOwn(templates, name)) return recipeTemplate(name as RecipeName, fit);
  if (fit) {
    throw new UserError(`The template "${name}" is for a laptop already; --fit is for the paper's rows.`, {
      hint: 'Leave --fit out, or take a row such as deit3-vit-s-400 (`masksub new --list`).',
    });
  }
  return templates[name as keyof typeof templates];
}

const writtenByHand = {
  'fashion-vit': {
    group: 'Start here',
    title: 'First run',
    about: 'A small ViT on 1,000 Fashion-MNIST images that come with MaskSub: minutes on a laptop.',
  },
  'my-images': {
    group: 'Your data',
    title: 'My images',
    about: 'JPEG, PNG or WebP files in a folder for each class, seen at 64 pixels by a small ViT.',
  },
  'my-texts': {
    group: 'Your data',
    title: 'My texts',
    about: 'A table of texts and labels, learned by a pretrained BERT.',
  },
  'my-idx-images': {
    group: 'Your data',
    title: 'My IDX files',
    about: 'Images in the format of MNIST, seen at their own size by a small ViT.',
  },
} as const satisfies Record<keyof typeof templates, Omit<TemplateEntry, 'name'>>;
