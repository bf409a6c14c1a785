/** Reads a config for a command, or ends it with every problem at its place. */
import fs from 'node:fs';
import { recipes } from '../../engine/recipes/index.ts';
import { type ConfigFileResult, readConfigFile } from '../../store/configFile.ts';

export interface ConfigSource {
  /** A file, or `-` for standard input. */
  readonly config: string;
  /** The name of what comes from standard input. */
  readonly as?: string;
  readonly set?: readonly string[];
  readonly method?: string;
}

export function readConfig({ config, as, set, method }: ConfigSource): ConfigFileResult {
  const isInput = config === '-';
  return readConfigFile(isInput ? (as ?? 'standard input') : config, recipes, {
    ...(isInput ? { text: fs.readFileSync(0, 'utf8') } : {}),
    ...(set ? { set } : {}),
    ...(method ? { method } : {}),
  });
}
