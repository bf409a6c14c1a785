/** A config's data set as the runner opens it: with the data that come along, the engine's decoder, and words for what breaks on the way. */
import type { Config } from '../core/config.ts';
import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/index.ts';
import { engineFolder, mediaFolder } from './paths.ts';

export interface OpenData {
  readonly data: Dataset;
  /** Sentences about images that were found broken since; whoever says them may take them out. */
  readonly broken: string[];
}

/** Relative paths start in `configFolder`. Throws a `UserError` where files are missing or damaged. */
export async function openData(config: Config['data'], configFolder: string): Promise<OpenData> {
  const broken: string[] = [];
  const data = await openDataset(config, {
    mediaFolder: mediaFolder(),
    configFolder,
    engineFolder: engineFolder(),
    onBroken: (name, reason) => broken.push(`${name} cannot be decoded (${reason}); a grey image takes its place.`),
  });
  return { data, broken };
}
