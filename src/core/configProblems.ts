/** What is wrong with a config, in words: what was found, what is allowed, the nearest right spelling. */
import type * as z from 'zod';
import { askedOf } from './augmentConfig.ts';
import type { Config } from './config.ts';
import { type ConfigInput, configGroups, configSchema } from './configSchema.ts';
import { dataProblems } from './dataConfig.ts';
import { nearestName } from './errors.ts';
import { isRange, keptTokens, largestRatio } from './maskRatio.ts';
import { methodDefaults, methodKeys } from './methodConfig.ts';
import { maskUnits, modelProblems } from './modelConfig.ts';

/** Something wrong in a config: where (a path of keys), what, and the way out. */
export interface ConfigProblem {
  readonly path: readonly (string | number)[];
  /** True where the key itself is wrong rather than its value. */
  readonly atKey: boolean;
  readonly message: string;
  /** The nearest right spelling, where there is one. */
  readonly suggestion?: string;
  /** True where the JSON Schema of the editor marks it too. */
  readonly inSchema: boolean;
}

/** Checks over several keys; each names the key that a person would change. */
export function crossChecks(config: Config, input: ConfigInput): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const problem = (path: [string, string], message: string) =>
    problems.push({ path, atKey: false, message, inSchema: false });
  const { model, train, data, method } = config;
  const own: readonly string[] = methodKeys[method.name];
  for (const { key, message } of modelProblems(model, input.model)) problem(['model', key], message);
  if (train.targetThreshold === 0 && train.smoothing > 0) {
    const message = '"targetThreshold" 0 makes every smoothed target 1; set "smoothing" to 0.';
    problem(['train', 'targetThreshold'], message);
  }
  if (method.maskRounding === 'up' && model.name !== 'resnet' && model.name !== 'swin') {
    const message = `"maskRounding" is for "resnet" and "swin"; the published code of "${model.name}" rounds down.`;
    problem(['method', 'maskRounding'], message);
  }
  const { maskRatio } = method;
  if (isRange(maskRatio) && maskRatio.min > maskRatio.max) {
    problem(['method', 'maskRatio'], `"min" (${maskRatio.min}) must not exceed "max" (${maskRatio.max}).`);
  }
  for (const key of ['maskRatio', 'subWeight'] as const) {
    const value = method[key];
    const starts = typeof value === 'object' && 'steps' in value ? value.steps.map(([epoch]) => epoch) : [];
    const late = starts.findIndex((epoch, i) => epoch <= (starts[i - 1] ?? -1));
    if (late < 0) continue;
    problem(['method', key], `The epochs of "steps" must ascend; ${starts[late]} comes after ${starts[late - 1]}.`);
  }
  if (train.targetThreshold !== undefined && train.loss !== 'bce') {
    problem(['train', 'targetThreshold'], `"targetThreshold" needs the loss "bce", found "${train.loss}".`);
  }
  if (train.warmupEpochs > train.epochs) {
    problem(
      ['train', 'warmupEpochs'],
      `"warmupEpochs" (${train.warmupEpochs}) must not exceed "epochs" (${train.epochs}).`,
    );
  }
  if (train.layerDecay !== 1 && (model.name === 'resnet' || model.name === 'swin')) {
    problem(
      ['train', 'layerDecay'],
      `"layerDecay" is for "vit" and "bert"; the layers of "${model.name}" have no numbers.`,
    );
  }
  for (const { key, message } of dataProblems(input.data)) problem(['data', key], message);
  const isText = data.dataset === 'text';
  if (isText !== (model.name === 'bert')) {
    const has = isText
      ? 'texts; the model for them is "bert"'
      : 'images; the models for them are "vit", "resnet" and "swin"';
    problem(['model', 'name'], `"${model.name}" does not go with the data set "${data.dataset}", which has ${has}.`);
  }
  for (const key of model.name === 'bert' ? askedOf(input.augment ?? {}) : []) {
    problem(['augment', key], `"${key}" is for images; the model "bert" sees texts.`);
  }
  if (train.scheduleLag && train.schedulePer !== 'epoch') {
    problem(['train', 'scheduleLag'], '"scheduleLag" needs "schedulePer": "epoch".');
  }
  if (train.minLearningRate > train.learningRate) {
    problem(
      ['train', 'minLearningRate'],
      `"minLearningRate" (${train.minLearningRate}) must not exceed "learningRate" (${train.learningRate}).`,
    );
  }
  const units = maskUnits(model);
  const ratio = largestRatio(config);
  if (units && own.includes('maskRatio') && keptTokens(units, ratio) < 1) {
    problem(['method', 'maskRatio'], `"maskRatio" ${ratio} leaves none of the ${units} patches; lower it.`);
  }
  if (new Set(config.compare.seeds).size !== config.compare.seeds.length) {
    problem(['compare', 'seeds'], '"seeds" holds a seed twice.');
  }
  for (const key of Object.keys(input.method ?? {}) as (keyof typeof methodDefaults)[]) {
    // A resolved config writes out every default.
    const isDefault = JSON.stringify(method[key]) === JSON.stringify(methodDefaults[key]);
    if (key === 'name' || own.includes(key) || isDefault) continue;
    const rest = own.length > 0 ? `It has: ${own.join(', ')}.` : 'It has no options.';
    problem(['method', key], `"${key}" does not apply to the method "${method.name}". ${rest}`);
  }
  // Without TensorFlow there is no recorded step, and without that one no bfloat16; "auto" is settled when the run starts.
  const { backend, executor, precision } = config.run;
  const isElsewhere = backend !== 'tensorflow' && backend !== 'auto';
  if (executor === 'recorded' && isElsewhere) {
    problem(['run', 'executor'], `The executor "recorded" needs the backend "tensorflow", found "${backend}".`);
  }
  if (precision === 'bfloat16' && executor === 'eager') {
    problem(['run', 'precision'], 'The precision "bfloat16" needs the executor "recorded", found "eager".');
  } else if (precision === 'bfloat16' && isElsewhere) {
    problem(['run', 'precision'], `The precision "bfloat16" needs the backend "tensorflow", found "${backend}".`);
  }
  return problems;
}

/** One zod issue in our own words: what was found, what is allowed, the nearest right spelling. */
export function problemsOf(issue: z.core.$ZodIssue, root: unknown): ConfigProblem[] {
  const path = issue.path.filter((key): key is string | number => typeof key !== 'symbol');
  const found = path.reduce<unknown>(
    (value, key) => (value as Record<string | number, unknown> | undefined)?.[key],
    root,
  );
  const key = path.at(-1);
  const label = typeof key === 'number' ? `${String(path.at(-2))}[${key}]` : String(key ?? 'config');
  const at = { path, atKey: false, inSchema: true };
  switch (issue.code) {
    case 'unrecognized_keys': {
      const group = path.length === 0 ? configSchema.shape : configGroups[path[0] as keyof typeof configGroups]?.shape;
      const known = Object.keys(group ?? {}).filter((name) => name !== '$schema');
      return issue.keys.map((name) => unknownKey([...path, name], name, known));
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const suggestion = nearestName(String(found), allowed);
      if (found === undefined)
        return [{ ...at, message: `"${label}" is missing; it must be one of ${quotedList(allowed)}.` }];
      const text = `"${label}" must be one of ${quotedList(allowed)}, found ${JSON.stringify(found)}.`;
      const wrong = { ...at, inSchema: typeof found !== 'string' };
      return [
        suggestion
          ? { ...wrong, message: `${text} Did you mean "${suggestion}"?`, suggestion }
          : { ...wrong, message: text },
      ];
    }
    case 'invalid_type':
      if (found === undefined)
        return [{ ...at, message: `"${label}" is missing; it must be ${articled(issue.expected)}.` }];
      return [{ ...at, message: `"${label}" must be ${articled(issue.expected)}, found ${JSON.stringify(found)}.` }];
    case 'invalid_union': {
      const meant = meantAlternative(issue.errors);
      return meant.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, root));
    }
    case 'too_small':
    case 'too_big': {
      const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
      const relation =
        issue.code === 'too_small' ? (issue.inclusive ? 'at least' : 'above') : issue.inclusive ? 'at most' : 'below';
      const what = issue.origin === 'string' || issue.origin === 'array' ? 'have a length of' : 'be';
      return [{ ...at, message: `"${label}" must ${what} ${relation} ${bound}, found ${JSON.stringify(found)}.` }];
    }
    default:
      return [{ ...at, message: `"${label}": ${issue.message}, found ${JSON.stringify(found)}.` }];
  }
}

/** Of the ways to write a value the one that a person is likely to have meant: that with the fewest keys wrong, else the first. */
function meantAlternative(alternatives: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const of = ({ code, path }: z.core.$ZodIssue) =>
    code === 'invalid_type' && path.length === 0 ? 100 : code === 'unrecognized_keys' ? 10 : 1;
  const distance = (issues: readonly z.core.$ZodIssue[]) => issues.reduce((sum, issue) => sum + of(issue), 0);
  return alternatives.reduce((best, issues) => (distance(issues) < distance(best) ? issues : best));
}

function unknownKey(path: readonly (string | number)[], name: string, known: readonly string[]): ConfigProblem {
  const suggestion = nearestName(name, known);
  const elsewhere = Object.entries(configGroups).find(
    ([group, schema]) => group !== path[0] && name in schema.shape,
  )?.[0];
  const way = suggestion
    ? ` Did you mean "${suggestion}"?`
    : elsewhere
      ? ` "${name}" belongs into "${elsewhere}".`
      : ` Known: ${known.join(', ')}.`;
  const problem = { path, atKey: true, inSchema: false, message: `Unknown key "${name}".${way}` };
  return suggestion ? { ...problem, suggestion } : problem;
}

const quotedList = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');
const articled = (type: string) =>
  type === 'int' ? 'a whole number' : /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
