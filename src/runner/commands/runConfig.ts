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
  versions: z.record(z.string(), z.string()).catch({}),
  machine: z.object({ processor: z.string(), threads: z.number() }).optional().catch(undefined),
  forkOf: z.object({ run: z.string(), step: z.number() }).optional(),
  method: z.looseObject({ name: z.string() }),
});

export interface RunConfig {
  readonly config: Config;
  readonly dataHash: string;
  /** What may change the numbers of a run: versions and machine, by name. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** Threads that the step was given; an older version did not note them. */
  readonly threads: number | undefined;
  readonly forkOf: { readonly run: string; readonly step: number } | undefined;
}

/** The config that a run has written, and what it noted beside it. Throws a `UserError` where the file is damaged. */
export function readRunConfig(folder: string): RunConfig {
  const file = path.join(folder, runFiles.config);
  const parsed = writtenConfig.safeParse(parseJson(file));
  if (!parsed.success) {
    throw new UserError(`${file} is not as a run writes it.`, { hint: 'Put it back as it was, or start a new run.' });
  }
  const { dataHash, method, versions, machine, forkOf } = parsed.data;
  const result = resolveConfig(withoutRunKeys(parsed.data), recipes);
  if ('problems' in result) {
    const [problem] = result.problems;
    throw new UserError(`${file}: ${problem?.message}`, { hint: 'Put it back as it was, or start a new run.' });
  }
  return {
    config: { ...result.config, method: method as Config['method'] },
    dataHash,
    facts: { ...versions, ...machine },
    threads: machine?.threads,
    forkOf,
  };
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw explainFileError(file, error);
  }
}
