/** The extension-host suite in desktop VS Code, through @vscode/test-electron. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from '../setup/step.mjs';

/** Runs the suite; where no desktop build can be had or shown it is skipped with the reason. */
export async function testDesktop() {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    return skipped('there is no display (try xvfb-run -a npm run test:desktop)');
  }
  const { downloadAndUnzipVSCode, runTests } = await import('@vscode/test-electron');
  let executable = process.env.VSCODE_EXECUTABLE;
  if (!executable) {
    try {
      executable = await downloadAndUnzipVSCode({
        version: 'stable',
        cachePath: path.join(root, '.editor', 'desktop'),
      });
    } catch (error) {
      return skipped(`no desktop VS Code could be downloaded (${error.message}); name one in VSCODE_EXECUTABLE`);
    }
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-desktop-'));
  const results = path.join(folder, 'results.json');
  const workspace = path.join(folder, 'workspace');
  fs.mkdirSync(workspace);
  try {
    await runTests({
      vscodeExecutablePath: executable,
      extensionDevelopmentPath: root,
      extensionTestsPath: path.join(root, 'dist', 'test', 'index.cjs'),
      launchArgs: [workspace, '--disable-workspace-trust', '--user-data-dir', path.join(folder, 'user')],
      extensionTestsEnv: { MASKSUB_HOST_RESULTS: results },
    }).catch((error) => console.error(error.message));
    if (!fs.existsSync(results)) return { passed: 0, failed: 1, skipped: [] };
    const { tests } = JSON.parse(fs.readFileSync(results, 'utf8'));
    const failed = tests.filter(({ error }) => error !== undefined);
    for (const { name, error } of failed) console.error(`${name}: ${error}`);
    return { passed: tests.length - failed.length, failed: failed.length, skipped: [] };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function skipped(reason) {
  return { passed: 0, failed: 0, skipped: [{ name: 'extension host in desktop VS Code', reason }] };
}
