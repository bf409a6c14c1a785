/** `masksub run`: an experiment from its config to its comparison. */
import path from 'node:path';
import type { Config } from '../../core/config.ts';
import { encodeEvent } from '../../core/events.ts';
import { formatProblem } from '../../store/configFile.ts';
import { lead } from '../leader.ts';
import { comparisonTable, progressLines } from '../terminal.ts';
import { readConfig } from './readConfig.ts';

interface RunOptions {
  readonly set: string[];
  readonly method?: string;
  readonly out: string;
  readonly backend?: string;
  readonly executor?: string;
  readonly id?: string;
  readonly json?: boolean;
}

export async function run(file: string, options: RunOptions): Promise<void> {
  const set = [
    ...options.set,
    ...(options.backend ? [`run.backend=${options.backend}`] : []),
    ...(options.executor ? [`run.executor=${options.executor}`] : []),
  ];
  const result = readConfig({ config: file, set, ...(options.method ? { method: options.method } : {}) });
  if ('problems' in result) {
    for (const problem of result.problems) process.stderr.write(`${formatProblem(problem)}\n`);
    process.exitCode = 2;
    return;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const { config } = result;
  const experiment = {
    id: options.id ?? experimentId(config),
    out: path.resolve(options.out),
    config,
    configFolder: path.dirname(path.resolve(file)),
  };
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const said = new Set<string>();
  const outcome = await lead(
    experiment,
    {
      onEvent: (event, runs) => {
        if (options.json) print(encodeEvent(event));
        else for (const line of progressLines(event, runs)) print(line);
      },
      onError: (text) => {
        // Both runs of a pair meet the same trouble; once is enough.
        if (!said.has(text)) process.stderr.write(`Error: ${text}\n`);
        said.add(text);
      },
    },
    stop.signal,
  );
  if (options.json) print(encodeEvent({ type: 'comparison', ...outcome.comparison }));
  else if ([...outcome.runs.values()].some((run) => run.start))
    print(`\n${comparisonTable(outcome.runs.values(), outcome.comparison)}\n\nRun folders: ${experiment.out}`);
  process.exitCode = outcome.exitCode;
}

/** Sortable by time: 20260131-235959-fashion-vit. */
function experimentId(config: Config): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const slug = config.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return slug ? `${time}-${slug}` : time;
}
