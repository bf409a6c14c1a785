/** The image decoder in the engine's folder, where a packaged extension finds it: sharp with the libraries that it needs here. */
import fs from 'node:fs';
import path from 'node:path';
import { root, step } from './step.mjs';

const modules = path.join(root, 'node_modules');

/** Copies sharp and what it depends on from the project's packages into `folder`, by default `.engine/` of the checkout. */
export async function setUpImages(folder = path.join(root, '.engine')) {
  const target = path.join(folder, 'node_modules');
  const version = manifest('sharp')?.version;
  await step(
    'image decoder',
    () => {
      if (!version) return 'sharp has no build for this machine; images cannot be decoded';
      return fs.existsSync(folder) && isComplete(target, version) ? `sharp ${version}` : undefined;
    },
    () => {
      fs.rmSync(target, { recursive: true, force: true });
      for (const name of packagesOf('sharp')) {
        fs.cpSync(path.join(modules, name), path.join(target, name), { recursive: true, dereference: true });
      }
      fs.writeFileSync(markOf(target), version);
      return `sharp ${version}`;
    },
  );
}

const markOf = (target) => path.join(target, 'complete');
const isComplete = (target, version) =>
  fs.existsSync(markOf(target)) && fs.readFileSync(markOf(target), 'utf8') === version;

/** A package and all that it depends on, as far as it is installed: of the optional ones those for this machine. */
function packagesOf(name, found = new Set()) {
  const about = manifest(name);
  if (!about || found.has(name)) return found;
  found.add(name);
  for (const other of Object.keys({ ...about.dependencies, ...about.optionalDependencies })) packagesOf(other, found);
  return found;
}

function manifest(name) {
  const file = path.join(modules, name, 'package.json');
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
}
