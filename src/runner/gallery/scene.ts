/** The picture of the gallery: colours, edges, fine lines and smooth shades, so that every augmentation shows. */
import type { Pixels } from '../../augment/pixels.ts';
import type { Sharp } from '../../data/decode.ts';

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="360" height="270" viewBox="0 0 360 270">
<defs>
<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#2f6fb7"/><stop offset="1" stop-color="#cfe6f5"/></linearGradient>
<radialGradient id="ball" cx="0.35" cy="0.3" r="0.8"><stop offset="0" stop-color="#ffd6c9"/><stop offset="0.35" stop-color="#d7432b"/><stop offset="1" stop-color="#5c120a"/></radialGradient>
</defs>
<rect width="360" height="270" fill="url(#sky)"/>
<circle cx="296" cy="52" r="26" fill="#fff3c4"/>
<path d="M0 150 L70 84 L128 146 L190 66 L268 150 L320 108 L360 140 V270 H0 Z" fill="#5b6b63"/>
<path d="M190 66 L212 90 L200 88 L190 98 L178 86 L168 92 Z" fill="#f4f7f8"/>
<path d="M0 176 Q90 150 180 176 T360 170 V270 H0 Z" fill="#4f8a3c"/>
<path d="M0 216 Q110 190 220 214 T360 206 V270 H0 Z" fill="#2f6a2b"/>
<g><rect x="42" y="140" width="78" height="58" fill="#e8dcc4"/><path d="M34 142 L81 102 L128 142 Z" fill="#8c3b2a"/><rect x="74" y="164" width="18" height="34" fill="#5a4030"/><rect x="52" y="152" width="16" height="14" fill="#27425a"/><rect x="98" y="152" width="14" height="14" fill="#27425a"/></g>
<g stroke="#3a2a1c" stroke-width="1.5">${Array.from({ length: 17 }, (_, i) => `<path d="M${136 + i * 7} 186 V206"/>`).join('')}<path d="M133 192 H252"/></g>
<g><rect x="284" y="150" width="9" height="52" fill="#4c3524"/><circle cx="288" cy="132" r="30" fill="#2c7a34"/><circle cx="276" cy="142" r="18" fill="#3c9144"/></g>
<circle cx="196" cy="226" r="28" fill="url(#ball)"/>
</svg>`;

export async function drawScene(sharp: Sharp): Promise<Pixels> {
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { values: data, height: info.height, width: info.width, channels: info.channels };
}
