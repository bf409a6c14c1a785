/** The models by name. A new one is a file beside this one, a line here and its options in `core/catalog.ts`. */
import type { ModelConfigOf, ModelName } from '../../core/modelConfig.ts';
import { bertFromConfig } from './bert.ts';
import type { ImageShape, Model, TextShape } from './model.ts';
import { resnetFromConfig } from './resnet.ts';
import { swinFromConfig } from './swin.ts';
import { vitFromConfig } from './vit.ts';

type Table = {
  readonly [Name in ModelName]: (
    config: ModelConfigOf<Name>,
    input: Name extends 'bert' ? TextShape : ImageShape,
  ) => Model;
};

export const models: Table = {
  vit: vitFromConfig,
  resnet: resnetFromConfig,
  swin: swinFromConfig,
  bert: bertFromConfig,
};
