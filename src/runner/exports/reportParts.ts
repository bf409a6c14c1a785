/** Pieces of the report: sections, tables, lists, and texts that cannot become markup or go on without end. */
import { escaped } from '../../core/format.ts';
import type { Table } from './facts.ts';

export const section = (title: string, content: string) =>
  `<section><h2>${escaped(title)}</h2>\n${content}\n</section>`;

const mostSigns = 300;
/** Not without end. */
export const cut = (text: string) => (text.length > mostSigns ? `${text.slice(0, mostSigns)}…` : text);

export function tableMarkup({ headings, rows }: Table): string {
  const head = headings.map((heading) => `<th scope="col">${escaped(cut(heading))}</th>`).join('');
  const body = rows.map(
    ([first = '', ...cells]) =>
      `<tr><th scope="row">${escaped(cut(first))}</th>${cells.map((cell) => `<td>${escaped(cut(cell))}</td>`).join('')}</tr>`,
  );
  return `<div class="wide" tabindex="0" role="region" aria-label="Table"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

export const listMarkup = (sentences: readonly string[]) =>
  sentences.length === 0
    ? ''
    : `<ul>${sentences.map((sentence) => `<li>${escaped(cut(sentence))}</li>`).join('\n')}</ul>`;
