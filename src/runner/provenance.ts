/** What a run was made with; written into its `config.json` so that it can be repeated. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { engineFolder, projectFolder } from './paths.ts';

export function provenance(dataHash: string, backend: string, threads: number) {
  const { version } = JSON.parse(fs.readFileSync(path.join(projectFolder(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return {
    dataHash,
    versions: {
      masksub: version,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      ...(backend === 'tensorflow' ? { libtensorflow: engineVersion() } : {}),
    },
    machine: { processor: os.cpus()[0]?.model.trim() ?? 'unknown', threads },
  };
}

/** The version of libtensorflow that the engine folder names, or `unknown`. */
export function engineVersion(folder = engineFolder()): string {
  try {
    const info = JSON.parse(fs.readFileSync(path.join(folder, 'engine.json'), 'utf8')) as { libtensorflow?: string };
    return info.libtensorflow ?? 'unknown';
  } catch {
    return 'unknown'; // an engine folder put together by hand
  }
}
