/** The state of a run as a word for the run list, the summary page and pick lists. */
import { t } from '../core/l10n.ts';
import type { RunState } from '../core/run.ts';

export function stateText(state: RunState['state']): string {
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
