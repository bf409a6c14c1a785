/** A row of the paper as a config with comments: what differs from the defaults, where it is from, and what was changed to fit. */
import { recipes as recipeTitles } from '../core/catalog.ts';
import { type Config, resolveConfig } from '../core/config.ts';
import { type Change, type Fit, scaleConfig } from '../core/scaling.ts';
import { type RecipeName, recipeRows } from '../engine/recipes/index.ts';
import { plainRecipes, type Row, rowGroups, valuesOfRow } from '../engine/recipes/row.ts';
import { type Sourced, sources } from '../engine/recipes/sources.ts';

interface Line {
  readonly key: string;
  readonly value: unknown;
  readonly comment?: string | undefined;
}

/** The text of the config, with the recipe's values written out. */
export function recipeTemplate(name: RecipeName, fit?: Fit): string {
  const row: Row = recipeRows[name];
  const changes = fit ? scaleConfig(resolved(name, row), fit) : [];
  const own: Readonly<Record<string, readonly Line[]>> = ownLines(row);
  const defaults = configOf(groupsOf(row));
  const groups = rowGroups.map((group) => {
    const lines = linesOf(
      row[group] ?? {},
      defaults[group],
      changes.filter((change) => change.group === group),
    );
    const stated = own[group] ?? [];
    const isStated = (line: Line) => stated.some(({ key }) => key === line.key);
    return { group, lines: [...stated, ...sizesFirst(lines.filter((line) => !isStated(line)))] };
  });
  const blocks = groups.filter(({ lines }) => lines.length > 0).map(({ group, lines }) => blockOf(group, lines));
  const [data = '', model = '', ...rest] = blocks;
  return `{
${commentsOf(headOf(name, row, fit))}
  "name": "${fit ? `${name}-fit` : name}",
${[data, model, '  "method": { "name": "masksub", "maskRatio": 0.5 }', ...rest, '  "compare": { "baseline": true }'].join(',\n')}
}
`;
}

/** The config of a recipe with the data and weights of its template. */
function resolved(name: RecipeName, row: Row): Config {
  return configOf({ ...groupsOf(row), recipe: name }, { [name]: row });
}

const groupsOf = (row: Row): object =>
  Object.fromEntries(Object.entries(ownLines(row)).map(([group, lines]) => [group, objectOf(lines)]));

function configOf(input: object, rows: Readonly<Record<string, Row>> = {}): Config {
  const result = resolveConfig(input, plainRecipes(rows));
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.config;
}

/** What a person fills in or knows the row by; it stands whether it is a default or not. */
function ownLines({ model, weights }: Row): { readonly data: readonly Line[]; readonly model: readonly Line[] } {
  const isText = model.name?.value === 'bert';
  const data: Line[] = isText
    ? [
        { key: 'dataset', value: 'text' },
        { key: 'path', value: 'data', comment: 'a file, or a folder with train and validation' },
        { key: 'tokenizer', value: 'weights/bert-base-uncased/vocab.txt', comment: 'comes with the weights' },
      ]
    : [
        { key: 'dataset', value: 'image-folder' },
        { key: 'path', value: 'data', comment: 'train/<class>/… and val/<class>/…' },
      ];
  const named = (['name', 'form', 'size'] as const).flatMap((key) =>
    model[key] ? [{ key, value: model[key].value }] : [],
  );
  return {
    data,
    model: weights ? [...named, { key: 'weights', value: weights.path, comment: weights.about }] : named,
  };
}

/** The recipe's keys of a group that differ from the defaults, and those that were changed. */
function linesOf(values: object, defaults: object, changes: readonly Change[]): Line[] {
  const usual: Readonly<Record<string, unknown>> = { ...defaults };
  const sourced = Object.entries(values) as [string, Sourced<unknown>][];
  const lines = sourced.flatMap(([key, value]): Line[] => {
    const change = changes.find((candidate) => candidate.key === key);
    if (change) return [changedLine(change)];
    if (JSON.stringify(usual[key]) === JSON.stringify(value.value)) return [];
    const comment = key === 'accumulate' ? `${value.note}: a step sees ${samplesOfStep(values)}` : originOf(value);
    return [{ key, value: value.value, comment }];
  });
  const keys = new Set(sourced.map(([key]) => key));
  return [...lines, ...changes.filter(({ key }) => !keys.has(key)).map(changedLine)];
}

const samplesOfStep = ({ batchSize, accumulate }: Row['train']) =>
  (batchSize?.value ?? Number.NaN) * (accumulate?.value ?? Number.NaN);

const changedLine = ({ key, from, to, reason }: Change): Line => ({
  key,
  value: to,
  comment: `recipe: ${formerly(from, to)}; ${reason}`,
});

/** The former value; of an object what has changed of it. */
function formerly(from: unknown, to: unknown): string {
  if (from === undefined) return 'none';
  if (typeof from !== 'object' || from === null || Array.isArray(from)) return jsonOf(from);
  const now: Readonly<Record<string, unknown>> = { ...(to as object) };
  const changed = Object.entries(from).filter(([key, value]) => now[key] !== value);
  return changed.map(([key, value]) => `${key} ${jsonOf(value)}`).join(', ');
}

/** Sizes of the image and its parts before the rest. */
function sizesFirst(lines: readonly Line[]): Line[] {
  const place = ({ key }: Line) => ['imageSize', 'patchSize', 'window', 'maskPatch'].indexOf(key) + 1 || 5;
  return lines.toSorted((a, b) => place(a) - place(b));
}

/** The main sources of a row stand in its head. */
function originOf({ source, note }: Sourced<unknown>): string | undefined {
  if (source === 'own') return `own choice: ${note}`;
  return source === 'timm' ? (note ?? 'timm’s default') : note;
}

function headOf(name: RecipeName, row: Row, fit?: Fit): string[] {
  const { published, notes } = row;
  const { title } = recipeTitles[name];
  const result =
    'none' in published
      ? `Published result: ${published.none}.`
      : `Published (ImageNet-1k, top-1): ${percent(published.baseline)}, with MaskSub ${percent(published.masksub)}${
          published.note ? `, ${published.note}` : ''
        }.`;
  return [
    `${title}: MaskSub and its baseline, from the same weights on the same batches.`,
    fit ? `${result} That is of the row as published, not of what is left here.` : result,
    ...(fit
      ? [
          `Fitted to ${fit.samples} training samples${fit.side ? `, images of ${fit.side} pixels` : ''}: lines with “recipe:” have another value than the row.`,
        ]
      : []),
    `Numbers from: ${mainSources(row).join('; ')}.`,
    ...notes.filter((note) => note.startsWith('Not published')),
  ];
}

function mainSources(row: Row): string[] {
  const used = valuesOfRow(row).map(([, { source }]) => source);
  const titles = new Map<string, string>(); // the paper's code once
  for (const source of new Set(used)) {
    if (source === 'own') continue;
    const { title, link } = sources[source];
    if (!titles.has(link)) titles.set(link, title);
  }
  return [...titles].map(([link, title]) => `${title} (${link})`);
}

const percent = ({ value }: Sourced<number>) => `${value.toFixed(1)} %`;

/** Sentences as comments of the config, broken at 100 characters. */
function commentsOf(sentences: readonly string[]): string {
  const lines: string[] = [];
  for (const sentence of sentences) {
    let line = '';
    for (const word of sentence.split(' ')) {
      if (line.length + word.length > 100) {
        lines.push(line);
        line = word;
      } else line = line ? `${line} ${word}` : word;
    }
    lines.push(line);
  }
  return lines.map((line) => `  // ${line}`).join('\n');
}

function blockOf(group: string, lines: readonly Line[]): string {
  const body = lines.map(({ key, value, comment }, i) => {
    const comma = i < lines.length - 1 ? ',' : '';
    return `    "${key}": ${jsonOf(value)}${comma}${comment ? ` // ${comment}` : ''}`;
  });
  return `  "${group}": {\n${body.join('\n')}\n  }`;
}

const objectOf = (lines: readonly Line[]) => Object.fromEntries(lines.map(({ key, value }) => [key, value]));

/** On one line, small numbers as people write them. */
function jsonOf(value: unknown): string {
  if (typeof value === 'number') return value !== 0 && Math.abs(value) < 0.01 ? value.toExponential() : String(value);
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `"${key}": ${jsonOf(inner)}`)
      .join(', ')} }`;
  }
  return JSON.stringify(value);
}
