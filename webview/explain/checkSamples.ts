/** Whether a message holds samples as `src/core/samples.ts` has them, without the schema library, which would double this page. */
import type { Samples } from '../../src/core/samples.ts';

/** What the record has, or an error that names the first field that is not as it should be. */
export function checkSamples(value: unknown): Samples {
  record(value, 'record', samplesFields);
  return value as Samples;
}

type Check = (value: unknown, at: string) => void;
type Fields = Readonly<Record<string, Check>>;

const count: Check = (value, at) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) wrong(at, 'a whole number from 0', value);
};
/** NaN and infinities have come back as numbers. */
const real: Check = (value, at) => {
  if (typeof value !== 'number') wrong(at, 'a number', value);
};
const text: Check = (value, at) => {
  if (typeof value !== 'string') wrong(at, 'a text', value);
};
const truth: Check = (value, at) => {
  if (typeof value !== 'boolean') wrong(at, 'true or false', value);
};
const finite: Check = (value, at) => {
  if (!Number.isFinite(value)) wrong(at, 'a finite number', value);
};
const only =
  (...allowed: readonly unknown[]): Check =>
  (value, at) => {
    if (!allowed.includes(value)) wrong(at, allowed.map((one) => JSON.stringify(one)).join(' or '), value);
  };
const list =
  (check: Check, { least = 0, most = Number.POSITIVE_INFINITY } = {}): Check =>
  (value, at) => {
    if (!Array.isArray(value)) wrong(at, 'a list', value);
    if (value.length < least || value.length > most) wrong(at, `a list of ${least} to ${most}`, value);
    for (let i = 0; i < value.length; i++) check(value[i], `${at}[${i}]`);
  };
const optional =
  (check: Check): Check =>
  (value, at) => {
    if (value !== undefined) check(value, at);
  };
const object =
  (fields: Fields): Check =>
  (value, at) =>
    record(value, at, fields);

function record(value: unknown, at: string, fields: Fields): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(at, 'an object', value);
  for (const [name, check] of Object.entries(fields)) check((value as Record<string, unknown>)[name], name);
}

function wrong(at: string, expected: string, value: unknown): never {
  const shown = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value).slice(0, 60);
  throw new TypeError(`"${at}": expected ${expected}, got ${shown}`);
}

const predictionFields: Fields = { predicted: count, confidence: real, certainty: real, loss: real };
const prediction = object(predictionFields);
const tokens = optional(list(text));
const block = optional(object({ offset: count, dtype: only('uint8', 'float32'), shape: list(count, { most: 4 }) }));

const samplesFields: Fields = {
  v: only(1),
  epoch: count,
  step: count,
  hash: optional(text),
  classNames: list(text),
  grid: optional(object({ rows: count, columns: count })),
  unit: optional(list(finite, { least: 2, most: 2 })),
  training: list(
    object({
      sample: count,
      label: count,
      mixed: truth,
      main: prediction,
      sub: optional(prediction),
      kept: optional(list(count)),
      tokens,
    }),
  ),
  validation: optional(
    object({
      samples: count,
      confusion: list(list(count)),
      worst: list(object({ sample: count, label: count, ...predictionFields, tokens })),
    }),
  ),
  blocks: object({ trainingImages: block, attention: block, worstImages: block }),
};
