/** Tasks of type `masksub`: an experiment in tasks.json, which runs in a terminal and ends with the runner's exit code. */
import path from 'node:path';
import * as vscode from 'vscode';
import { t } from '../core/l10n.ts';
import { findConfigs } from './chooseConfig.ts';
import type { Services } from './services.ts';

const taskType = 'masksub';

/** As package.json's `taskDefinitions` says; what stands in tasks.json is checked here. */
interface Definition extends vscode.TaskDefinition {
  /** Relative to the workspace folder, or absolute. */
  readonly config?: unknown;
  /** Changes, as `key=value`. */
  readonly set?: unknown;
}

export function registerTasks(services: Services): vscode.Disposable {
  return vscode.tasks.registerTaskProvider(taskType, {
    async provideTasks() {
      if (!vscode.workspace.isTrusted) return [];
      return (await findConfigs()).flatMap((file) => {
        const folder = vscode.workspace.getWorkspaceFolder(file);
        const config = folder && path.relative(folder.uri.fsPath, file.fsPath);
        return folder && config ? [taskOf(services, { type: taskType, config }, folder)] : [];
      });
    },
    resolveTask(task) {
      const { scope } = task;
      const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
      if (!folder || !vscode.workspace.isTrusted) return undefined;
      return taskOf(services, task.definition, folder, task.name);
    },
  });
}

function taskOf(services: Services, definition: Definition, folder: vscode.WorkspaceFolder, name?: string) {
  const execution = new vscode.CustomExecution(async (resolved: Definition) => {
    const { RunTerminal } = await import('./taskTerminal.ts');
    return new RunTerminal(services, folder, resolved.config, resolved.set);
  });
  const label = name ?? t('train {0}', String(definition.config));
  const task = new vscode.Task(definition, folder, label, 'MaskSub', execution, '$masksub');
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Dedicated };
  return task;
}
