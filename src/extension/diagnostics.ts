/** Keeps the Problems panel true to the configs that are open. */
import * as vscode from 'vscode';
import type { Runner } from './runner.ts';

/** After the last key stroke, in milliseconds. */
const PAUSE_MS = 400;

export function isConfig(document: vscode.TextDocument): boolean {
  return document.fileName.endsWith('.masksub.json') && document.uri.scheme === 'file';
}

/** Checks every open config now and after each change; in a folder without trust not before it is trusted. */
export class ConfigDiagnostics implements vscode.Disposable {
  readonly #collection = vscode.languages.createDiagnosticCollection('masksub');
  readonly #runner: Runner;
  readonly #onError: (error: unknown) => void;
  readonly #pending = new Map<string, { timer: NodeJS.Timeout; abort: AbortController }>();
  readonly #subscriptions: vscode.Disposable;

  constructor(runner: Runner, onError: (error: unknown) => void) {
    this.#runner = runner;
    this.#onError = onError;
    this.#subscriptions = vscode.Disposable.from(
      vscode.workspace.onDidOpenTextDocument((document) => this.#schedule(document, 0)),
      vscode.workspace.onDidSaveTextDocument((document) => this.#schedule(document, 0)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#schedule(document, PAUSE_MS)),
      vscode.workspace.onDidCloseTextDocument((document) => this.#forget(document)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.checkOpen()),
    );
  }

  checkOpen(): void {
    for (const document of vscode.workspace.textDocuments) this.#schedule(document, 0);
  }

  /** Takes the result of a check that was made elsewhere. */
  set(uri: vscode.Uri, diagnostics: readonly vscode.Diagnostic[]): void {
    this.#collection.set(uri, diagnostics);
  }

  dispose(): void {
    for (const { timer, abort } of this.#pending.values()) {
      clearTimeout(timer);
      abort.abort();
    }
    this.#subscriptions.dispose();
    this.#collection.dispose();
  }

  #schedule(document: vscode.TextDocument, pauseMs: number): void {
    if (!isConfig(document) || !vscode.workspace.isTrusted) return;
    this.#cancel(document);
    const abort = new AbortController();
    const timer = setTimeout(() => this.#check(document, abort.signal), pauseMs);
    this.#pending.set(document.uri.toString(), { timer, abort });
  }

  async #check(document: vscode.TextDocument, signal: AbortSignal): Promise<void> {
    try {
      const { checkConfig, diagnosticsOf } = await import('./configCheck.ts');
      const checked = await checkConfig(this.#runner, document, { signal });
      if (signal.aborted) return;
      this.#collection.set(document.uri, 'problems' in checked ? diagnosticsOf(checked.problems) : []);
    } catch (error) {
      if (!signal.aborted) this.#onError(error);
    }
  }

  #forget(document: vscode.TextDocument): void {
    this.#cancel(document);
    this.#collection.delete(document.uri);
  }

  #cancel(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    const pending = this.#pending.get(key);
    clearTimeout(pending?.timer);
    pending?.abort.abort();
    this.#pending.delete(key);
  }
}
