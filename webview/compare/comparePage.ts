/** The page Compare: whether a method differs from its baseline for real, where along the way, and what each level costs. */
import { type ComparedAxis, type ComparedMetric, levelRows } from '../../src/core/comparing.ts';
import { titleOf } from '../../src/core/comparison.ts';
import { t } from '../../src/core/l10n.ts';
import type { FromDashboard } from '../../src/core/messages.ts';
import { judgeSet, type PairSet } from '../../src/core/pairSets.ts';
import { element, fill } from '../dom.ts';
import type { Page } from '../page.ts';
import { type DashboardState, pairsOf, runsOf } from '../state.ts';
import { watchTheme } from '../theme.ts';
import { DifferenceChart } from './differenceChart.ts';
import { SelectField } from './field.ts';
import { type DifferenceView, differenceView, groupKeys, groupRows, newsOf, setsOf, setTitles } from './model.ts';
import { realCard } from './realCard.ts';
import { differenceTable, groupsTable, levelsTable } from './tables.ts';

export interface ComparePageOptions {
  readonly send: (message: FromDashboard) => void;
}

export class ComparePage implements Page {
  readonly id = 'compare';
  readonly title = t('Compare');
  readonly root = element('div', { class: 'compare-page' });
  readonly #send: ComparePageOptions['send'];
  readonly #set = new SelectField(t('Comparison'), () => this.#draw());
  readonly #metric = new SelectField(t('Metric'), () => this.#drawDifference(), [
    { value: 'top1', label: t('Validation accuracy') },
    { value: 'maskedTop1', label: t('Masked accuracy') },
    { value: 'loss', label: t('Validation loss') },
    { value: 'trainLoss', label: t('Training loss') },
  ]);
  readonly #axis = new SelectField(t('At equal'), () => this.#drawDifference(), [
    { value: 'epoch', label: t('epochs') },
    { value: 'time', label: t('time') },
    { value: 'flops', label: t('compute') },
  ]);
  readonly #key = new SelectField(t('Group by'), () => this.#drawGroups());
  readonly #left = new SelectField(t('Config of'), () => {});
  readonly #right = new SelectField(t('against'), () => {});
  readonly #nothing = element('p', { class: 'nothing' });
  readonly #card = element('div', { class: 'real-body' });
  readonly #chart = new DifferenceChart();
  readonly #chartTitle = element('span', { class: 'chart-title' });
  readonly #chartNote = element('span', { class: 'note' });
  readonly #noPoints = element('p', { class: 'nothing' });
  readonly #twin = element('div', { class: 'scroll', tabindex: 0, role: 'region' });
  readonly #details = element('details', {}, element('summary', {}, t('The numbers as a table')), this.#twin);
  readonly #levels = element('div', {
    class: 'scroll',
    tabindex: 0,
    role: 'group',
    'aria-labelledby': 'levels-title',
  });
  readonly #groups = element('div', {
    class: 'scroll',
    tabindex: 0,
    role: 'group',
    'aria-labelledby': 'groups-title',
  });
  readonly #sections: Readonly<Record<'real' | 'difference' | 'levels' | 'groups' | 'configs', HTMLElement>>;
  #state: DashboardState | undefined;
  #news = '';
  #sets: readonly PairSet[] = [];

  constructor({ send }: ComparePageOptions) {
    this.#send = send;
    const diff = element('button', { type: 'button' }, t('Compare configs'));
    diff.addEventListener('click', () => this.#diff());
    this.#sections = {
      real: section('real', t('Is it real?'), [], this.#card),
      difference: element(
        'figure',
        { id: 'chart-difference' },
        element(
          'figcaption',
          {},
          element(
            'div',
            { class: 'first' },
            this.#chartTitle,
            element('div', { class: 'fields' }, this.#metric.root, this.#axis.root),
          ),
          this.#chartNote,
        ),
        this.#noPoints,
        this.#chart.plot,
        this.#chart.readout,
        this.#details,
      ),
      levels: section(
        'levels',
        t('What each accuracy costs'),
        [
          t(
            'The first validation with at least this accuracy; means over the pairs of which both runs reach it. Ratio: baseline over method, above 1 where the method needs less.',
          ),
        ],
        this.#levels,
      ),
      groups: section(
        'groups',
        t('Groups of runs'),
        [
          t(
            'Accuracy of the last validation of the runs that are shown, and its difference to that of each baseline: mean and sample standard deviation.',
          ),
        ],
        this.#key.root,
        this.#groups,
      ),
      configs: section('configs', t('Configs side by side'), [], this.#left.root, this.#right.root, diff),
    };
    this.root.append(this.#set.root, this.#nothing, ...Object.values(this.#sections));
    this.#details.addEventListener('toggle', () => this.#drawDifference());
    watchTheme(() => this.#chart.redraw());
  }

  update(state: DashboardState): void {
    this.#state = state;
    const news = newsOf(state);
    if (news === this.#news) return;
    this.#news = news;
    this.#sets = setsOf(state);
    const titles = setTitles(this.#sets);
    this.#set.setChoices(this.#sets.map(({ key }, i) => ({ value: key, label: titles[i] ?? key })));
    this.#set.root.hidden = this.#sets.length < 2;
    this.#draw();
  }

  get #shown(): PairSet | undefined {
    return this.#sets.find(({ key }) => key === this.#set.value) ?? this.#sets[0];
  }

  #draw(): void {
    const set = this.#shown;
    const { real, difference, levels } = this.#sections;
    for (const part of [real, difference, levels]) part.hidden = set === undefined;
    this.#nothing.hidden = set !== undefined;
    this.#nothing.textContent = t(
      'None of the runs that are shown has a baseline beside it. A config with "compare": { "baseline": true } trains both, from the same weights and on the same batches; with several seeds it also says whether the difference is real.',
    );
    if (set) {
      fill(this.#card, ...realCard(set, judgeSet(set), this.#sets.length));
      const rows = levelRows(set.pairs);
      levels.hidden = rows.length === 0;
      fill(this.#levels, ...(rows.length > 0 ? [levelsTable(rows, set.methodName)] : []));
      this.#drawDifference();
    }
    this.#drawGroups();
    this.#listConfigs();
  }

  #drawDifference(): void {
    const set = this.#shown;
    if (!set) return;
    const [metric, axis] = [this.#metric.value as ComparedMetric, this.#axis.value as ComparedAxis];
    const view = differenceView(set, metric, axis);
    const isEmpty = view.band.length === 0;
    const title = titleText(set, metric, view);
    this.#sections.difference.dataset.points = String(view.band.length);
    this.#chartTitle.textContent = title;
    this.#chartNote.textContent = isEmpty ? '' : noteText(metric, axis, view);
    this.#noPoints.hidden = !isEmpty;
    this.#noPoints.textContent = emptyText(set, metric);
    for (const part of [this.#chart.plot, this.#chart.readout, this.#details]) part.hidden = isEmpty;
    this.#chart.show(view, axis, t('{0}. The arrow keys walk along it.', title));
    this.#twin.setAttribute('aria-label', t('{0} as a table', title));
    fill(this.#twin, ...(this.#details.open && !isEmpty ? [differenceTable(view, axis, title)] : []));
  }

  #drawGroups(): void {
    const state = this.#state;
    if (!state) return;
    const keys = groupKeys(state);
    this.#key.setChoices(keys.map((key) => ({ value: key, label: key })));
    const says = keys.length > 0 && state.runs.size > 2; // of a single pair the page has said all
    this.#sections.groups.hidden = !says;
    const key = this.#key.value;
    fill(this.#groups, ...(says ? [groupsTable(groupRows(state, key), key)] : []));
  }

  #listConfigs(): void {
    const state = this.#state;
    if (!state) return;
    const shown = pairsOf(state).flatMap(runsOf);
    const choices = shown.map(({ handle }) => ({ value: handle.id, label: handle.id }));
    this.#left.setChoices(choices);
    this.#right.setChoices([...choices.slice(1), ...choices.slice(0, 1)]);
    this.#sections.configs.hidden = choices.length < 2;
  }

  #diff(): void {
    const [a, b] = [this.#left.value, this.#right.value];
    if (a !== '' && b !== '') this.#send({ type: 'diffConfigs', a, b });
  }
}

function section(id: string, title: string, notes: readonly string[], ...content: Node[]): HTMLElement {
  return element(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, title),
    ...notes.map((note) => element('p', { class: 'note' }, note)),
    ...content,
  );
}

function titleText({ methodName }: PairSet, metric: ComparedMetric, { seeds }: DifferenceView): string {
  const what = t('{0}: {1} − baseline', metricTitle(metric), titleOf(methodName));
  if (seeds.length === 0) return what;
  return seeds.length === 1 ? t('{0}, 1 seed', what) : t('{0}, {1} seeds', what, seeds.length);
}

function metricTitle(metric: ComparedMetric): string {
  switch (metric) {
    case 'top1':
      return t('Validation accuracy');
    case 'maskedTop1':
      return t('Masked accuracy');
    case 'loss':
      return t('Validation loss');
    case 'trainLoss':
      return t('Training loss');
  }
}

function noteText(metric: ComparedMetric, axis: ComparedAxis, { seeds, band, isAccuracy }: DifferenceView): string {
  const unit = isAccuracy ? t('points; above 0 the method is better') : t('below 0 the method is better');
  const drawn = seeds.length > 1 ? t('line: mean; band: ± 1 standard deviation; thin: each seed') : '';
  const fewer = band.some(({ count }) => count < seeds.length) ? t('dashed: mean of fewer seeds') : '';
  const equal =
    axis === 'epoch'
      ? ''
      : t('the baseline interpolated linearly, while both have data; schedules are then not at the same point');
  const train = metric === 'trainLoss' ? t('main branch, mean of each epoch') : '';
  return [unit, train, drawn, fewer, equal].filter((part) => part !== '').join(' · ');
}

function emptyText({ pairs }: PairSet, metric: ComparedMetric): string {
  if (metric === 'maskedTop1')
    return t(
      'No two runs of a pair have this metric: a baseline is validated on masked inputs only where its config says how to mask.',
    );
  return pairs.some(({ baseline, method }) => baseline.start && method.start)
    ? t('The difference shows here after the first validation of both runs.')
    : t('The runs are starting.');
}
