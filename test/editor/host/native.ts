/** What MaskSub adds to the editor's own places: tasks, chat tools, the summary editor, lines above configs, comparisons. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { eventually } from './eventually.ts';

const workspace = () => vscode.workspace.workspaceFolders?.[0]?.uri ?? assert.fail('no workspace');
const out = () => path.join(workspace().fsPath, '.masksub', 'runs');
/** Of the runs that the first task trains. */
const runIds = () =>
  fs.existsSync(out()) ? fs.readdirSync(out()).filter((id) => /-tiny-s0-(baseline|masksub)$/.test(id)) : [];

describe('a task', () => {
  it('is offered for each config, trains it, and ends with the exit code of the runner', async function () {
    this.timeout(120_000);
    const tasks = await eventually(async () => {
      const found = await vscode.tasks.fetchTasks({ type: 'masksub' });
      return found.length > 0 ? found : undefined;
    });
    assert.deepEqual(
      tasks.map(({ definition }) => definition.config),
      ['tiny.masksub.json'],
    );
    assert.equal(await exitCode(tasks[0] ?? assert.fail()), 0);
    assert.equal(runIds().length, 2);
    for (const id of runIds()) assert.ok(fs.existsSync(path.join(out(), id, 'summary.json')), id);
  });

  it('of tasks.json may change the config, and ends with 2 where that is wrong', async function () {
    this.timeout(60_000);
    const tasks = {
      version: '2.0.0',
      tasks: [{ type: 'masksub', label: 'wrong', config: 'tiny.masksub.json', set: ['train.epoch=2'] }],
    };
    fs.mkdirSync(path.join(workspace().fsPath, '.vscode'), { recursive: true });
    fs.writeFileSync(path.join(workspace().fsPath, '.vscode', 'tasks.json'), JSON.stringify(tasks));
    const task = await eventually(async () => {
      const found = await vscode.tasks.fetchTasks({ type: 'masksub' });
      return found.find(({ name }) => name === 'wrong');
    });
    assert.equal(await exitCode(task), 2);
  });
});

describe('the summary editor', () => {
  it('opens a finished run as a page', async () => {
    await vscode.commands.executeCommand('masksub.openSummary', runIds()[0]);
    await eventually(async () => (customTab()?.viewType.endsWith('masksub.runSummary') ? true : undefined));
  });

  it('opens a run that has no summary', async () => {
    const folder = path.join(out(), '20260101-000000-cut-s0-masksub');
    fs.mkdirSync(folder);
    fs.copyFileSync(path.join(out(), runIds()[0] ?? '', 'config.json'), path.join(folder, 'config.json'));
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.commands.executeCommand('masksub.openSummary', path.basename(folder));
    const tab = await eventually(async () => customTab());
    assert.equal(path.dirname(tab.uri.fsPath), folder);
    fs.rmSync(folder, { recursive: true });
  });
});

describe('above a config', () => {
  it('stand Run, Compare with… and the number of its runs', async () => {
    const uri = vscode.Uri.joinPath(workspace(), 'tiny.masksub.json');
    await vscode.window.showTextDocument(uri);
    const titles = await eventually(async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri, 9);
      const found = lenses.map(({ command }) => command?.title);
      return found.includes('2 runs') ? found : undefined; // one more until the folder above is missed
    });
    assert.deepEqual(titles, ['$(play) Run', 'Compare with…', '2 runs']);
  });
});

describe('two configs', () => {
  it("are compared in the editor's own way", async () => {
    const [a, b] = runIds();
    await vscode.commands.executeCommand('masksub.compareConfigs', a, b);
    const input = await eventually(async () => {
      const { input } = vscode.window.tabGroups.activeTabGroup.activeTab ?? {};
      return input instanceof vscode.TabInputTextDiff ? input : undefined;
    });
    assert.deepEqual(
      [input.original, input.modified].map(({ fsPath }) => path.basename(path.dirname(fsPath))).sort(),
      [a, b].sort(),
    );
  });
});

describe('a run folder', () => {
  it('is trained again by Reproduce run', async function () {
    this.timeout(120_000);
    const before = fs.readdirSync(out());
    await vscode.commands.executeCommand('masksub.reproduce', runIds()[0]);
    const again = await eventually(async () =>
      fs.readdirSync(out()).find((id) => !before.includes(id) && fs.existsSync(path.join(out(), id, 'summary.json'))),
    );
    const top1 = (id: string) => {
      const summary = JSON.parse(fs.readFileSync(path.join(out(), id, 'summary.json'), 'utf8'));
      return summary.final.top1;
    };
    assert.equal(top1(again), top1(runIds()[0] ?? ''));
  });
});

describe('chat tools', () => {
  before(function () {
    // Editors without language models have none; the rest of the extension works there.
    if (!vscode.lm?.tools) this.skip();
  });

  it('are there', () => {
    const names = vscode.lm.tools.map(({ name }) => name);
    for (const name of ['start_run', 'stop_run', 'get_run_summary', 'compare_runs']) {
      assert.ok(names.includes(name), names.join());
    }
  });

  it('tell of the runs', async () => {
    assert.match(await call('get_run_summary', {}), /^run .*\nstate: finished/); // the newest experiment
    const [run = ''] = runIds();
    assert.match(await call('get_run_summary', { run }), new RegExp(`^run ${run}\nstate: finished`));
    const comparison = await call('compare_runs', { runs: runIds() });
    assert.match(comparison, /MaskSub (leads|trails|and baseline are level)/);
  });

  it('say what to do where they cannot', async () => {
    await assert.rejects(call('get_run_summary', { run: 'none' }), /Runs here, newest first/);
    await assert.rejects(call('stop_run', {}), /Nothing is running/);
  });
});

async function exitCode(task: vscode.Task): Promise<number | undefined> {
  const ended = new Promise<number | undefined>((resolve) => {
    const subscription = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
      if (execution.task.name !== task.name) return;
      subscription.dispose();
      resolve(exitCode);
    });
  });
  await vscode.tasks.executeTask(task);
  return ended;
}

function customTab(): vscode.TabInputCustom | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom ? input : undefined;
}

async function call(name: string, input: object): Promise<string> {
  const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
  return content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
}
