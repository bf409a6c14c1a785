/** The config of a run as its folder holds it. */
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { type Config, resolveConfig } from '../../core/config.ts';
import { UserError } from '../../core/errors.ts';
import { ownMethodKeys } from '../../core/methodConfig.ts';
import { recipes } from '../../engine/recipes/index.ts';
import { explainFileError } from '../../store/files.ts';
import { runFiles } from '../../store/layout.ts';

const writtenConfig = z.looseObject({ dataHash: z.string(), method: z.looseObject({ name: z.string() }) });

/** The config that a run has written, and the hash of its data. Throws a `UserError` where the file is damaged. */
export function readRunConfig(folder: string): { config: Config; dataHash: string } {
  const file = path.join(folder, runFiles.config);
  const parsed = writtenConfig.safeParse(parseJson(file));
  if (!parsed.success) {
    throw new UserError(`${file} is not as a run writes it.`, { hint: 'Put it back as it was, or start a new run.' });
  }
  const { dataHash, versions: _versions, pair: _pair, ...written } = parsed.data;
  // What a method has no use for, the check of a person's config refuses.
  const input = { ...written, method: ownMethodKeys(written.method) };
  const result = resolveConfig(input, recipes);
  if ('problems' in result) {
    const [problem] = result.problems;
    throw new UserError(`${file}: ${problem?.message}`, { hint: 'Put it back as it was, or start a new run.' });
  }
  return { config: { ...result.config, method: written.method as Config['method'] }, dataHash };
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw explainFileError(file, error);
  }
}
