/** The project's npm packages, as the lock file names them. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { execute, root, SetupError, step } from './step.mjs';

const oldestNode = 20;

/** Installs what package-lock.json names, without running any package's scripts. */
export async function setUpPackages() {
  if (Number(process.versions.node.split('.')[0]) < oldestNode) {
    throw new SetupError(`This is Node ${process.versions.node}; MaskSub needs Node ${oldestNode} or newer.`);
  }
  const mark = path.join(root, 'node_modules', '.masksub-lock');
  const wanted = createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  await step(
    'npm packages',
    () => (fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === wanted ? 'installed' : undefined),
    async () => {
      await execute('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
      fs.writeFileSync(mark, wanted);
    },
  );
}
