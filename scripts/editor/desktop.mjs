/** Desktop VS Code, where there is one and a display to show it on. */
import fs from 'node:fs';
import path from 'node:path';
import { execute } from '../setup/step.mjs';

/** The command line of desktop VS Code, or nothing: no display, no `code`, or a `code` that is something else. */
export async function desktopEditor() {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return undefined;
  try {
    const version = await execute('code', ['--version']);
    return /^\d+\.\d+\.\d+\S*\n[0-9a-f]{40}\n/.test(version) ? 'code' : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens a window on the workspace, with a profile of its own that leaves the person's editor alone.
 *
 * @param {string} code
 * @param {{profile: string, extension: string, workspace: string, env: NodeJS.ProcessEnv}} options
 */
export async function openDesktop(code, { profile, extension, workspace, env }) {
  const user = path.join(profile, 'desktop');
  const folders = ['--user-data-dir', user, '--extensions-dir', path.join(profile, 'desktop-extensions')];
  fs.mkdirSync(path.join(user, 'User'), { recursive: true });
  const settings = { 'workbench.startupEditor': 'none', 'masksub.enginePath': env.MASKSUB_ENGINE };
  fs.writeFileSync(path.join(user, 'User', 'settings.json'), JSON.stringify(settings, null, 2));
  await execute(code, [...folders, '--install-extension', extension, '--force'], { env });
  await execute(code, [...folders, '--disable-workspace-trust', '--new-window', workspace], { env });
  return 'VS Code';
}
