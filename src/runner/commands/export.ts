/** `masksub export`: a run's model for other programs, or what runs say as figures, tables and words. */
import { UserError } from '../../core/errors.ts';
import type { Choice } from '../exports/chosen.ts';
import {
  type ComparisonFormat,
  type ComparisonOptions,
  comparisonFormats,
  exportComparison,
} from '../exports/comparison.ts';

interface ExportOptions extends Choice, ComparisonOptions, Partial<Readonly<Record<ComparisonFormat, boolean>>> {
  readonly savedModel?: boolean;
  readonly pytorch?: boolean;
  readonly batch?: number;
  /** The file or folder to write. */
  readonly to?: string;
}

/** Writes what the options say, whole or not at all, and prints where it lies. */
export async function exportRun(names: readonly string[], options: ExportOptions): Promise<void> {
  const { savedModel = false, pytorch = false } = options;
  const formats = comparisonFormats.filter((format) => options[format]);
  if (formats.length + Number(savedModel) + Number(pytorch) !== 1) {
    const all = comparisonFormats.map((format) => `--${format}`).join(', ');
    throw new UserError(`Say what to write: ${all}, --saved-model or --pytorch, one of them.`);
  }
  const [format] = formats;
  const written = format ? await writeComparison(names, format, options) : await writeModel(names, options);
  if (written !== undefined) process.stdout.write(`Wrote ${written}\n`);
}

async function writeModel(names: readonly string[], options: ExportOptions): Promise<string> {
  const { pytorch = false, batch, to } = options;
  const [name, ...others] = names;
  if (name === undefined || others.length > 0) {
    throw new UserError(`A model is that of one run; these are ${names.length}.`, { hint: 'Name one run.' });
  }
  const other = comparisonOnly.find((key) => options[key] !== undefined && options[key] !== false);
  if (other !== undefined) {
    throw new UserError(`--${flagOf(other)} is for figures and tables, not for a model.`, { hint: 'Leave it out.' });
  }
  if (pytorch && batch !== undefined) {
    throw new UserError('--batch is for --saved-model: weights for PyTorch fit any batch size.', {
      hint: 'Leave it out.',
    });
  }
  // What reads models brings all that trains; figures do without.
  const chosen = await (await import('../exports/chosen.ts')).choose(name, options);
  if (pytorch) return (await import('../exports/pytorch.ts')).writePytorch(chosen, to);
  return (await import('../exports/savedModelFolder.ts')).writeSavedModel(chosen, to, batch);
}

async function writeComparison(names: readonly string[], format: ComparisonFormat, options: ExportOptions) {
  const { checkpoint, ema, batch } = options;
  const other = [checkpoint && 'checkpoint', ema && 'ema', batch && 'batch'].find((flag) => flag);
  if (other) throw new UserError(`--${other} is for a model, not for --${format}.`, { hint: 'Leave it out.' });
  return exportComparison(names, format, options);
}

const comparisonOnly = [
  'chart',
  'axis',
  'from',
  'until',
  'smoothing',
  'log',
  'style',
  'width',
  'scale',
  'eachSeed',
] as const satisfies readonly (keyof ComparisonOptions)[];

const flagOf = (key: string) => key.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`);
