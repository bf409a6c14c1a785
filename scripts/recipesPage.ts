/** The text of docs/recipes.md, made of the recipes. */
import { recipes as titles } from '../src/core/catalog.ts';
import { type Config, resolveConfig } from '../src/core/config.ts';
import { scaleConfig, scalingRule } from '../src/core/scaling.ts';
import { type RecipeName, recipeRows, recipes } from '../src/engine/recipes/index.ts';
import { type Row, valuesOfRow } from '../src/engine/recipes/row.ts';
import { type Sourced, sourceKinds, sources } from '../src/engine/recipes/sources.ts';

/** Rows that share most numbers, by the beginnings of their names. */
const sections = [
  ['DeiT-III, from scratch', /^deit3-.*\d$/],
  ['DeiT-III, fine-tuning at 224 pixels', /^deit3-.*finetune$/],
  ['MAE, fine-tuning', /^mae-/],
  ['BEiT v2, fine-tuning', /^beit2-/],
  ['CLIP, fine-tuning', /^clip-/],
  ['ResNet', /^rsb-/],
  ['Swin', /^swin-/],
  ['BERT', /^bert-/],
  ['The demo', /^demo$/],
] as const;

const rows: Readonly<Record<RecipeName, Row>> = recipeRows;
const names = Object.keys(rows) as RecipeName[];

export function recipesPage(): string {
  return `${[
    introduction,
    legend(),
    ...sections.map(([title, pattern]) =>
      section(
        title,
        names.filter((name) => pattern.test(name)),
      ),
    ),
    remaining,
    ownChoices(),
    scaling(),
  ].join('\n\n')}\n`;
}

const introduction = `# Recipes

Made by \`npm run recipes\` from \`src/engine/recipes\`; a test fails where this page is not what the recipes say.

The rows of the paper's tables by name. \`masksub new --template NAME\` writes one as a config, with comments; \`"recipe": "NAME"\` in a
config takes its numbers over; \`masksub new --list\` names all. The method is MaskSub at a mask ratio of 0.5 [paper], compared with its
baseline. \`batchSize\` × \`accumulate\` is what one optimizer step sees: the batch of one process of the reference, times its processes (and
the batches that each adds up). So mixup draws once for as many samples as there, and batch normalization sees as many.`;

function legend(): string {
  const lines = Object.entries(sources).map(([name, source]) => {
    const link = 'link' in source ? `[${source.title}](${source.link})` : source.title;
    return `| ${name} | ${link} | ${sourceKinds[source.kind]} |`;
  });
  return `## Sources

Every number has the name of its source in brackets.

| name | source | kind |
|---|---|---|
${lines.join('\n')}`;
}

function section(title: string, own: readonly RecipeName[]): string {
  const keys = [...new Set(own.flatMap((name) => valuesOfRow(rows[name]).map(([key]) => key)))];
  const of = (name: RecipeName, key: string) => valuesOfRow(rows[name]).find(([candidate]) => candidate === key)?.[1];
  const isShared = (key: string) => new Set(own.map((name) => JSON.stringify(of(name, key)))).size === 1;
  const different = keys.filter((key) => !isShared(key));
  const shared = keys.filter(isShared);
  const notes = [...new Set(own.flatMap((name) => rows[name].notes))];
  const weights = own.flatMap((name) => {
    const { weights } = rows[name];
    return weights ? [`- \`${name}\` starts from \`${weights.path}\`: ${weights.about}.`] : [];
  });
  const results = together(own, (name) => {
    const { published } = rows[name];
    return 'none' in published ? published.none : published.note;
  }).map(([note, names]) => `- Published result of ${names}: ${note}.`);
  const table = own.length > 1 ? [tableOf(own, different, of), ''] : [];
  const heading = own.length > 1 ? 'Of all these rows:' : `\`${own[0]}\`: ${titles[own[0] as RecipeName].about}`;
  return [
    `## ${title}`,
    '',
    ...table,
    heading,
    '',
    '| key | value |',
    '|---|---|',
    ...shared.map((key) => `| \`${key}\` | ${cell(of(own[0] as RecipeName, key))} |`),
    '',
    ...[...weights, ...results, ...notes.map((note) => `- ${note}`)],
  ]
    .join('\n')
    .trimEnd();
}

function tableOf(
  own: readonly RecipeName[],
  keys: readonly string[],
  of: (name: RecipeName, key: string) => Sourced<unknown> | undefined,
): string {
  const head = ['row', ...keys.map((key) => `\`${key}\``), 'samples of a step', 'published: baseline', '+ MaskSub'];
  const lines = own.map((name) => {
    const { published, train } = rows[name];
    const results =
      'none' in published
        ? ['not published', 'not published']
        : [published.baseline, published.masksub].map(({ value, source }) => `${value.toFixed(1)} [${source}]`);
    const samples = (train.batchSize?.value ?? 1) * (train.accumulate?.value ?? 1);
    return [`\`${name}\``, ...keys.map((key) => cell(of(name, key))), String(samples), ...results];
  });
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const remaining = `## What differs from the reference in every row

- The reference trains in float16 with loss scaling (AMP); here it is float32, or bfloat16 where the processor has it.
- Of the learning rate of DeiT-III, an epoch late by accident, \`"scheduleLag": true\` makes what the code does; of the ResNet mask, which
  shows one patch more by accident, \`"maskRounding": "up"\`. Both are off.
- Repeated augmentation: the reference deals the copies of an image to different processes; here they stand in one batch.
- ImageNet's mean and standard deviation are those that image files have by default; CLIP's stand in its recipes.`;

function ownChoices(): string {
  const published = names.filter((name) => name !== 'demo');
  const keys = [...new Set(published.flatMap((name) => valuesOfRow(rows[name]).map(([key]) => key)))];
  const lines = keys.flatMap((key) =>
    together(published, (name) => {
      const value = valuesOfRow(rows[name]).find(([candidate]) => candidate === key)?.[1];
      return value?.source === 'own' ? `${textOf(value.value)} | ${value.note}` : undefined;
    }).map(([choice, of]) => `| \`${key}\` | ${choice} | ${of} |`),
  );
  const unknown = together(published, (name) => {
    const { published } = rows[name];
    return 'none' in published ? published.none : undefined;
  }).map(([none, of]) => `- The result of ${of}: ${none}.`);
  return `## Not published

- Sub-branch details of BEiT v2, CLIP and BERT; the numbers of their MaskSub runs; training logs and checkpoints of any row.
- The drop rates of DropSub and PathSub in the paper's tables; here 0.5, the default of the code.
${unknown.join('\n')}

What no source says and we chose:

| key | value | why | rows |
|---|---|---|---|
${lines.join('\n')}`;
}

function scaling(): string {
  const example = { name: 'deit3-vit-s-400', samples: 50_000, side: 32 } as const;
  const lines = scaleConfig(configOf(example.name), example).map(
    ({ group, key, from, to, reason }) => `| \`${group}.${key}\` | ${textOf(from)} | ${textOf(to)} | ${reason} |`,
  );
  return `## Fitted to a laptop

\`masksub new --template NAME --fit SAMPLES --image-size SIDE\` changes a row by this rule, and says so at every line that it changes. The
rule for learning rates is published; the rest of it is our own choice.

${scalingRule.map(([what, rule]) => `- **${what}.** ${rule}`).join('\n')}

For example \`${example.name}\` for ${example.samples.toLocaleString('en')} images of ${example.side} pixels:

| key | row | fitted | why |
|---|---|---|---|
${lines.join('\n')}`;
}

/** What is said of rows, and of which. */
function together(
  own: readonly RecipeName[],
  said: (name: RecipeName) => string | undefined,
): (readonly [text: string, names: string])[] {
  const texts = new Set(own.flatMap((name) => said(name) ?? []));
  return [...texts].map((text) => {
    const of = own.filter((name) => said(name) === text);
    return [text, of.map((name) => `\`${name}\``).join(', ')];
  });
}

function configOf(name: RecipeName): Config {
  const data = { dataset: 'image-folder', path: 'data' };
  const result = resolveConfig({ data, model: { name: rows[name].model.name?.value }, recipe: name }, recipes);
  if ('problems' in result) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.config;
}

function cell(value: Sourced<unknown> | undefined): string {
  if (!value) return '';
  return `${textOf(value.value)} [${value.source}]${value.note ? `: ${value.note}` : ''}`;
}

function textOf(value: unknown): string {
  if (typeof value === 'number') return value !== 0 && Math.abs(value) < 0.01 ? value.toExponential() : String(value);
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, inner]) => `${key} ${textOf(inner)}`)
    .join(', ');
}
