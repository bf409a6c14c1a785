/** `Export…` and `Copy Markdown summary`: charts, tables, reports and weights of runs, written by the runner. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import type { RunListing } from '../store/runReader.ts';
import { chooseRun, chooseRuns } from './chooseRuns.ts';
import { charts as chartList, type ExportFormat, exportArguments, type FormatEntry, formats } from './exportFormats.ts';
import { FactsOfRuns } from './runFacts.ts';
import { spokenError } from './runner.ts';
import type { Services } from './services.ts';

export interface ExportWish {
  /** Folders or ids of runs. */
  readonly runs: readonly string[];
  readonly format?: ExportFormat;
  /** Names of charts; without one a person is asked. */
  readonly charts?: readonly string[];
  readonly axis?: string;
}

/** The command: for the runs that it is called with (rows of the list, ids, or a wish of the dashboard), else for those picked. */
export async function exportCommand(services: Services, argument: unknown, selected: unknown): Promise<void> {
  if (isWish(argument)) return exportRuns(services, argument);
  const runs = await chooseRuns(services, argument, selected, { placeHolder: t('Runs to export') });
  if (runs.length > 0) await exportRuns(services, { runs: runs.map(({ folder }) => folder) });
}

/** Asks for what the wish leaves open, writes, and offers what was written. */
export async function exportRuns(services: Services, wish: ExportWish): Promise<void> {
  const runs = await chooseRuns(services, [...wish.runs], undefined, { placeHolder: t('Runs to export') });
  if (runs.length === 0) return;
  const entry = await chooseFormat(runs, wish);
  if (!entry) return;
  if (entry.format === 'markdown') return copyMarkdown(services, runs);
  const exported = entry.of === 'weights' ? await chooseOne(services, runs) : runs;
  const charts = entry.of === 'chart' ? await chooseCharts(wish) : [];
  if (exported.length === 0 || !charts) return;
  const to = await chooseTarget(exported, entry, charts);
  if (!to) return;
  // The save dialog has asked before; the old file stays until the new one is there.
  const written = fs.existsSync(to) ? besides(to) : to;
  const line = {
    runs: exported.map(({ folder }) => folder),
    format: entry.format,
    charts,
    axis: wish.axis,
    look: look(),
  };
  if (!(await write(services, exportArguments({ ...line, to: written }), entry.label))) return;
  if (written !== to) fs.renameSync(written, to);
  await offer(to, entry);
}

/** The command: the summary of the chosen runs goes to the clipboard. */
export async function copyMarkdownCommand(services: Services, argument: unknown, selected: unknown): Promise<void> {
  const runs = await chooseRuns(services, argument, selected, { placeHolder: t('Runs to summarize') });
  if (runs.length > 0) await copyMarkdown(services, runs);
}

async function copyMarkdown(services: Services, runs: readonly RunListing[]): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-'));
  try {
    const to = path.join(folder, 'summary.md');
    const line = { runs: runs.map((run) => run.folder), format: 'markdown', charts: [], look: look(), to } as const;
    if (!(await write(services, exportArguments(line), t('Markdown summary')))) return;
    await vscode.env.clipboard.writeText(fs.readFileSync(to, 'utf8'));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  vscode.window.setStatusBarMessage(t('MaskSub: the summary is on the clipboard.'), 5000);
}

/** A name of the same kind in the same folder. */
function besides(file: string): string {
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}.new-${process.pid}${ext}`);
}

/** As the editor's theme is. */
function look(): 'light' | 'dark' {
  const { kind } = vscode.window.activeColorTheme;
  return kind === vscode.ColorThemeKind.Dark || kind === vscode.ColorThemeKind.HighContrast ? 'dark' : 'light';
}

/** Runs the export under a message that can end it; false where it did. Throws a `UserError` with the runner's words. */
async function write({ runner }: Services, args: readonly string[], label: string): Promise<boolean> {
  const stop = new AbortController();
  const answer = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('MaskSub: writing {0}', label), cancellable: true },
    (_, token) => {
      token.onCancellationRequested(() => stop.abort());
      return runner.ask(args, { signal: stop.signal }).catch((error: unknown) => {
        if (stop.signal.aborted) return undefined;
        throw error;
      });
    },
  );
  if (!answer || stop.signal.aborted) return false;
  if (answer.code !== 0) throw new UserError(t('The export failed: {0}', spokenError(answer.stderr)));
  return true;
}

async function chooseFormat(runs: readonly RunListing[], wish: ExportWish): Promise<FormatEntry | undefined> {
  const named = formats().find(({ format }) => format === wish.format);
  if (named) return named;
  const facts = new FactsOfRuns();
  const fits = ({ of }: FormatEntry) => of !== 'weights' || runs.some((run) => facts.of(run).hasCheckpoint);
  const options = { title: t('Export'), placeHolder: t('What to write'), matchOnDetail: true };
  return vscode.window.showQuickPick(formats().filter(fits), options);
}

/** The run whose weights are written. */
async function chooseOne(services: Services, runs: readonly RunListing[]): Promise<readonly RunListing[]> {
  const facts = new FactsOfRuns();
  const run = await chooseRun(
    services,
    runs.map(({ folder }) => folder),
    { placeHolder: t('Run whose weights to write'), fits: (candidate) => facts.of(candidate).hasCheckpoint },
  );
  return run ? [run] : [];
}

async function chooseCharts({ charts = [] }: ExportWish): Promise<readonly string[] | undefined> {
  if (charts.length > 0) return charts;
  const picked = await vscode.window.showQuickPick(chartList(), { title: t('Export'), placeHolder: t('Chart') });
  return picked && [picked.name];
}

/** The file, or the folder for what is one or for several charts; nothing where a person gave up. */
async function chooseTarget(
  runs: readonly RunListing[],
  { label, extension }: FormatEntry,
  charts: readonly string[],
): Promise<string | undefined> {
  const [run] = runs;
  const home = run && vscode.workspace.getWorkspaceFolder(vscode.Uri.file(run.folder))?.uri;
  if (extension !== undefined && charts.length < 2) {
    const name = `${[run?.name ?? 'masksub', ...charts].join('-').replaceAll(/[^\w.-]+/g, '-')}.${extension}`;
    const target = await vscode.window.showSaveDialog({
      title: label,
      filters: { [label]: [extension] },
      ...(home ? { defaultUri: vscode.Uri.joinPath(home, name) } : {}),
    });
    return target?.fsPath;
  }
  const chosen = await vscode.window.showOpenDialog({
    title: label,
    openLabel: t('Write here'),
    canSelectFiles: false,
    canSelectFolders: true,
    ...(home ? { defaultUri: home } : {}),
  });
  const [folder] = chosen ?? [];
  return folder && path.join(folder.fsPath, freeName(folder.fsPath, `${run?.name ?? 'masksub'}-${nameOf(label)}`));
}

const nameOf = (label: string) => label.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

/** What a person has in that folder stays. */
function freeName(folder: string, wanted: string): string {
  const name = wanted.replaceAll(/[^\w.-]+/g, '-');
  for (let i = 1; ; i++) {
    const free = i === 1 ? name : `${name}-${i}`;
    if (!fs.existsSync(path.join(folder, free))) return free;
  }
}

async function offer(file: string, { extension }: FormatEntry): Promise<void> {
  const [open, reveal] = [t('Open'), t('Reveal')];
  const canOpen = extension !== undefined && extension !== 'safetensors' && fs.statSync(file).isFile();
  const choices = canOpen ? [open, reveal] : [reveal];
  const chosen = await vscode.window.showInformationMessage(t('Wrote {0}', file), ...choices);
  const uri = vscode.Uri.file(file);
  if (chosen === reveal) {
    const isHere = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
    await vscode.commands.executeCommand(isHere ? 'revealInExplorer' : 'revealFileInOS', uri);
  }
  if (chosen !== open) return;
  // A page belongs into a browser, which can read the file only on this very machine.
  const isPageHere = extension === 'html' && vscode.env.remoteName === undefined;
  if (isPageHere) await vscode.env.openExternal(uri);
  else await vscode.commands.executeCommand('vscode.open', uri);
}

function isWish(value: unknown): value is ExportWish {
  return typeof value === 'object' && value !== null && Array.isArray((value as { runs?: unknown }).runs);
}
