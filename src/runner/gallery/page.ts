/** The gallery as a page of its own: pictures are in it, nothing is loaded. */
import { escaped } from '../../core/format.ts';
import type { Sharp } from '../../data/decode.ts';
import { pngDataUri } from '../../data/encode.ts';
import type { Group } from './examples.ts';

export async function galleryPage(sharp: Sharp, groups: readonly Group[]): Promise<string> {
  const sections = await Promise.all(
    groups.map(async ({ title, about, rows }) => {
      const lines = await Promise.all(
        rows.map(async (row) => {
          const images = await Promise.all(row.images.map((image) => pngDataUri(sharp, image)));
          const pictures = images.map((uri, i) => `<img src="${uri}" alt="${escaped(row.title)} ${i + 1}">`);
          return `<div class="row"><div><h3>${escaped(row.title)}</h3><code>${escaped(row.setting)}</code></div><div>${pictures.join('')}</div></div>`;
        }),
      );
      return `<section><h2>${escaped(title)}</h2><p>${escaped(about)}</p>${lines.join('\n')}</section>`;
    }),
  );
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>MaskSub: augmentations</title>
<style>${style}</style>
</head>
<body>
<h1>Augmentations</h1>
<p>Keys of the group <code>augment</code> of a config; each line shows the same image under several draws.</p>
${sections.join('\n')}
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; }
body { max-width: 1180px; margin: 0 auto; padding: 24px; font: 14px/1.45 system-ui, sans-serif; }
h1 { margin: 0; font-size: 20px; }
h2 { margin: 28px 0 2px; font-size: 16px; }
h3 { margin: 0; font-size: 14px; font-weight: 600; }
p { margin: 0 0 10px; opacity: 0.75; }
.row { display: grid; grid-template-columns: 212px 1fr; gap: 12px; align-items: center; padding: 4px 0; }
.row > div:last-child { display: grid; grid-template-columns: repeat(8, minmax(0, 112px)); gap: 4px; }
.row code { font-size: 12px; opacity: 0.75; overflow-wrap: anywhere; }
img { width: 100%; border-radius: 2px; }
`;
