/** Runs of a plan under the eyes of a person: progress as they go, the table at the end, the exit code. */
import { encodeEvent } from '../../core/events.ts';
import { lead, type Plan } from '../leader.ts';
import { comparisonTable, progressLines } from '../terminal.ts';

/** Makes the runs, whose folders lie in `out`; a signal stops them. With `json`, prints their events, one a line. */
export async function conduct(plan: Plan, out: string, { json }: { readonly json?: boolean }): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const said = new Set<string>();
  const outcome = await lead(
    plan,
    {
      onEvent: (event, runs) => {
        if (json) print(encodeEvent(event));
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
  if (json) print(encodeEvent({ type: 'comparison', ...outcome.comparison }));
  else if ([...outcome.runs.values()].some((run) => run.start))
    print(`\n${comparisonTable(outcome.runs.values(), outcome.comparison)}\n\nRun folders: ${out}`);
  process.exitCode = outcome.exitCode;
}
