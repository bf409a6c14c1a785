/** A file of weights by its content: safetensors, or what PyTorch saves. */
import fs from 'node:fs/promises';
import { UserError } from '../core/errors.ts';
import { openTorchFile } from '../data/torchFile.ts';
import { explainFileError } from '../store/files.ts';
import { openSafetensors, type SafetensorsFile } from '../store/safetensorsFile.ts';

export interface WeightsFile extends SafetensorsFile {
  /** What a person should know of how it was read, as sentences. */
  readonly notes: readonly string[];
}

/** Opens a file of weights, whatever its name ends in. Throws a `UserError` where it is none. Close it. */
export async function openWeights(file: string): Promise<WeightsFile> {
  const first = await firstBytes(file);
  // Of safetensors the first 8 bytes are a length, then comes JSON; PyTorch has a zip archive, and before version 1.6 a pickle.
  if (first[8] === 0x7b) return { ...(await openSafetensors(file)), notes: [] };
  const isTorch = first.subarray(0, 4).toString('latin1') === 'PK\x03\x04' || first[0] === 0x80;
  if (isTorch) return { ...(await openTorchFile(file)), metadata: {} };
  const what = first.length === 0 ? 'is empty' : `begins with ${JSON.stringify(first.toString('latin1'))}`;
  throw new UserError(`${file}: expected weights, in safetensors or as PyTorch saves them; the file ${what}.`, {
    hint: 'Get it again: the download may have ended early or brought a page or a pointer instead.',
  });
}

async function firstBytes(file: string): Promise<Buffer> {
  try {
    const handle = await fs.open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw explainFileError(file, error);
  }
}
