/** A row of the run table for tests of what is made of rows. */
import { noAnnotation, type RunRow } from '../../src/core/runRow.ts';

export function row(id: string, own: Partial<RunRow> = {}): RunRow {
  return {
    ...noAnnotation,
    ...{ id, name: id, method: 'masksub', role: 'method', experiment: 'e', seed: 0, dataset: 'fashion-mnist-mini' },
    ...{ at: '2026-01-02T03:04:05.678Z', state: 'finished', config: {} },
    ...own,
  };
}

export const idsOf = (rows: readonly RunRow[]) => rows.map(({ id }) => id).join(' ');
