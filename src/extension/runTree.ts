/** The run list in the side bar: experiments, and in each its runs. */
import * as vscode from 'vscode';
import { titleOf } from '../core/comparison.ts';
import { isOver, stateTitles } from '../core/run.ts';
import type { RunListing } from '../store/runReader.ts';
import type { Experiment } from './experiments.ts';
import type { Runs } from './runs.ts';

type Node = { readonly experiment: Experiment; readonly run?: RunListing };

export class RunTree implements vscode.TreeDataProvider<Node> {
  readonly onDidChangeTreeData: vscode.Event<void>;
  readonly #runs: Runs;

  constructor(runs: Runs) {
    this.#runs = runs;
    this.onDidChangeTreeData = runs.onDidChange;
  }

  getChildren(node?: Node): Node[] {
    if (!node) return this.#runs.experiments.map((experiment) => ({ experiment }));
    return node.run ? [] : node.experiment.runs.map((run) => ({ experiment: node.experiment, run }));
  }

  getTreeItem({ experiment, run }: Node): vscode.TreeItem {
    return run ? runItem(experiment, run) : experimentItem(experiment);
  }
}

function experimentItem(experiment: Experiment): vscode.TreeItem {
  const item = new vscode.TreeItem(experiment.name, vscode.TreeItemCollapsibleState.Collapsed);
  const time = new Date(experiment.at).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
  item.id = experiment.id;
  item.description = `${stateTitles[experiment.state]} · ${time}`;
  item.tooltip = `${experiment.name}\n${stateTitles[experiment.state]}, begun ${time}\n${experiment.id}`;
  return complete(item, experiment.state, 'experiment', experiment.id);
}

function runItem(experiment: Experiment, run: RunListing): vscode.TreeItem {
  const item = new vscode.TreeItem(`${titleOf(run.method)}, seed ${run.seed}`);
  item.id = run.folder;
  item.description = stateTitles[run.state];
  item.tooltip = `${titleOf(run.method)} on ${titleOf(run.dataset)}, seed ${run.seed}\n${stateTitles[run.state]}\n${run.folder}`;
  return complete(item, run.state, 'run', experiment.id);
}

function complete(item: vscode.TreeItem, state: RunListing['state'], kind: string, experiment: string) {
  item.iconPath = icon(state);
  item.contextValue = `${kind} ${isOver({ state }) ? 'over' : 'living'}`;
  item.command = { command: 'masksub.openDashboard', title: 'Open dashboard', arguments: [experiment] };
  return item;
}

function icon(state: RunListing['state']): vscode.ThemeIcon {
  switch (state) {
    case 'starting':
    case 'running':
    case 'stopping':
      return new vscode.ThemeIcon('loading~spin');
    case 'finished':
      return new vscode.ThemeIcon('pass', new vscode.ThemeColor('testing.iconPassed'));
    case 'failed':
      return new vscode.ThemeIcon('error', new vscode.ThemeColor('testing.iconFailed'));
    case 'lost':
    case 'interrupted':
      return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
    case 'stopped':
      return new vscode.ThemeIcon('debug-stop');
  }
}
