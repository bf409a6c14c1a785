/** A Chromium for the editor tests: the one that is there, else Debian's or Ubuntu's package. */
import fs from 'node:fs';
import path from 'node:path';
import { canExecute, execute, SetupError, step } from './step.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** The browser's program, or nothing where there is none. `CHROME_PATH` wins over what is on the PATH. */
export function findBrowser() {
  if (process.env.CHROME_PATH) return process.env.CHROME_PATH;
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  for (const name of names) {
    for (const folder of folders) {
      const file = path.join(folder, name);
      if (fs.existsSync(file)) return file;
    }
  }
  return undefined;
}

export async function setUpBrowser() {
  await step('browser', findBrowser, async () => {
    const hint = 'Install Chromium or Chrome by hand, or name one in CHROME_PATH.';
    const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
    const mayInstall =
      (await canExecute('apt-get')) && (sudo.length === 0 || (await canExecute('sudo', ['-n', 'true'])));
    if (!mayInstall)
      throw new SetupError(`The editor tests need a browser, and set-up may not install one here. ${hint}`);
    const apt = async (...args) => {
      const [command, ...rest] = [...sudo, 'apt-get', ...args];
      await execute(command, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, hint });
    };
    await apt('update');
    await apt('install', '--yes', '--no-install-recommends', 'chromium');
    const browser = findBrowser();
    if (!browser) throw new SetupError(`apt-get installed chromium, but no browser is on the PATH. ${hint}`);
    return browser;
  });
}
