/** How wide a text will be, without the font: by the widths of DejaVu Sans, the widest of the fonts that a figure names. */

/** In an em of 1,000. */
const widths = {
  narrow: 330,
  normal: 610,
  wide: 720,
  widest: 960,
} as const;

export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const sign of text) width += widthOf(sign);
  return (width / 1000) * fontSize;
}

/** Lines of whole words no wider than `most`; a word that is wider itself is broken. */
export function wrap(text: string, most: number, fontSize: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/[ \n]+/).flatMap((whole) => pieces(whole, most, fontSize))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer, fontSize) > most) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === '' ? lines : [...lines, line];
}

/** As much of a text as fits, with an ellipsis where that is not all. */
export function shortened(text: string, most: number, fontSize: number): string {
  if (textWidth(text, fontSize) <= most) return text;
  let kept = '';
  for (const sign of text) {
    if (textWidth(`${kept}${sign}…`, fontSize) > most) break;
    kept += sign;
  }
  return `${kept.trimEnd()}…`;
}

function pieces(word: string, most: number, fontSize: number): string[] {
  if (textWidth(word, fontSize) <= most) return [word];
  const [parts, part] = [[] as string[], { text: '' }];
  for (const sign of word) {
    if (textWidth(part.text + sign, fontSize) > most && part.text !== '') {
      parts.push(part.text);
      part.text = '';
    }
    part.text += sign;
  }
  return [...parts, part.text];
}

function widthOf(sign: string): number {
  if (/[ijl.,:;'|!\s\u00a0()[\]ft]/.test(sign)) return widths.narrow;
  if (/[mMW%@]/.test(sign)) return widths.widest;
  if (/[A-Z&w=+−<>~±×]/.test(sign)) return widths.wide;
  return sign.length > 1 || sign > '\u2e80' ? 1000 : widths.normal;
}
