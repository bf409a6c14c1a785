/** `npm run bench [-- --json] [--quick]`: every benchmark, one after the other. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../setup/step.mjs';

const ends = ['step', 'data', 'editor', 'dashboard'].map((name) => {
  const file = path.join(root, 'scripts', 'bench', `${name}.mjs`);
  return spawnSync(process.execPath, [file, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
});
process.exitCode = Math.max(...ends);
