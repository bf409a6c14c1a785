/** Every text that a person sees in the editor has its German twin, and no twin is left over. */
import { describe, expect, test } from 'vitest';
import { languages, openCalls, readTexts, saidTexts, textsIn } from '../scripts/l10n.mjs';
import { setLanguage, t } from '../src/core/l10n.ts';

const holes = (text: string) => [...new Set(text.match(/\{\d+\}/g))].sort();
const said = [...saidTexts().keys()];

test('texts are found in the calls that say them', () => {
  const source = `t('It\\'s {0}', 1); t(\n  "two" ); at('no'); this.t('no');\n  // t('no')\nt('a') + t(\`b\`)`;
  expect(textsIn(source)).toEqual(["It's {0}", 'two', 'a', 'b']);
  expect(said.length).toBeGreaterThan(200);
});

test('every text stands in its call, where it can be found', () => {
  expect(openCalls()).toEqual([]);
});

test('there is a second language', () => {
  expect(languages()).toContain('de');
});

for (const language of languages()) {
  describe(language, () => {
    const bundle = readTexts(`l10n/bundle.l10n.${language}.json`);
    const [english, own] = [readTexts('package.nls.json'), readTexts(`package.nls.${language}.json`)];

    test('lacks no text of the sources', () => {
      expect(said.filter((text) => !Object.hasOwn(bundle, text))).toEqual([]);
    });
    test('has no text that nobody says', () => {
      expect(Object.keys(bundle).filter((text) => !said.includes(text))).toEqual([]);
    });
    test('has the texts of package.json', () => {
      expect(Object.keys(own)).toEqual(Object.keys(english));
    });
    test('fills in the same values', () => {
      expect(Object.entries(bundle).filter(([text, twin]) => holes(text).join() !== holes(twin).join())).toEqual([]);
    });
    test('keeps the commands within texts', () => {
      const commands = (text: string) => text.match(/\(command:[\w.]+\)/g);
      for (const [key, text] of Object.entries(english)) expect(commands(own[key] ?? ''), key).toEqual(commands(text));
    });
  });
}

test('a text comes in the language that is set, else in English', () => {
  setLanguage({ 'epoch {0} of {1}': 'Epoche {0} von {1}' });
  expect(t('epoch {0} of {1}', 3, 10)).toBe('Epoche 3 von 10');
  expect(t('starting…')).toBe('starting…');
  setLanguage({});
  expect(t('epoch {0} of {1}', 3, 10)).toBe('epoch 3 of 10');
});
