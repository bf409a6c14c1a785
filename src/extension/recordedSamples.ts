/** What a run recorded of single samples, for the dashboard. */
import { describeError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import type { ArraysToDashboard } from '../core/messages.ts';
import { toWire } from '../core/wire.ts';
import { readSamples } from '../store/samplesFile.ts';

/** The answer to a question for the samples of an epoch; it says why where they cannot be read. */
export function recordedSamples(run: string, epoch: number, folder: string | undefined): ArraysToDashboard {
  const answer = { type: 'samples', run, epoch } as const;
  if (folder === undefined) return { ...answer, problem: t('This run is not shown any more.') };
  try {
    const { samples, bytes } = readSamples(folder, epoch);
    return { ...answer, samples: toWire(samples), bytes };
  } catch (error) {
    return { ...answer, problem: describeError(error) };
  }
}
