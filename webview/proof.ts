/** Under the header: that both runs had the same weights and batches, and on what they compute. */
import { computesOn, titleOf } from '../src/core/comparison.ts';
import { element } from './dom.ts';
import { runsOf, type ShownPair } from './state.ts';

export function proofView(pair: ShownPair): HTMLElement[] {
  const [baseline, method] = [pair.baseline?.run.start, pair.method?.run.start];
  const same =
    baseline && method
      ? [proof('weights', baseline.initHash, method.initHash), proof('batches', baseline.batchHash, method.batchHash)]
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
  return texts.length < 2 ? texts : runs.map(({ title, text }) => `${title} on ${text}`);
}

function proof(what: string, baseline: string, method: string): HTMLElement {
  const equal = baseline === method;
  const title = equal ? `Both runs: ${method}` : `Baseline: ${baseline}\nMethod: ${method}`;
  const text = equal ? `Same ${what} ✓` : `Different ${what} ✗ – this is no fair comparison`;
  return element('li', { class: equal ? 'same' : 'different', title }, text);
}
