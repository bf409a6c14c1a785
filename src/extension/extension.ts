/** The extension's entry: wires commands, views and the dashboard. What is heavy is loaded by the command that needs it. */
import * as vscode from 'vscode';
import { setLanguage } from '../core/l10n.ts';
import { ConfigLenses } from './codeLens.ts';
import type { Dashboard } from './dashboard.ts';
import { ConfigDiagnostics } from './diagnostics.ts';
import { engineFolder } from './engine.ts';
import { registerLanguageTools } from './languageTools.ts';
import { dashboardWasOpen, reopenDashboard } from './reopenDashboard.ts';
import { report } from './report.ts';
import { Runner } from './runner.ts';
import { Runs } from './runs.ts';
import { createRunTree } from './runTree.ts';
import type { Services } from './services.ts';
import { createStatusBar } from './statusBar.ts';
import { SummaryEditor, summaryType } from './summaryEditor.ts';
import { registerTasks } from './tasks.ts';

export function activate(context: vscode.ExtensionContext): void {
  const begin = performance.now();
  setLanguage(vscode.l10n.bundle ?? {});
  const log = vscode.window.createOutputChannel('MaskSub', { log: true });
  const runner = new Runner(context.extensionPath, () => engineFolder(context));
  const runs = new Runs((error) => log.error(String(error)));
  const diagnostics = new ConfigDiagnostics(runner, (error) => log.error(String(error)));
  const services: Services = { context, log, runner, runs, diagnostics, dashboard: dashboardOf(context, runs, log) };
  const lenses = new ConfigLenses(runs);
  const refreshed = runs.refresh();
  context.subscriptions.push(
    log,
    runs,
    diagnostics,
    createStatusBar(runs),
    createRunTree(runs),
    lenses,
    vscode.languages.registerCodeLensProvider({ pattern: '**/*.masksub.json', scheme: 'file' }, lenses),
    vscode.window.registerCustomEditorProvider(summaryType, new SummaryEditor(services)),
    registerTasks(services),
    ...registerLanguageTools(services),
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
  /** Of several selected rows, a command gets the one that was clicked, and then all of them. */
  const register = (name: string, run: (argument: unknown, second: unknown) => Promise<unknown>) =>
    vscode.commands.registerCommand(`masksub.${name}`, async (argument: unknown, second: unknown) => {
      try {
        await run(argument, second);
      } catch (error) {
        void report(services.log, error);
      }
    });
  return [
    register('start', async (uri) => (await import('./start.ts')).start(services, uriOf(uri))),
    register('newExperiment', async (template) =>
      (await import('./newExperiment.ts')).pickExperiment(services, template),
    ),
    register('showData', async (uri) => (await import('./dataView.ts')).showData(services, uriOf(uri))),
    register('stop', async (item) => (await import('./stop.ts')).stop(services, experimentOf(item))),
    register('openDashboard', async (item) => {
      await services.runs.refresh();
      (await services.dashboard()).open(experimentOf(item));
    }),
    register('openSummary', async (run) => (await import('./summaryEditor.ts')).openSummary(services, run)),
    register('showRunFolder', async (run) => (await import('./showRunFolder.ts')).showRunFolder(services, run)),
    register('reproduce', async (run) => (await import('./forkRun.ts')).reproduceRun(services, run)),
    register('fork', async (run, step) => (await import('./forkRun.ts')).forkRun(services, run, step)),
    register('compareConfigs', async (run, others) =>
      (await import('./compareConfigs.ts')).compareConfigs(services, run, others),
    ),
    register('compareWith', async (uri) => (await import('./compareConfigs.ts')).compareWith(services, uriOf(uri))),
    register('copyMarkdown', async (run, selected) =>
      (await import('./exportRuns.ts')).copyMarkdownCommand(services, run, selected),
    ),
    register('export', async (run, selected) =>
      (await import('./exportRuns.ts')).exportCommand(services, run, selected),
    ),
    register('checkEnvironment', async () => (await import('./environment.ts')).checkEnvironment(services)),
  ];
}

const uriOf = (argument: unknown) => (argument instanceof vscode.Uri ? argument : undefined);

/** The id of the experiment that a command is called with: itself, or that of a row of the run list; nothing from the palette. */
function experimentOf(argument: unknown): string | undefined {
  if (typeof argument === 'string') return argument;
  const row =
    typeof argument === 'object' && argument !== null ? (argument as { experiment?: unknown }).experiment : {};
  const id = typeof row === 'object' && row !== null ? (row as { id?: unknown }).id : undefined;
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
