/** The page Explain: what a run recorded of single samples, never anything drawn anew. */
import { t } from '../../src/core/l10n.ts';
import type { ArraysToDashboard, FromDashboard } from '../../src/core/messages.ts';
import { isOver } from '../../src/core/run.ts';
import { button, element } from '../dom.ts';
import type { Page } from '../page.ts';
import { type DashboardState, emptyState } from '../state.ts';
import { watchTheme } from '../theme.ts';
import { AttentionView } from './attentionView.ts';
import { type Choice, type Chosen, chosenOf, runTitle, stepped } from './choice.ts';

import { DifficultyView } from './difficultyView.ts';
import { EpochBar } from './epochBar.ts';
import { MaskViewer } from './maskViewer.ts';
import type { SampleRecord } from './record.ts';
import { type Answer, RecordCache } from './recordCache.ts';
import { ValidationView } from './validationView.ts';

type SamplesMessage = Extract<ArraysToDashboard, { type: 'samples' }>;

/** How long an epoch stays while they are played, in milliseconds. */
const PLAY_MS = 1000;

export class ExplainPage implements Page {
  readonly id = 'explain';
  readonly title = t('Explain');
  readonly root: HTMLElement;
  readonly #cache: RecordCache;
  readonly #bar: EpochBar;
  readonly #masks: MaskViewer;
  readonly #difficulty: DifficultyView;
  readonly #validation = new ValidationView();
  readonly #attention: AttentionView;
  readonly #parts = element('div', { class: 'parts', hidden: true });
  readonly #note = element('div', { class: 'explain-note', role: 'status' });
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #noteText = '';
  #state: DashboardState = emptyState;
  #choice: Choice = {};
  #selected = 0;
  /** The record that the sections show: it stays until the next has come. */
  #shown: { readonly record: SampleRecord; readonly run: string; readonly epoch: number } | undefined;
  #player: ReturnType<typeof setTimeout> | undefined;

  constructor({ send }: { readonly send: (message: FromDashboard) => void }) {
    this.#cache = new RecordCache((run, epoch) => send({ type: 'samples', run, epoch }));
    const stepEpoch = (by: number) => this.#step(by);
    const select = (index: number) => {
      this.#selected = index;
      this.#show();
    };
    this.#masks = new MaskViewer({ select, stepEpoch });
    this.#difficulty = new DifficultyView({ select, stepEpoch });
    this.#attention = new AttentionView({ select, stepEpoch });
    const sections = [this.#masks, this.#difficulty, this.#validation, this.#attention].map(({ root }) => root);
    this.#parts.append(...sections);
    this.#bar = new EpochBar(
      {
        setRun: (run) => this.#choose({ ...this.#choice, run }),
        setEpoch: (epoch) => this.#chooseEpoch(epoch),
        stepEpoch,
        play: () => this.#togglePlay(),
      },
      sections,
    );
    this.root = element('div', { class: 'explain-page' }, this.#bar.root, this.#note, this.#parts);
    watchTheme(() => this.#redraw());
    this.#calm.addEventListener('change', () => this.#show());
  }

  update(state: DashboardState): void {
    this.#state = state;
    this.#cache.keepOnly((run) => state.runs.has(run));
    this.#show();
  }

  /** What was recorded of an epoch, as this page asked for it. */
  samples(answer: SamplesMessage): void {
    this.#cache.take(answer);
    this.#show();
  }

  #choose(choice: Choice): void {
    this.#choice = choice;
    this.#show();
  }

  /** The newest is chosen by being the newest: it moves on with a living run. */
  #chooseEpoch(epoch: number): void {
    const { run, epochs } = chosenOf(this.#state, this.#choice);
    const isNewest = epoch === epochs.at(-1) && run !== undefined && !isOver(run.run);
    const { epoch: _, ...rest } = this.#choice;
    this.#choose(isNewest ? rest : { ...rest, epoch });
  }

  #step(by: number): void {
    const { epochs, epoch } = chosenOf(this.#state, this.#choice);
    const next = stepped(epochs, epoch, by);
    if (next !== undefined && next !== epoch) this.#chooseEpoch(next);
  }

  #togglePlay(): void {
    if (this.#player !== undefined) this.#stopPlaying();
    else {
      const { epochs, epoch } = chosenOf(this.#state, this.#choice);
      const [first] = epochs;
      if (epoch === epochs.at(-1) && first !== undefined) this.#choice = { ...this.#choice, epoch: first };
      this.#player = setTimeout(() => this.#playOn(), PLAY_MS);
    }
    this.#show();
  }

  /** The next epoch, once this one has been seen. */
  #playOn(): void {
    const chosen = chosenOf(this.#state, this.#choice);
    const { epochs, epoch, run } = chosen;
    const isSeen = this.#shown?.epoch === epoch && this.#shown?.run === run?.handle.id;
    if (isSeen && epoch === epochs.at(-1)) this.#stopPlaying();
    else this.#player = setTimeout(() => this.#playOn(), PLAY_MS);
    if (isSeen) this.#step(1);
    this.#show();
  }

  #stopPlaying(): void {
    clearTimeout(this.#player);
    this.#player = undefined;
  }

  #show(): void {
    const chosen = chosenOf(this.#state, this.#choice);
    const { run, epoch, other, hasOther } = chosen;
    if (this.#calm.matches) this.#stopPlaying();
    this.#bar.show(chosen, this.#player !== undefined, !this.#calm.matches);
    this.#bar.root.hidden = !run;
    const answer = run && epoch !== undefined ? this.#cache.get(run.handle.id, epoch) : undefined;
    this.#tell(chosen, answer);
    if (run && epoch !== undefined && answer?.state === 'read') {
      this.#shown = { record: answer.record, run: run.handle.id, epoch };
    }
    const shown = this.#shown;
    const isOfRun =
      shown !== undefined && shown.run === run?.handle.id && answer?.state !== 'failed' && answer !== undefined;
    this.#parts.hidden = !isOfRun;
    this.#parts.setAttribute('aria-busy', String(answer?.state === 'asked'));
    if (!run || !isOfRun) return;
    this.#selected = Math.min(this.#selected, Math.max(0, shown.record.samples.training.length - 1));
    const view = {
      run,
      title: runTitle(run, chosen.runs),
      record: shown.record,
      selected: this.#selected,
      others: this.#cache.of(run.handle.id).filter((record) => record !== shown.record),
      twin:
        other && hasOther && epoch !== undefined
          ? { title: runTitle(other, chosen.runs), answer: this.#cache.get(other.handle.id, epoch) }
          : undefined,
    };
    for (const section of [this.#masks, this.#difficulty, this.#validation, this.#attention]) section.show(view);
  }

  /** Why there is nothing to see, where there is not. */
  #tell({ run, epochs }: Chosen, answer: Answer | undefined): void {
    const text = !run
      ? t('No run is shown.')
      : epochs.length === 0
        ? nothingYet(isOver(run.run), run.run.start?.epochs)
        : answer?.state === 'failed'
          ? answer.problem
          : answer?.state === 'asked' && this.#shown?.run !== run.handle.id
            ? t('Reading what was recorded …')
            : '';
    if (text === this.#noteText) return;
    this.#noteText = text;
    this.#note.className = answer?.state === 'failed' ? 'explain-note problem' : 'explain-note';
    this.#note.replaceChildren(...(text === '' ? [] : [element('p', {}, text)]));
    if (answer?.state === 'failed')
      this.#note.append(button(t('Read again'), t('Read the record again'), () => this.#again()));
  }

  #again(): void {
    const { run, epoch } = chosenOf(this.#state, this.#choice);
    if (run && epoch !== undefined) this.#cache.forget(run.handle.id, epoch);
    this.#noteText = '';
    this.#show();
  }

  #redraw(): void {
    for (const section of [this.#masks, this.#difficulty, this.#validation, this.#attention]) section.redraw();
  }
}

function nothingYet(over: boolean, epochs: number | undefined): string {
  if (over)
    return t(
      'This run recorded no samples: run.samplesEvery was 0, or it is from an older version, or it ended before.',
    );
  const every = epochs === undefined ? undefined : Math.max(1, Math.round(epochs / 20));
  const usual =
    every === undefined
      ? ''
      : every === 1
        ? t('By default that is every epoch here.')
        : t('By default that is every {0} epochs here.', every);
  return `${t('No samples are recorded yet. A run records some in every run.samplesEvery epochs, and in the last one.')} ${usual}`.trim();
}
