/** Texts of others within the page: as long as anybody reads, and without signs that would turn or hide what stands beside them. */

/** The text's beginning; what controls writing (directions, C0 and C1) shows as a replacement character. */
export function shortText(text: string, most = 120): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replaceAll(/[\t\r\n]+/g, ' ').replaceAll(controls, '\ufffd');
}

const controls = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** For tooltips: more of it, lines kept. */
export const tooltip = (text: string) =>
  text
    .split(/\r?\n/)
    .map((line) => shortText(line, 400))
    .slice(0, 12)
    .join('\n')
    .slice(0, 1200);
