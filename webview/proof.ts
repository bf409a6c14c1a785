/** Under the header: that both runs had the same weights and batches, and on what they compute. */
import { computesOn, titleOf } from '../src/core/comparison.ts';
import { t } from '../src/core/l10n.ts';
import { element } from './dom.ts';
import { runsOf, type ShownPair } from './state.ts';

export function proofView(pair: ShownPair): HTMLElement[] {
  const [baseline, method] = [pair.baseline?.run.start, pair.method?.run.start];
  const same =
    baseline && method
      ? [
          proof(t('Same weights ✓'), t('Different weights ✗ – this is no fair comparison'), [
            baseline.initHash,
            method.initHash,
          ]),
          proof(t('Same batches ✓'), t('Different batches ✗ – this is no fair comparison'), [
            baseline.batchHash,
            method.batchHash,
          ]),
        ]
      : [];
  return [...same, ...computingTexts(pair).map((text) => element('li', {}, text))];
}

/** Backend, executor and precision, and why these: once where both runs have the same, else for each. */
export function computingTexts(pair: ShownPair): string[] {
  const runs = runsOf(pair)
    .map(({ run }) => run.start)
    .filter((start) => start !== undefined)
    .map((start) => ({
      title: titleOf(start.method),
      text: `${computesOn(start)}: ${start.backendReason} ${start.executorReason}`.trimEnd(),
    }));
  const texts = [...new Set(runs.map(({ text }) => text))];
  return texts.length < 2 ? texts : runs.map(({ title, text }) => t('{0} on {1}', title, text));
}

function proof(same: string, different: string, [baseline, method]: readonly [string, string]): HTMLElement {
  const equal = baseline === method;
  const title = equal ? t('Both runs: {0}', method) : t('Baseline: {0}\nMethod: {1}', baseline, method);
  return element('li', { class: equal ? 'same' : 'different', title }, equal ? same : different);
}
