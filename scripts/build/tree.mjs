/** A hash over files, by which a step knows that what it would make is there already. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/**
 * SHA-256 over names and contents of all files under `entries` (files or folders, relative to `root`); missing ones count as absent.
 *
 * @param {string} root
 * @param {readonly string[]} entries
 */
export function hashOfTree(root, entries) {
  const hash = createHash('sha256');
  for (const entry of entries) visit(root, entry, hash);
  return hash.digest('hex');
}

function visit(root, entry, hash) {
  const file = path.join(root, entry);
  const found = fs.statSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    for (const name of fs.readdirSync(file).sort()) visit(root, path.join(entry, name), hash);
  } else if (found) {
    hash.update(`${entry}\0${found.size}\0`).update(fs.readFileSync(file));
  }
}
