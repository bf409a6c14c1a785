/** Entry of the suite that VS Code loads inside its extension host, with the real `vscode` API. */
import fs from 'node:fs';
import Mocha from 'mocha';
import type { HostResults } from './results.ts';

/** Runs the suite; writes its results to the file in MASKSUB_HOST_RESULTS and fails where a test failed. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 30_000 });
  // Gives the files below their `describe` and `it`, as mocha does for files that it loads itself.
  mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE, globalThis, 'host', mocha);
  await import('./commands.ts');
  await import('./config.ts');
  await import('./native.ts');

  const tests: { name: string; error?: string }[] = [];
  const failures = await new Promise<number>((resolve) => {
    mocha
      .run(resolve)
      .on('pass', (test) => tests.push({ name: test.fullTitle() }))
      .on('fail', (test, error: Error) => tests.push({ name: test.fullTitle(), error: error.stack ?? error.message }));
  });
  const results: HostResults = { tests };
  if (process.env.MASKSUB_HOST_RESULTS) fs.writeFileSync(process.env.MASKSUB_HOST_RESULTS, JSON.stringify(results));
  if (failures > 0) throw new Error(`${failures} tests failed inside the extension host.`);
}
