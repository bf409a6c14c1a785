/** The project's npm packages, as the lock file names them. */
import fs from 'node:fs';
import path from 'node:path';
import { execute, root, SetupError, step } from './step.mjs';

const oldestNode = 20;

/** Installs what package-lock.json names, without running any package's scripts. */
export async function setUpPackages() {
  if (Number(process.versions.node.split('.')[0]) < oldestNode) {
    throw new SetupError(`This is Node ${process.versions.node}; MaskSub needs Node ${oldestNode} or newer.`);
  }
  await step('npm packages', foundPackages, async () => {
    // Not `npm ci`: it refuses a lock file without the optional binaries of every other platform, and not every mirror
    // has those. `--no-save` installs what the lock file names and leaves it as it is.
    await execute('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], {
      hint: 'Is the package registry that npm is configured for in reach?',
    });
  });
}

/** npm keeps a record of what it installed: done where that holds every package of the lock file at its version. */
function foundPackages() {
  const installed = packagesIn(path.join(root, 'node_modules', '.package-lock.json'));
  const wanted = Object.entries(packagesIn(path.join(root, 'package-lock.json')));
  const isThere = ([name, { version, optional }]) => name === '' || optional || installed[name]?.version === version;
  return wanted.length > 0 && wanted.every(isThere) ? 'installed' : undefined;
}

function packagesIn(file) {
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')).packages ?? {}) : {};
}
