/** A confusion matrix as a table: walked by arrow keys, its cells shaded by their share of the label. */
import { t } from '../../src/core/l10n.ts';
import type { Samples } from '../../src/core/samples.ts';
import { element } from '../dom.ts';
import { type Cell, FEW_CLASSES, type MatrixView } from './confusion.ts';
import { className, share } from './sampleFacts.ts';

/** Most colour of a cell: its text must stay readable. */
const MOST_SHADE = 36;

/** The table under its title, and a line that says the cell under pointer or focus. */
export function confusionTable(title: string, view: MatrixView, samples: Samples): HTMLElement {
  const { classes, rows } = view;
  const name = (label: number) => className(samples, label);
  const said = element('p', { class: 'hint', role: 'status' }, hintText());
  const cells: HTMLElement[][] = rows.map((row) => row.map((cell) => cellOf(cell, name)));
  const table = element(
    'table',
    { class: 'confusion', role: 'grid', 'aria-label': t('Confusion matrix of {0}', title) },
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('td', { class: 'corner' }, t('label \\ ranked first')),
        ...classes.map((label) =>
          element('th', { scope: 'col', title: name(label) }, element('span', {}, name(label))),
        ),
      ),
    ),
    element(
      'tbody',
      {},
      ...classes.map((label, i) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row', title: name(label) }, element('span', {}, name(label))),
          ...(cells[i] ?? []),
        ),
      ),
    ),
  );
  walk(table, cells);
  const tell = ({ target }: Event) => {
    const text = (target as HTMLElement).getAttribute?.('aria-label');
    said.textContent = (target as HTMLElement).tagName === 'TD' && text ? text : hintText();
  };
  table.addEventListener('focusin', tell);
  table.addEventListener('pointerover', tell);
  return element(
    'figure',
    { class: classes.length > FEW_CLASSES ? 'matrix large' : 'matrix' },
    element(
      'figcaption',
      {},
      element('h3', {}, title),
      element(
        'span',
        { class: 'unit' },
        t(
          '{0} of {1} right ({2})',
          view.right.toLocaleString('en'),
          view.samples.toLocaleString('en'),
          share(view.right / view.samples),
        ),
      ),
    ),
    element('div', { class: 'scroll' }, table),
    said,
  );
}

const hintText = () => t('Point at a cell, or walk with the arrow keys.');

function cellOf({ label, predicted, count, share: part }: Cell, name: (label: number) => string): HTMLElement {
  const isDiagonal = label === predicted;
  const about = isDiagonal
    ? t('{0}: {1} right ({2} of the label)', name(label), count, share(part))
    : t('{0} ranked as {1}: {2} ({3} of the label)', name(label), name(predicted), count, share(part));
  const kind = isDiagonal ? 'right' : count > 0 ? 'wrong' : 'zero';
  const cell = element(
    'td',
    { class: kind, tabindex: -1, 'aria-label': about, title: about },
    count > 0 ? String(count) : '·',
  );
  // The root of the share: also what is rare gets a shade.
  if (count > 0) cell.style.setProperty('--shade', `${Math.round(MOST_SHADE * Math.sqrt(part))}%`);
  return cell;
}

/** One cell is in the tab order; arrows, Home and End walk from it. */
function walk(table: HTMLElement, cells: readonly (readonly HTMLElement[])[]): void {
  let [row, column] = [0, 0];
  cells[0]?.[0]?.setAttribute('tabindex', '0');
  const go = (toRow: number, toColumn: number) => {
    const next = cells[toRow]?.[toColumn];
    if (!next) return;
    cells[row]?.[column]?.setAttribute('tabindex', '-1');
    next.setAttribute('tabindex', '0');
    [row, column] = [toRow, toColumn];
    next.focus();
  };
  table.addEventListener('keydown', (event) => {
    const to: Record<string, readonly [number, number]> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, cells.length - 1],
    };
    const place = to[event.key];
    if (!place || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(...place);
  });
  table.addEventListener('click', ({ target }) => {
    const at = cells.findIndex((line) => line.includes(target as HTMLElement));
    if (at >= 0) go(at, cells[at]?.indexOf(target as HTMLElement) ?? 0);
  });
}
