/** A started experiment: shown, followed until its first event with a way to cancel, and to its end, of which a failure is said. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { t } from '../core/l10n.ts';
import type { RunHandle } from '../core/messages.ts';
import { makeFolder, writeWhole } from '../store/files.ts';
import { engineFolder } from './engine.ts';
import { spokenError } from './runner.ts';
import type { Services } from './services.ts';

/** A start that takes no longer than this, in milliseconds, needs no message of its own. */
const QUICK_MS = 1500;

export interface Beginning {
  /** Id of the experiment, and the name that a person knows it by. */
  readonly id: string;
  readonly name: string;
  /** The folder that receives the run folders. */
  readonly out: string;
  /** The command line after the program's name, with `--id` and `--out`. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** The runs that will come, where that is known. */
  readonly handles: readonly RunHandle[];
  /** Runs that are shown beside them: those that they are to be compared with. */
  readonly beside?: readonly string[];
}

/** Starts the leader of an experiment, detached, and opens the dashboard with it. */
export async function begin(services: Services, beginning: Beginning): Promise<void> {
  const { id, name, out, args, cwd, handles, beside } = beginning;
  const log = path.join(out, `${id}.log`);
  const leader = services.runner.lead(args, { cwd, log });
  services.log.info(`Started ${id} (process ${leader.pid}); its output goes to ${log}`);
  void followToEnd(services, leader, name, id, log);
  const dashboard = await services.dashboard();
  dashboard.showStarting({ id, out, handles, leader }, beside);
  await services.runs.refresh();
  if (!engineFolder(services.context)) void tellOfMissingEngine();
  void untilBegun(services, leader, name, id);
}

/** The folder for run folders, kept out of version control. Throws a UserError where a file is in the way. */
export function prepareOut(out: string): string {
  makeFolder(out);
  const ignore = path.join(path.dirname(out), '.gitignore');
  if (!fs.existsSync(ignore)) writeWhole(ignore, '*\n');
  return out;
}

/** Progress with a way to cancel, for a start that takes its time; the training itself is told of by dashboard and status bar. */
async function untilBegun({ runs }: Services, leader: ChildProcess, name: string, id: string): Promise<void> {
  const hasBegun = () => runs.experiments.some((one) => one.id === id && one.state !== 'starting');
  let done = () => {};
  const begun = new Promise<void>((resolve) => {
    done = resolve;
  });
  const look = () => {
    if (hasBegun()) done();
  };
  const subscription = runs.onDidChange(look);
  leader.once('exit', done).once('error', done);
  if (leader.exitCode !== null) done();
  look();
  try {
    const isQuick = await Promise.race([begun.then(() => true), after(QUICK_MS)]);
    if (isQuick) return;
    await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: t('Starting "{0}"', name), cancellable: true },
      (progress, token) => {
        progress.report({ message: t('until its first step') });
        token.onCancellationRequested(() => leader.kill('SIGTERM'));
        return begun;
      },
    );
  } finally {
    subscription.dispose();
  }
}

const after = (ms: number) => new Promise<false>((resolve) => setTimeout(() => resolve(false), ms));

/** Says a failure with the runner's own words; of a run that ended well or was stopped the dashboard tells. */
async function followToEnd(services: Services, leader: ChildProcess, name: string, id: string, log: string) {
  const failure = await new Promise<string | undefined>((resolve) => {
    leader.once('error', (error) => resolve(t('its process could not be started: {0}', error.message)));
    leader.once('exit', (code, signal) => {
      if (code === 0 || code === 130 || signal) resolve(undefined);
      else resolve(spokenError(readTail(log)) || t('the runner ended with code {0}', String(code)));
    });
  });
  services.log.info(`${id} ended${failure ? `: ${failure}` : ''}`);
  await services.runs.refresh();
  const dashboard = await services.dashboard();
  dashboard.leaderEnded(id, failure);
  if (!failure) return;
  const chosen = await vscode.window.showErrorMessage(t('The run "{0}" failed: {1}', name, failure), t('Show log'));
  if (chosen) await vscode.window.showTextDocument(vscode.Uri.file(log), { preview: true });
}

async function tellOfMissingEngine(): Promise<void> {
  const chosen = await vscode.window.showWarningMessage(
    t('The native engine is not installed: this run computes with WebAssembly, several times slower.'),
    t('Check environment'),
  );
  if (chosen) await vscode.commands.executeCommand('masksub.checkEnvironment');
}

function readTail(log: string): string {
  try {
    return fs.readFileSync(log, 'utf8').slice(-4000);
  } catch {
    return ''; // no log: the exit code must do
  }
}
