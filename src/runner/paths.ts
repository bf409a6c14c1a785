/** Where things lie: the folder of the extension or checkout, its media, the native engine. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The nearest folder above this code that holds the project's package.json; the same from sources, bundle and .vsix. */
export function projectFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!fs.existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error('There is no package.json above the code.');
    folder = parent;
  }
  return folder;
}

export const mediaFolder = () => path.join(projectFolder(), 'media');
export const wasmFolder = () => path.join(projectFolder(), 'dist', 'wasm');
/** The command line's own file, for children. */
export const cliFile = () => path.join(projectFolder(), 'dist', 'cli.js');

/** The folder of the native engine: `MASKSUB_ENGINE`, else the checkout's own. */
export function engineFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.MASKSUB_ENGINE ? path.resolve(env.MASKSUB_ENGINE) : path.join(projectFolder(), '.engine');
}

/** The addon within an engine folder. */
export const bindingFile = (folder: string) => path.join(folder, 'lib', 'napi-v8', 'tfjs_binding.node');

/** The addon of that engine folder that runs recorded steps. */
export const stepAddonFile = (folder: string) => path.join(folder, 'lib', 'napi-v8', 'masksub.node');
