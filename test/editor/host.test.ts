/** The suite in `host/`, which runs inside the extension host of a real VS Code; its tests are reported here one by one. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { configText } from './configs.ts';
import { openBrowser, openServer } from './editor.ts';
import { hostResultsSchema } from './host/results.ts';
import { until } from './runs.ts';

const results = await runHostSuite();

test('the suite ran inside the extension host', () => expect(results.tests.length).toBeGreaterThan(0));
for (const { name, error } of results.tests) {
  test(name, () => {
    if (error !== undefined) throw new Error(error);
  });
}

/** Opens a window that runs the suite against the installed extension, and waits for the file with its results. */
async function runHostSuite() {
  const file = path.resolve('test-results/host.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.rmSync(file, { force: true });
  // Without this flag the build ignores the test payload silently.
  const server = await openServer({
    args: ['--enable-smoke-test-driver'],
    env: { MASKSUB_HOST_RESULTS: file },
    files: { 'tiny.masksub.json': configText(1) },
  });
  const browser = await openBrowser();
  const log: string[] = [];
  try {
    const page = await browser.newPage();
    await page.exposeFunction('codeAutomationLog', (_kind: string, args: unknown[]) => log.push(args.join(' ')));
    await page.exposeFunction('codeAutomationExit', (code: number) => log.push(`exit ${code}`));
    const remote = `vscode-remote://127.0.0.1:${server.port}`;
    const payload = [
      ['extensionDevelopmentPath', `${remote}${server.extension}`],
      ['extensionTestsPath', `${remote}${path.resolve('dist/test/index.cjs')}`],
    ];
    const query = new URLSearchParams({ folder: server.workspace, payload: JSON.stringify(payload) });
    await page.goto(`${server.origin}?${query}`);
    await until('the results of the suite', () => fs.existsSync(file), 240);
    return hostResultsSchema.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  } catch (error) {
    throw new Error(`The suite did not run inside the extension host.\n${log.join('\n')}`, { cause: error });
  } finally {
    await browser.close();
    await server.close();
  }
}
