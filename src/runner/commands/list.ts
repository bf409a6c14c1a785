/** `masksub list`: the runs of a folder, newest first. */
import { percent, titleOf } from '../../core/comparison.ts';
import { encodeEvent } from '../../core/events.ts';
import { significant } from '../../core/format.ts';
import type { RunRow } from '../../core/runRow.ts';
import { RunRows } from '../../store/runRows.ts';
import { table } from '../table.ts';

export function list(options: { out: string; json?: boolean }): void {
  const rows = new RunRows(() => [options.out]).read();
  if (options.json) {
    process.stdout.write(`${encodeEvent(rows)}\n`);
    return;
  }
  process.stdout.write(rows.length > 0 ? `${listing(rows)}\n` : `There are no runs in ${options.out}.\n`);
}

function listing(rows: readonly RunRow[]): string {
  const lines = rows.map(({ id, state, method, seed, epochs, top1, at }) => [
    plain(id),
    state,
    plain(titleOf(method)),
    String(seed),
    epochs === undefined ? '–' : significant(epochs),
    top1 === undefined ? '–' : percent(top1),
    localTime(at),
  ]);
  const problems = rows.flatMap(({ id, problem }) => (problem ? [`${plain(id)}: ${plain(problem)}`] : []));
  const listed = table(['run', 'state', 'method', 'seed', 'epochs', 'top-1', 'began'], lines);
  return [listed, ...(problems.length > 0 ? ['', ...problems] : [])].join('\n');
}

/** `2026-11-25 20:07`, in the time zone of whoever reads it. */
function localTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '–';
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What comes from a file cannot steer the terminal. */
const plain = (text: string) => text.replaceAll(/\p{Cc}/gu, '�');
