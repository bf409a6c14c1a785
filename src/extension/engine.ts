/** Where the native engine lies: the environment, the setting, this extension's own storage, or the checkout. */
import fs from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';

/** The folder of the native engine, or nothing where there is none; the runner then computes on WebAssembly. */
export function engineFolder(context: vscode.ExtensionContext): string | undefined {
  const setting = vscode.workspace.getConfiguration('masksub').get<string>('enginePath')?.trim();
  // What a person named is passed on even when it is wrong: the runner then says so.
  const named = process.env.MASKSUB_ENGINE || setting;
  if (named) return named;
  const own = [path.join(context.globalStorageUri.fsPath, 'engine'), path.join(context.extensionPath, '.engine')];
  return own.find(holdsEngine);
}

/** True where the folder holds the addon of the engine. */
export function holdsEngine(folder: string): boolean {
  return fs.existsSync(path.join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'));
}
