/** The extension's entry: wires commands, views and the dashboard. What is heavy is loaded by the command that needs it. */
import * as vscode from 'vscode';
import type { Dashboard } from './dashboard.ts';
import { ConfigDiagnostics } from './diagnostics.ts';
import { engineFolder } from './engine.ts';
import { dashboardWasOpen, reopenDashboard } from './reopenDashboard.ts';
import { report } from './report.ts';
import { Runner } from './runner.ts';
import { Runs } from './runs.ts';
import { RunTree } from './runTree.ts';
import type { Services } from './services.ts';
import { createStatusBar } from './statusBar.ts';

export function activate(context: vscode.ExtensionContext): void {
  const begin = performance.now();
  const log = vscode.window.createOutputChannel('MaskSub', { log: true });
  const runner = new Runner(context.extensionPath, () => engineFolder(context));
  const runs = new Runs((error) => log.error(String(error)));
  const diagnostics = new ConfigDiagnostics(runner, (error) => log.error(String(error)));
  const services: Services = { context, log, runner, runs, diagnostics, dashboard: dashboardOf(context, runs, log) };
  const refreshed = runs.refresh();
  context.subscriptions.push(
    log,
    runs,
    diagnostics,
    createStatusBar(runs),
    vscode.window.registerTreeDataProvider('masksub.runs', new RunTree(runs)),
    vscode.workspace.onDidChangeWorkspaceFolders(() => runs.refresh()),
    vscode.window.registerWebviewPanelSerializer('masksub.dashboard', {
      async deserializeWebviewPanel(panel, state) {
        await refreshed;
        (await services.dashboard()).restore(panel, state);
      },
    }),
    ...registerCommands(services),
  );
  diagnostics.checkOpen();
  void refreshed.then(() => reopenDashboard(services));
  log.info(`Activated in ${(performance.now() - begin).toFixed(1)} ms`);
}

function registerCommands(services: Services): vscode.Disposable[] {
  const register = (name: string, run: (argument: unknown) => Promise<unknown>) =>
    vscode.commands.registerCommand(`masksub.${name}`, async (argument: unknown) => {
      try {
        await run(argument);
      } catch (error) {
        void report(services.log, error);
      }
    });
  return [
    register('start', async (uri) =>
      (await import('./start.ts')).start(services, uri instanceof vscode.Uri ? uri : undefined),
    ),
    register('newExperiment', async (template) =>
      (await import('./newExperiment.ts')).pickExperiment(services, template),
    ),
    register('showData', async (uri) =>
      (await import('./dataView.ts')).showData(services, uri instanceof vscode.Uri ? uri : undefined),
    ),
    register('stop', async (item) => (await import('./stop.ts')).stop(services, idOf(item, 'experiment'))),
    register('openDashboard', async (item) => {
      await services.runs.refresh();
      (await services.dashboard()).open(idOf(item, 'experiment'));
    }),
    register('showRunFolder', async (item) =>
      (await import('./showRunFolder.ts')).showRunFolder(services, idOf(item, 'run')),
    ),
    register('checkEnvironment', async () => (await import('./environment.ts')).checkEnvironment(services)),
  ];
}

/** The id that a command is called with: itself, or within an item of the run list; nothing from the palette. */
function idOf(argument: unknown, kind: 'experiment' | 'run'): string | undefined {
  if (typeof argument === 'string') return argument;
  const item =
    typeof argument === 'object' && argument !== null ? (argument as Record<string, unknown>)[kind] : undefined;
  const id = typeof item === 'object' && item !== null ? (item as { id?: unknown }).id : undefined;
  return typeof id === 'string' ? id : undefined;
}

function dashboardOf(context: vscode.ExtensionContext, runs: Runs, log: vscode.LogOutputChannel) {
  let made: Promise<Dashboard> | undefined;
  return () => {
    made ??= import('./dashboard.ts').then((module) => {
      const dashboard = new module.Dashboard(context.extensionUri, runs, log, (open) => {
        void context.workspaceState.update(dashboardWasOpen, open);
      });
      context.subscriptions.push(dashboard);
      return dashboard;
    });
    return made;
  };
}
