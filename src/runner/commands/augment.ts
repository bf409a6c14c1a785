/** `masksub augment --gallery`: a page that shows what every augmentation does, at several strengths. */
import path from 'node:path';
import { loadSharp } from '../../data/decode.ts';
import { writeWhole } from '../../store/files.ts';
import { galleryOf } from '../gallery/examples.ts';
import { galleryPage } from '../gallery/page.ts';
import { drawScene } from '../gallery/scene.ts';
import { engineFolder } from '../paths.ts';

export async function augment(options: { to: string }): Promise<void> {
  const sharp = loadSharp(engineFolder());
  const groups = galleryOf(await drawScene(sharp));
  const file = path.resolve(options.to);
  writeWhole(file, await galleryPage(sharp, groups));
  const rows = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  process.stdout.write(`Wrote ${file}: ${rows} augmentations. Open it in a browser.\n`);
}
