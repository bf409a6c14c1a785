/** Pixels as PNG files. */
import type { Pixels } from '../augment/pixels.ts';
import type { Sharp } from './decode.ts';

export async function encodePng(sharp: Sharp, { values, height, width, channels }: Pixels): Promise<Uint8Array> {
  if (channels < 1 || channels > 4) throw new Error(`A picture has 1 to 4 channels, not ${channels}.`);
  return sharp(values, { raw: { width, height, channels: channels as 1 | 2 | 3 | 4 } })
    .png()
    .toBuffer();
}

/** For a page: the picture itself in place of its address. */
export async function pngDataUri(sharp: Sharp, pixels: Pixels): Promise<string> {
  return `data:image/png;base64,${Buffer.from(await encodePng(sharp, pixels)).toString('base64')}`;
}
