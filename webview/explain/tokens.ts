/** A text as its tokens: a chip each, those that the branch did not see struck out, or shaded by attention. */
import { t } from '../../src/core/l10n.ts';
import { element } from '../dom.ts';
import { spokenOnly } from './controls.ts';

/** Most colour of a chip, in percent: its text must stay readable. */
const MOST_SHADE = 38;

export interface TokenLook {
  readonly hidden?: readonly boolean[] | undefined;
  /** Hidden tokens are not even readable. */
  readonly isCovered?: boolean;
  readonly attention?: ArrayLike<number> | undefined;
}

export function tokenChips(tokens: readonly string[], most: number, look: TokenLook = {}): HTMLElement {
  const { hidden, isCovered = false, attention } = look;
  const highest = attention ? Math.max(...Array.from(attention)) : 0;
  const chips = tokens.slice(0, most).map((token, i) => {
    const isHidden = hidden?.[i] ?? false;
    const weight = attention && highest > 0 ? (attention[i] ?? 0) / highest : 0;
    const chip = element('span', { class: isHidden ? (isCovered ? 'token covered' : 'token struck') : 'token' }, token);
    if (attention) {
      chip.style.setProperty('--weight', `${Math.round(MOST_SHADE * weight)}%`);
      chip.title = (attention[i] ?? 0).toFixed(4);
    }
    if (isHidden) chip.append(spokenOnly(` ${t('(hidden)')}`));
    return chip;
  });
  const rest = tokens.length - chips.length;
  const more = rest > 0 ? [element('span', { class: 'more' }, t('and {0} more', rest))] : [];
  return element('span', { class: attention ? 'tokens weighted' : 'tokens' }, ...chips, ...more);
}
