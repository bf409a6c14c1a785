/**
 * The batches of CIFAR in their version for Python: pickled dicts of a NumPy array of pixels and a list of labels.
 * Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html
 */
import { UserError } from '../core/errors.ts';
import { NumpyArray, numpyGlobals } from './numpyPickle.ts';
import { unpickle } from './pickle.ts';
import type { PickleFormat } from './pickleMachine.ts';

export interface PickledBatch {
  readonly count: number;
  /** As many rows of `rowBytes`. */
  readonly rows: Uint8Array;
  readonly labels: readonly number[];
}

/** The batch in the content of a file: `data`, one row per image, and the labels under `labelKey`. */
export function readPickledBatch(bytes: Uint8Array, file: string, labelKey: string, rowBytes: number): PickledBatch {
  const batch = readDict(bytes, file);
  const data = batch.get('data');
  if (!(data instanceof NumpyArray)) throw wrong(file, `expected a NumPy array "data", found ${foundIn(batch)}`);
  const [count = 0, ...row] = data.shape;
  if (data.type.code !== 'u1' || row.length !== 1 || row[0] !== rowBytes || count === 0) {
    const shape = data.shape.join(' × ');
    throw wrong(
      file,
      `expected "data" to be images × ${rowBytes} of type u1, found ${shape} of type ${data.type.code}`,
    );
  }
  const values = data.bytes;
  if (values.length !== count * rowBytes) {
    throw wrong(file, `"data" says that it is ${count} × ${rowBytes}, but has ${values.length} bytes`);
  }
  const labels = batch.get(labelKey);
  if (!Array.isArray(labels)) throw wrong(file, `expected a list "${labelKey}", found ${foundIn(batch)}`);
  if (labels.length !== count)
    throw wrong(file, `"data" has ${count} images, but "${labelKey}" ${labels.length} labels`);
  const odd = labels.findIndex((label) => !Number.isSafeInteger(label) || label < 0);
  if (odd >= 0) throw wrong(file, `label ${odd + 1} is no number of a class`);
  return { count, rows: data.fortran ? rowByRow(values, count, rowBytes) : values, labels };
}

/** The names of the classes in the content of a `meta` file; they are not checked. */
export function readPickledNames(bytes: Uint8Array, file: string, key: string): string[] {
  const names = readDict(bytes, file).get(key);
  if (!Array.isArray(names)) throw wrong(file, `expected a list "${key}"`);
  return names.map((name) => textOf(name) ?? '');
}

export function wrong(file: string, what: string): UserError {
  return new UserError(`${file}: ${what}.`, {
    hint: 'Unpack the archive for Python of https://www.cs.toronto.edu/~kriz/cifar.html again.',
  });
}

const cifarPickle: PickleFormat = {
  content: 'a CIFAR batch',
  hint: 'Get the archive of https://www.cs.toronto.edu/~kriz/cifar.html again, or its binary version.',
  globals: new Map(numpyGlobals),
};

/** By text, whether Python 2 or 3 wrote the keys. */
function readDict(bytes: Uint8Array, file: string): Map<string, unknown> {
  const value = unpickle(bytes, file, cifarPickle);
  if (!(value instanceof Map)) throw wrong(file, 'expected a pickled dict');
  return new Map([...value].map(([key, item]) => [textOf(key) ?? '', item]));
}

function textOf(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'string' ? value : undefined;
}

const foundIn = (batch: ReadonlyMap<string, unknown>) =>
  batch.size === 0
    ? 'nothing'
    : [...batch.keys()]
        .slice(0, 8)
        .map((key) => `"${key.slice(0, 40)}"`)
        .join(', ');

/** From an array whose first axis varies fastest. */
function rowByRow(values: Uint8Array, count: number, rowBytes: number): Uint8Array {
  const rows = new Uint8Array(values.length);
  for (let row = 0; row < count; row++) {
    for (let at = 0; at < rowBytes; at++) rows[row * rowBytes + at] = values[at * count + row] as number;
  }
  return rows;
}
