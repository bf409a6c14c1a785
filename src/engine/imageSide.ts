/** The size of the images that a model sees: the config's, or that of the data. */
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import type { ImageData } from './trainingData.ts';

/** Side of the square, in pixels. Throws a `UserError` where neither the config nor the data tell it. */
export function imageSideOf({ imageSize }: Config['model'], { name, size }: Pick<ImageData, 'name' | 'size'>): number {
  if (imageSize !== undefined) return imageSize;
  if (size && size.height === size.width) return size.height;
  const found = size ? `images of ${size.width}×${size.height} pixels` : 'images of different sizes';
  throw new UserError(`"${name}" has ${found}, and a model sees squares of one size.`, {
    hint: 'Set model.imageSize to their side, such as 224: images are resized and cropped to it.',
  });
}

/** What a person should know where images are seen at another size than their own. */
export function resizingNotice(model: Config['model'], data: Pick<ImageData, 'name' | 'size'>): string | undefined {
  const side = imageSideOf(model, data);
  const { size } = data;
  if (!size || (size.height === side && size.width === side)) return undefined;
  return `"${data.name}" has images of ${size.width}×${size.height} pixels; the model sees them at ${side}×${side} (model.imageSize).`;
}
