/** Help with `*.masksub.json`: language, completion, hover and problems. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { eventually } from './eventually.ts';

describe('*.masksub.json', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-host-'));
  let files = 0;
  const open = async (text: string) => {
    const file = path.join(folder, `config-${files++}.masksub.json`);
    fs.writeFileSync(file, text);
    const document = await vscode.workspace.openTextDocument(file);
    await vscode.window.showTextDocument(document);
    return document;
  };
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('is JSON with comments', async () => {
    assert.equal((await open('{\n  // why\n}')).languageId, 'jsonc');
  });

  it('completes the names of data sets', async () => {
    const labels = await completions(await open('{ "data": { "dataset": | } }'));
    assert.ok(
      labels.some((label) => label.includes('fashion-mnist-mini')),
      labels.join(', '),
    );
  });

  it('completes the keys of a group', async () => {
    const labels = await completions(await open('{ "train": { | } }'));
    for (const key of ['epochs', 'batchSize', 'learningRate']) assert.ok(labels.includes(key), labels.join(', '));
  });

  it('explains a key under the pointer', async () => {
    const document = await open('{ "train": { "epochs": 3 } }');
    const position = document.positionAt(document.getText().indexOf('epochs') + 2);
    const text = await eventually(async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        position,
      );
      const parts = hovers.flatMap((hover) => hover.contents);
      return parts.map((part) => (typeof part === 'string' ? part : part.value)).join('\n');
    });
    assert.match(text, /Passes over the training data/);
  });

  it('marks a wrong value and a misspelt key, each once and at its place', async () => {
    const text =
      '{\n  "data": { "dataset": "fashion-mnist-mini" },\n  "model": { "name": "vit" },\n  "train": { "epoch": 3 }\n}\n';
    const document = await open(text);
    const problems = await eventually(async () => {
      const found = vscode.languages.getDiagnostics(document.uri);
      return found.length > 0 ? found : undefined;
    });
    assert.deepEqual(
      problems.map(({ range, severity }) => [range.start.line, severity]),
      [[3, vscode.DiagnosticSeverity.Error]],
    );
    assert.match(problems[0]?.message ?? '', /Unknown key "epoch".*"epochs"/);
  });
});

/** What is offered where `|` stands. */
async function completions(document: vscode.TextDocument): Promise<string[]> {
  const offset = document.getText().indexOf('|');
  const edit = new vscode.WorkspaceEdit();
  edit.delete(document.uri, new vscode.Range(document.positionAt(offset), document.positionAt(offset + 1)));
  await vscode.workspace.applyEdit(edit);
  return eventually(async () => {
    const list = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      document.uri,
      document.positionAt(offset),
    );
    const labels = list.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    return labels.length > 0 ? labels : undefined;
  });
}
