/** How a run stands, as an icon. */
import type { RunRow } from '../src/core/runRow.ts';

/** Signs that every font has; the word stands beside them. */
export const stateIcons: Readonly<Record<RunRow['state'], string>> = {
  starting: '◌',
  running: '▶',
  stopping: '◼',
  finished: '✓',
  stopped: '◼',
  failed: '✕',
  interrupted: '!',
  lost: '?',
};
