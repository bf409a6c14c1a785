/** The samples of a data report as one picture: a row for each class, in the order of the classes. */
import type { DataReport } from '../core/dataReport.ts';
import type { Sharp } from '../data/decode.ts';
import { PICTURE } from './dataReport.ts';

const GAP = 4;

/** A PNG. */
export async function contactSheet(sharp: Sharp, { samples }: DataReport): Promise<Uint8Array> {
  const rows = [...new Set(samples.map(({ label }) => label))];
  const inRow = new Map<number, number>();
  const placed = samples.flatMap(({ label, image }) => {
    if (image === undefined) return [];
    const column = inRow.get(label) ?? 0;
    inRow.set(label, column + 1);
    const input = Buffer.from(image.slice(image.indexOf(',') + 1), 'base64');
    return [{ input, left: GAP + column * (PICTURE + GAP), top: GAP + rows.indexOf(label) * (PICTURE + GAP) }];
  });
  const columns = Math.max(1, ...inRow.values());
  return sharp({
    create: {
      width: GAP + columns * (PICTURE + GAP),
      height: GAP + rows.length * (PICTURE + GAP),
      channels: 3,
      background: '#808080',
    },
  })
    .composite(placed)
    .png()
    .toBuffer();
}
