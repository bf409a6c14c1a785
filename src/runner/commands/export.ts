/** `masksub export`: a run's model for other programs. */
import { UserError } from '../../core/errors.ts';
import { type Choice, choose } from '../exports/chosen.ts';
import { writePytorch } from '../exports/pytorch.ts';
import { writeSavedModel } from '../exports/savedModelFolder.ts';

interface ExportOptions extends Choice {
  readonly savedModel?: boolean;
  readonly pytorch?: boolean;
  readonly batch?: number;
  /** The file or folder to write. */
  readonly to?: string;
}

/** Writes what the options say, whole or not at all, and prints where it lies. */
export async function exportRun(name: string, options: ExportOptions): Promise<void> {
  const { savedModel = false, pytorch = false, batch, to } = options;
  if (savedModel === pytorch) throw new UserError('Say what to write: --saved-model or --pytorch, one of them.');
  if (pytorch && batch !== undefined) {
    throw new UserError('--batch is for --saved-model: weights for PyTorch fit any batch size.', {
      hint: 'Leave it out.',
    });
  }
  const chosen = await choose(name, options);
  const written = pytorch ? writePytorch(chosen, to) : await writeSavedModel(chosen, to, batch);
  process.stdout.write(`Wrote ${written}\n`);
}
