/** Run folders written by hand: what a runner would have said, without training. */
import fs from 'node:fs';
import path from 'node:path';
import { epochEvent, startEvent, stepEvent } from '../core/examples.ts';

/** Writes a run folder of these lines; one that is a text goes in as it is. */
export function writeFolder(
  workspace: string,
  id: string,
  lines: readonly (object | string)[],
  config: object = { name: id },
): void {
  const folder = path.join(workspace, '.masksub', 'runs', id);
  fs.mkdirSync(folder, { recursive: true });
  const text = lines.map((line) => (typeof line === 'string' ? line : `${JSON.stringify(line)}\n`)).join('');
  fs.writeFileSync(path.join(folder, 'events.jsonl'), text);
  fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
}

/** Three steps and one validation of a run; it is no part of a pair unless the changes say so. */
export function linesOf(id: string, changes: object = {}): object[] {
  const own = { run: id, pair: undefined, name: id, at: '2026-01-01T00:00:00Z' };
  const steps = [10, 20, 30].map((step) => ({ ...stepEvent(step), run: id }));
  return [{ ...startEvent(), ...own, ...changes }, ...steps, { ...epochEvent(3, { top1: 0.5 }), run: id }];
}

export const endLine = { v: 1, run: '', attempt: 0, t: 99, type: 'end', state: 'finished', message: 'Done.' };

/** A finished experiment with a pair for each seed; the ids of its runs. */
export function writeExperiment(workspace: string, name: string, seeds: readonly number[]): string[] {
  return seeds.flatMap((seed) =>
    (['baseline', 'method'] as const).map((role) => {
      const method = role === 'baseline' ? 'baseline' : 'masksub';
      const pair = `20260101-000000-${name}-s${seed}`;
      const id = `${pair}-${method}`;
      writeFolder(workspace, id, [...linesOf(id, { pair, role, method, name, seed }), { ...endLine, run: id }], {
        name,
      });
      return id;
    }),
  );
}
