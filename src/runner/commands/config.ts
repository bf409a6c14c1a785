/** `masksub config`: checks a config and prints it resolved. */
import { leavesPaper } from '../../core/methodConfig.ts';
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
  const departures = leavesPaper(config);
  const said = departures.length > 0 ? { leavesPaper: departures } : {};
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ config, ...said })}\n`
      : `${JSON.stringify({ ...config, ...said }, undefined, 2)}\n`,
  );
}
