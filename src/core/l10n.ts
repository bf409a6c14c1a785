/** Texts for people in their language: English stands in the code and is the key, a bundle holds another language. */

export type Bundle = Readonly<Record<string, string>>;

let bundle: Bundle = {};

/** Sets the language of this process or page: the bundle of `l10n/`, by English text. The command line sets none. */
export function setLanguage(texts: Bundle): void {
  bundle = texts;
}

/**
 * The text in the language that is set, with `{0}`, `{1}`, … filled in. The English text must stand in the call itself: a test finds
 * it there and looks for its translation.
 */
export function t(text: string, ...values: readonly (string | number)[]): string {
  return (bundle[text] ?? text).replaceAll(/\{(\d+)\}/g, (hole, index) => String(values[Number(index)] ?? hole));
}
