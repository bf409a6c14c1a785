/** package.json says what the extension does: each command is there once, in code and in words. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json'));
const words: Record<string, string> = JSON.parse(read('package.nls.json'));
const contributed: { command: string; title: string; category: string }[] = manifest.contributes.commands;

test('the commands that are contributed are those that are registered', () => {
  const registered = [...read('src/extension/extension.ts').matchAll(/register\('(\w+)'/g)].map(
    ([, name]) => `masksub.${name}`,
  );
  expect(registered.length).toBeGreaterThan(0);
  expect(contributed.map(({ command }) => command).sort()).toEqual(registered.sort());
});

test('menus name only commands that exist', () => {
  const menus: { command: string }[] = Object.values(manifest.contributes.menus).flat() as { command: string }[];
  const known = new Set(contributed.map(({ command }) => command));
  expect(menus.filter(({ command }) => !known.has(command))).toEqual([]);
});

test('every text is defined, and none is left over', () => {
  const used = [...JSON.stringify(manifest).matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key);
  expect([...new Set(used)].sort()).toEqual(Object.keys(words).sort());
});

test('commands have the names that people look for', () => {
  const titles = contributed.map(({ title, category }) => `${category}: ${words[title.slice(1, -1)]}`);
  expect(titles).toEqual([
    'MaskSub: Start MaskSub run',
    'MaskSub: New experiment',
    'MaskSub: Show data set',
    'MaskSub: Stop run',
    'MaskSub: Open dashboard',
    'MaskSub: Open run summary',
    'MaskSub: Show run folder',
    'MaskSub: Reproduce run',
    'MaskSub: Fork run…',
    'MaskSub: Compare configs',
    'MaskSub: Compare config with…',
    'MaskSub: Copy Markdown summary',
    'MaskSub: Export…',
    'MaskSub: Check environment',
  ]);
});

test('a folder without trust decides no path that is executed', () => {
  const settings = Object.keys(manifest.contributes.configuration.properties);
  expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toEqual(
    settings.filter((name) => name.endsWith('Path')),
  );
});

test('what starts or needs the runner on a config is hidden without trust', () => {
  const menus = Object.values(manifest.contributes.menus).flat() as { command: string; when: string }[];
  const starters = /\.(reproduce|fork|showData|compareWith)$/;
  expect(menus.filter(({ command, when }) => starters.test(command) && !when.includes('isWorkspaceTrusted'))).toEqual(
    [],
  );
  const tools: { name: string; when?: string }[] = manifest.contributes.languageModelTools;
  expect(tools.filter(({ when }) => when === 'isWorkspaceTrusted').map(({ name }) => name)).toEqual([
    'start_run',
    'stop_run',
  ]);
});

test('a row of the run list has at most three inline actions', () => {
  const rows: { when: string; group: string }[] = manifest.contributes.menus['view/item/context'];
  const inline = rows.filter(({ group }) => group.startsWith('inline'));
  for (const value of ['experiment living', 'experiment over', 'run checkpoint living', 'run over']) {
    const shown = inline.filter(({ when }) => {
      const [, pattern] = /viewItem =~ \/([^/]+)\//.exec(when) ?? [];
      return pattern === undefined || new RegExp(pattern).test(value);
    });
    expect(shown.length, value).toBeLessThanOrEqual(3);
    expect(shown.length, value).toBeGreaterThan(0);
  }
});

test('the pictures of the walkthrough are there, and each step has an action', () => {
  const [walkthrough] = manifest.contributes.walkthroughs;
  const steps: { media: object; description: string; completionEvents: string[] }[] = walkthrough.steps;
  expect(steps).toHaveLength(4);
  for (const { media, description, completionEvents } of steps) {
    const { svg, image = {} } = media as { svg?: string; image?: Record<string, string> };
    for (const file of svg ? [svg] : Object.values(image))
      expect(fs.existsSync(path.join(root, file)), file).toBe(true);
    const [, command = ''] = /\(command:([\w.]+)\)/.exec(words[description.slice(1, -1)] ?? '') ?? [];
    expect(completionEvents).toContain(`onCommand:${command}`);
  }
});
