/** How a run stands, as an icon and a word. */
import { t } from '../src/core/l10n.ts';
import type { RunRow } from '../src/core/runRow.ts';

export function stateTitle(state: RunRow['state']): string {
  switch (state) {
    case 'starting':
      return t('Starting');
    case 'running':
      return t('Running');
    case 'stopping':
      return t('Stopping');
    case 'finished':
      return t('Finished');
    case 'stopped':
      return t('Stopped');
    case 'failed':
      return t('Failed');
    case 'interrupted':
      return t('Interrupted');
    case 'lost':
      return t('Lost');
  }
}

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
