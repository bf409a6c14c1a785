/** `masksub config`: checks a config and prints it resolved. */
import { formatProblem } from '../../store/configFile.ts';
import { readConfig } from './readConfig.ts';

export function config(file: string, options: { as: string; set: string[]; method?: string; json?: boolean }): void {
  const result = readConfig({ config: file, ...options });
  if ('problems' in result) {
    process.exitCode = 2;
    if (options.json) process.stdout.write(`${JSON.stringify({ problems: result.problems })}\n`);
    else for (const problem of result.problems) process.stderr.write(`${formatProblem(problem)}\n`);
    return;
  }
  const { config } = result;
  process.stdout.write(options.json ? `${JSON.stringify({ config })}\n` : `${JSON.stringify(config, undefined, 2)}\n`);
}
