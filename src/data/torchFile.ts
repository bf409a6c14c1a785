/** PyTorch checkpoints: the state dict in a file of `torch.save`, read without executing anything; the rest of it stays unread. */
import { UserError } from '../core/errors.ts';
import { listed } from '../core/format.ts';
import type { StoredTensor } from '../core/storedTensor.ts';
import { openTorchArchive, type TorchArchive } from './torchArchive.ts';
import { TensorReference } from './torchPickle.ts';
import { extentOf, valuesOf } from './torchTensor.ts';

export interface TorchFile {
  /** By their names in the state dict, in its order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What a person should know of how they were found, a sentence each. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** Throws a `UserError` where the file is damaged, names what could run code, or holds no state dict. */
export async function openTorchFile(file: string): Promise<TorchFile> {
  const archive = await openTorchArchive(file);
  try {
    const { references, notes } = stateDictOf(archive.value, file);
    const tensors = new Map<string, StoredTensor>();
    for (const [name, reference] of references) tensors.set(name, tensorOf(archive, reference, file, name));
    return { tensors, notes, close: () => archive.close() };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

function tensorOf(archive: TorchArchive, reference: TensorReference, file: string, name: string): StoredTensor {
  const { key } = reference.storage;
  const whose = `${file}: the tensor "${name}"`;
  const size = archive.storageSize(key);
  if (size === undefined) {
    throw new UserError(`${whose} lies in the storage ${key}, which is not in the file.`, {
      hint: 'Get this file again, and check that it was copied as a whole.',
    });
  }
  const { begin, end } = extentOf(reference, whose, size);
  const { dtype, shape } = reference;
  return { dtype, shape, read: async () => valuesOf(reference, whose, await archive.readStorage(key, begin, end)) };
}

/** Where published checkpoints keep their weights, the usual name first. */
const wrappers = ['model', 'module', 'state_dict', 'model_state_dict', 'model_ema'];
/** What DataParallel and DistributedDataParallel put before every name. */
const parallelPrefix = 'module.';

function stateDictOf(value: unknown, file: string): { references: Map<string, TensorReference>; notes: string[] } {
  const hint = 'In PyTorch, save `model.state_dict()`, with torch.save or as safetensors.';
  if (!(value instanceof Map)) throw new UserError(`${file} holds no state dict, but something else.`, { hint });
  const wrapper = wrappers.find((name) => hasTensors(value.get(name)));
  const dict: unknown = wrapper === undefined ? value : value.get(wrapper);
  if (!(dict instanceof Map) || !hasTensors(dict)) {
    const known = wrappers.map((name) => `"${name}"`).join(', ');
    const message = `${file} holds no state dict: expected tensors by name, at its top or under ${known}; found ${listOf(value)}.`;
    throw new UserError(message, { hint });
  }
  const notes: string[] = [];
  if (wrapper !== undefined) {
    const others = listOf(value, wrapper);
    notes.push(`The weights are those under "${wrapper}"${others === '' ? '' : `; not read: ${others}`}.`);
  }
  const references = new Map<string, TensorReference>();
  const left: string[] = [];
  for (const [name, tensor] of dict) {
    if (typeof name === 'string' && tensor instanceof TensorReference) references.set(name, tensor);
    else left.push(shown(name));
  }
  if (left.length > 0) notes.push(`Not tensors, and not read: ${shortened(left)}.`);
  if (![...references.keys()].every((name) => name.startsWith(parallelPrefix))) return { references, notes };
  notes.push(`Each name had "${parallelPrefix}" in front, which is left out.`);
  const entries = [...references].map(([name, tensor]) => [name.slice(parallelPrefix.length), tensor] as const);
  return { references: new Map(entries), notes };
}

const hasTensors = (value: unknown) =>
  value instanceof Map && [...value.values()].some((tensor) => tensor instanceof TensorReference);

const listOf = (dict: Map<unknown, unknown>, but?: string) =>
  shortened([...dict.keys()].filter((name) => name !== but).map(shown));

const shown = (name: unknown) => (typeof name === 'string' ? `"${name.slice(0, 80)}"` : String(typeof name));

/** The first few; a file may hold a million. */
const shortened = (names: readonly string[]) => listed(names, 12);
