/** The run list in the side bar: experiments, and in each its runs. */
import path from 'node:path';
import * as vscode from 'vscode';
import { titleOf } from '../core/comparison.ts';
import { t } from '../core/l10n.ts';
import { isOver, stateTitle } from '../core/run.ts';
import type { RunListing } from '../store/runReader.ts';
import type { Experiment } from './experiments.ts';
import { FactsOfRuns } from './runFacts.ts';
import type { Runs } from './runs.ts';
import { experimentDescription, runDescription, runLabel, type Standing } from './runTexts.ts';

/** A row: an experiment, or a run of it. Commands of the list are called with it. */
export type RunNode = { readonly experiment: Experiment; readonly run?: RunListing };

/** Shows the list; several rows can be selected, for the commands that take several runs. */
export function createRunTree(runs: Runs): vscode.Disposable {
  return vscode.window.createTreeView('masksub.runs', {
    treeDataProvider: new RunTree(runs),
    canSelectMany: true,
    showCollapseAll: true,
  });
}

class RunTree implements vscode.TreeDataProvider<RunNode> {
  readonly onDidChangeTreeData: vscode.Event<void>;
  readonly #runs: Runs;
  readonly #facts = new FactsOfRuns();

  constructor(runs: Runs) {
    this.#runs = runs;
    this.onDidChangeTreeData = runs.onDidChange;
  }

  getChildren(node?: RunNode): RunNode[] {
    if (!node) return this.#runs.experiments.map((experiment) => ({ experiment }));
    return node.run ? [] : node.experiment.runs.map((run) => ({ experiment: node.experiment, run }));
  }

  getParent(node: RunNode): RunNode | undefined {
    return node.run ? { experiment: node.experiment } : undefined;
  }

  getTreeItem({ experiment, run }: RunNode): vscode.TreeItem {
    return run ? this.#runItem(experiment, run) : this.#experimentItem(experiment);
  }

  #experimentItem(experiment: Experiment): vscode.TreeItem {
    const item = new vscode.TreeItem(experiment.name, vscode.TreeItemCollapsibleState.Collapsed);
    const time = new Date(experiment.at).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
    const said = experimentDescription(experiment, (run) => this.#standingOf(run));
    item.id = experiment.id;
    item.description = `${said} · ${time}`;
    item.tooltip = [experiment.name, said, t('Begun {0}', time), experiment.id].join('\n');
    return complete(item, experiment.state, 'experiment', experiment.id);
  }

  #runItem(experiment: Experiment, run: RunListing): vscode.TreeItem {
    const item = new vscode.TreeItem(runLabel(run));
    const said = runDescription(run, this.#standingOf(run));
    item.id = run.folder;
    item.description = said;
    item.tooltip = [t('{0} on {1}', runLabel(run), titleOf(run.dataset)), said, run.folder].join('\n');
    const { hasCheckpoint } = this.#facts.of(run);
    return complete(item, run.state, hasCheckpoint ? 'run checkpoint' : 'run', experiment.id);
  }

  #standingOf(run: RunListing): Standing {
    const living = isOver(run) ? undefined : this.#runs.living.find(({ id }) => isOwn(run) && id === run.id);
    const { top1 } = this.#facts.of(run);
    return { ...(living ? { living } : {}), ...(top1 === undefined ? {} : { top1 }) };
  }
}

/** False for a folder that was copied: it says another's id. */
const isOwn = (run: RunListing) => path.basename(run.folder) === run.id;

function complete(item: vscode.TreeItem, state: RunListing['state'], kind: string, experiment: string) {
  item.iconPath = icon(state);
  item.contextValue = `${kind} ${isOver({ state }) ? 'over' : 'living'}`;
  item.command = { command: 'masksub.openDashboard', title: t('Open dashboard'), arguments: [experiment] };
  item.accessibilityInformation = { label: `${stringOf(item.label)}, ${stateTitle(state)}, ${item.description}` };
  return item;
}

const stringOf = (label: vscode.TreeItem['label']) => (typeof label === 'string' ? label : (label?.label ?? ''));

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
