/** `masksub run`: an experiment from its config to its comparison. */
import path from 'node:path';
import { newExperimentId } from '../../core/experiment.ts';
import { formatProblem } from '../../store/configFile.ts';
import { planOf } from '../leader.ts';
import { conduct } from './conduct.ts';
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
  const { config } = result;
  const experiment = {
    id: options.id ?? newExperimentId(config.name, new Date()),
    out: path.resolve(options.out),
    config,
    configFolder: path.dirname(path.resolve(file)),
  };
  await conduct(planOf(experiment), experiment.out, options);
}
