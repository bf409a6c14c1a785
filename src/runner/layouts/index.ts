/** The layouts that weights are published in; a new one is a file beside this one and a line here. */
import { beit, beitOfTransformers } from './beit.ts';
import { bert } from './bert.ts';
import { clip, clipOfTransformers } from './clip.ts';
import { deit3 } from './deit3.ts';
import type { Layout, Shapes } from './layout.ts';
import { mae } from './mae.ts';
import { resnet } from './resnet.ts';
import { swin, timmSwin } from './swin.ts';
import { timmVit } from './vit.ts';

/** The first that describes a file is its layout: the general ones come last. */
export const layouts: readonly Layout[] = [
  beit,
  beitOfTransformers,
  clip,
  clipOfTransformers,
  deit3,
  mae,
  timmVit,
  swin,
  timmSwin,
  resnet,
  bert,
];

export const layoutOf = (shapes: Shapes): Layout | undefined => layouts.find(({ describes }) => describes(shapes));
