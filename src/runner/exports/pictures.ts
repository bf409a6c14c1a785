/** Figures as files: SVG as it is, PNG by way of sharp; a file for one chart, a folder for several. */
import path from 'node:path';
import { UserError } from '../../core/errors.ts';
import { loadSharp, type Sharp } from '../../data/decode.ts';
import { drawFigure } from '../../figure/drawing.ts';
import type { Figure, FigureLook, HeatFigure } from '../../figure/figure.ts';
import { fontFamily } from '../../figure/look.ts';
import { writeWhole } from '../../store/files.ts';
import { engineFolder } from '../paths.ts';
import { refuseExisting, writeNewFile, writeNewFolder } from './output.ts';

export interface PictureOptions extends FigureLook {
  readonly format: 'svg' | 'png';
  /** Pixels of a PNG for each of the 96 to an inch. */
  readonly scale: number;
  readonly to: string | undefined;
  /** What the runs are called. */
  readonly name: string;
}

export interface NamedFigure {
  readonly name: string;
  readonly figure: Figure | HeatFigure;
}

/** Writes one new file for one figure, else a new folder of files. Returns where. */
export async function writePictures(figures: readonly NamedFigure[], options: PictureOptions): Promise<string> {
  const { format, to, name } = options;
  const encode = format === 'png' ? await pngEncoder(options.scale) : (svg: string) => svg;
  const [first] = figures;
  const isFile = to?.toLowerCase().endsWith(`.${format}`) ?? figures.length === 1;
  if (figures.length === 1 && first && isFile) {
    const file = path.resolve(to ?? `${name}-${fileName(first.name)}.${format}`);
    refuseExisting(file); // before the work
    writeNewFile(file, await encode(drawFigure(first.figure, options)));
    return file;
  }
  if (isFile) {
    throw new UserError(`${to} is one file, and there are ${figures.length} charts.`, {
      hint: 'Choose one with --chart, or name a folder with --to.',
    });
  }
  const folder = path.resolve(to ?? `${name}-figures`);
  await writeNewFolder(folder, async (inside) => {
    for (const one of figures) {
      const file = path.join(inside, `${fileName(one.name)}.${format}`);
      writeWhole(file, await encode(drawFigure(one.figure, options)));
    }
  });
  return folder;
}

/** Throws a `UserError` where there is no font: the picture would come without any text. */
async function pngEncoder(scale: number): Promise<(svg: string) => Promise<Uint8Array>> {
  const sharp = loadSharp(engineFolder());
  await checkFont(sharp);
  return (svg) => {
    // Without a size on paper its pixels are those of the view box, which the renderer takes for 72 to an inch.
    const inPixels = Buffer.from(svg.replace(/ width="[\d.]+cm" height="[\d.]+cm"/, ''));
    return sharp(inPixels, { density: 72 * scale, unlimited: true })
      .flatten()
      .withMetadata({ density: 96 * scale })
      .png()
      .toBuffer();
  };
}

async function checkFont(sharp: Sharp): Promise<void> {
  const drawn = async (text: string) => {
    const markup = `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20"><text x="2" y="15" font-size="14" font-family="${fontFamily}">${text}</text></svg>`;
    return sharp(Buffer.from(markup)).ensureAlpha().raw().toBuffer();
  };
  // Without a font there is nothing, or the same empty box for each letter.
  const [narrow, wide] = [await drawn('iii'), await drawn('MMM')];
  if (!narrow.equals(wide)) return;
  throw new UserError('There is no font on this machine, so a PNG would come without its texts.', {
    hint: 'Install one (on Debian: fonts-dejavu-core and fontconfig), or use --svg.',
  });
}

/** A chart's name in that of a file. */
const fileName = (name: string) =>
  name
    .replaceAll(/[^\w.-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 120);
