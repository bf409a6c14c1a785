/** The templates as a pick list: what the runner lists, group by group. */
import type { TemplateEntry } from '../core/messages.ts';

export interface TemplateItem {
  readonly label: string;
  /** −1: the line that opens a group, as in `vscode.QuickPickItemKind.Separator`. */
  readonly kind?: -1;
  readonly description?: string;
  readonly detail?: string;
  /** Absent on the line of a group. */
  readonly template?: string;
}

/** Reads what the runner listed; an `Error` where it is no list of templates. */
export function readTemplates(json: string): TemplateEntry[] {
  const value: unknown = JSON.parse(json);
  if (!Array.isArray(value) || !value.every(isEntry)) throw new Error(`This is no list of templates: ${json}`);
  return value;
}

/** Each group after a line with its name, in the order in which the groups come. */
export function templateItems(entries: readonly TemplateEntry[]): TemplateItem[] {
  const groups = [...new Set(entries.map(({ group }) => group))];
  return groups.flatMap((group) => [
    { label: group, kind: -1 as const },
    ...entries
      .filter((entry) => entry.group === group)
      .map(({ name, title, about }) => ({ label: title, description: name, detail: about, template: name })),
  ]);
}

function isEntry(value: unknown): value is TemplateEntry {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  return ['name', 'group', 'title', 'about'].every((key) => typeof fields[key] === 'string');
}
