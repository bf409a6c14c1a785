/** Tags as a person types them: words or phrases between commas. */

/** As many and as long as the extension takes. */
const MOST_TAGS = 50;
const MOST_SIGNS = 100;

/** Each once, in the order typed. */
export function tagsFrom(text: string): string[] {
  const tags = text.split(/[,\n]/).map((tag) => tag.trim().slice(0, MOST_SIGNS).trim());
  return [...new Set(tags)].filter((tag) => tag !== '').slice(0, MOST_TAGS);
}

export const textOfTags = (tags: readonly string[]) => tags.join(', ');
