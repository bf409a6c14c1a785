/** One run in full beside the table: what is wrong with it, a person's tags and notes, and what can be done with it. */
import { t } from '../../src/core/l10n.ts';
import type { FromDashboard } from '../../src/core/messages.ts';
import { stateTitle } from '../../src/core/run.ts';
import type { Annotation, RunRow } from '../../src/core/runRow.ts';
import { element } from '../dom.ts';
import { stateIcons } from '../states.ts';
import { EditField } from './editField.ts';
import { shortText } from './shortText.ts';
import { tagsFrom, textOfTags } from './tags.ts';

export interface DetailsActions {
  send(message: FromDashboard): void;
  annotate(id: string, change: Partial<Annotation>): void;
  close(): void;
}

export class RunDetails {
  readonly root: HTMLElement;
  readonly #title = element('h2', { id: 'rows-details-title', class: 'rows-details-title' });
  readonly #id = element('p', { class: 'rows-muted rows-break' });
  readonly #state = element('p', { class: 'rows-details-state' });
  readonly #problem = element('p', { class: 'rows-details-problem rows-break' });
  readonly #tags: HTMLInputElement;
  readonly #tagsField: EditField;
  readonly #notesField: EditField;
  #run: string | undefined;

  constructor({ send, annotate, close }: DetailsActions) {
    const withRun = (work: (run: string) => void) => () => {
      if (this.#run !== undefined) work(this.#run);
    };
    const button = (title: string, about: string, work: (run: string) => void) => {
      const made = element('button', { class: 'rows-button', title: about }, title);
      made.addEventListener('click', withRun(work));
      return made;
    };
    const closer = element('button', { class: 'rows-button rows-close', 'aria-label': t('Close the details') }, '✕');
    closer.addEventListener('click', close);
    this.#tags = element('input', {
      class: 'rows-input',
      id: 'rows-tags',
      type: 'text',
      'aria-describedby': 'rows-tags-help',
    });
    const notes = element('textarea', {
      class: 'rows-input',
      id: 'rows-notes',
      rows: 3,
      maxlength: 10_000,
      'aria-describedby': 'rows-notes-help',
    });
    this.#tagsField = new EditField(this.#tags, (text) => withRun((run) => annotate(run, { tags: tagsFrom(text) }))());
    this.#notesField = new EditField(notes, (text) => withRun((run) => annotate(run, { notes: text }))());
    this.root = element(
      'section',
      { class: 'rows-details', 'aria-labelledby': 'rows-details-title', hidden: true },
      element('div', { class: 'rows-details-head' }, this.#title, closer),
      this.#id,
      this.#state,
      this.#problem,
      element('label', { for: 'rows-tags' }, t('Tags')),
      this.#tags,
      element(
        'p',
        { id: 'rows-tags-help', class: 'rows-muted' },
        t('Between commas. Saved on Enter or when you leave.'),
      ),
      element('label', { for: 'rows-notes' }, t('Notes')),
      notes,
      element(
        'p',
        { id: 'rows-notes-help', class: 'rows-muted' },
        t('Saved on Enter or when you leave; Shift+Enter begins a line, Escape brings back what was there.'),
      ),
      element(
        'div',
        { class: 'rows-details-actions' },
        button(t('Summary'), t('Open the run’s summary in an editor.'), (run) => send({ type: 'openSummary', run })),
        button(t('Folder'), t('Show the run’s folder.'), (run) => send({ type: 'showRunFolder', run })),
        button(t('Reproduce'), t('The same run again, and by how much it differs.'), (run) =>
          send({ type: 'reproduce', run }),
        ),
        button(t('Fork'), t('Go on from a checkpoint with another config.'), (run) => send({ type: 'fork', run })),
      ),
    );
    this.root.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') close();
    });
  }

  /** Opens on the tags, which is what a person came to edit. */
  focus(): void {
    this.#tags.focus();
  }

  /** Nothing closes it. What was typed for the run before is saved first. */
  show(row: RunRow | undefined): void {
    if (row?.id !== this.#run) {
      this.#tagsField.commit();
      this.#notesField.commit();
    }
    this.#run = row?.id;
    this.root.hidden = row === undefined;
    if (!row) return;
    this.#title.replaceChildren(element('bdi', {}, shortText(row.name, 400)));
    this.#id.replaceChildren(element('bdi', {}, shortText(row.id, 400)));
    this.#state.textContent = `${stateIcons[row.state]} ${stateTitle(row.state)}`;
    this.#problem.hidden = row.problem === undefined;
    this.#problem.textContent = shortText(row.problem ?? '', 4000);
    this.#tagsField.set(textOfTags(row.tags));
    this.#notesField.set(row.notes);
  }
}
