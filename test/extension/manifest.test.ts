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
    'MaskSub: Show run folder',
    'MaskSub: Check environment',
  ]);
});

test('a folder without trust decides no path that is executed', () => {
  const settings = Object.keys(manifest.contributes.configuration.properties);
  expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toEqual(
    settings.filter((name) => name.endsWith('Path')),
  );
});
