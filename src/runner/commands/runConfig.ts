/** The config of a run as its folder holds it. */
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { type Config, resolveConfig } from '../../core/config.ts';
import { UserError } from '../../core/errors.ts';
import { withoutRunKeys } from '../../core/methodConfig.ts';
import { recipes } from '../../engine/recipes/index.ts';
import { explainFileError } from '../../store/files.ts';
import { runFiles } from '../../store/layout.ts';

const writtenConfig = z.looseObject({
  dataHash: z.string(),
  versions: z.unknown(),
  method: z.looseObject({ name: z.string() }),
});

/** The config that a run has written, and the hash of its data. Throws a `UserError` where the file is damaged. */
export function readRunConfig(folder: string): { config: Config; dataHash: string } {
  const file = path.join(folder, runFiles.config);
  const parsed = writtenConfig.safeParse(parseJson(file));
  if (!parsed.success) {
    throw new UserError(`${file} is not as a run writes it.`, { hint: 'Put it back as it was, or start a new run.' });
  }
  const { dataHash, method } = parsed.data;
  const result = resolveConfig(withoutRunKeys(parsed.data), recipes);
  if ('problems' in result) {
    const [problem] = result.problems;
    throw new UserError(`${file}: ${problem?.message}`, { hint: 'Put it back as it was, or start a new run.' });
  }
  return { config: { ...result.config, method: method as Config['method'] }, dataHash };
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw explainFileError(file, error);
  }
}
