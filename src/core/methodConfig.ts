/** The `method` group of a config: which keys a method has, and what of them leaves the paper. */
import type { Config } from './config.ts';

type MethodConfig = Config['method'];

const ofSubBranch = ['subWeight', 'target', 'temperature', 'stopGradient'] as const;

/** The keys of each method besides `name`. */
export const methodKeys = {
  baseline: [],
  masksub: ['maskRatio', 'maskShape', 'maskRounding', ...ofSubBranch],
  dropsub: ['dropRate', ...ofSubBranch],
  pathsub: ['dropRate', ...ofSubBranch],
  cosub: [],
  'direct-mask': ['maskRatio', 'maskShape', 'maskRounding', 'cleanView', 'subWeight'],
} as const satisfies Record<MethodConfig['name'], readonly (keyof MethodConfig)[]>;

/**
 * The method's options. Those of MaskSub are the paper's (Heo et al., CVPR 2025), 0.5 being its mask ratio for every architecture.
 * `dropRate` is the default of the reference code; what the paper used for DropSub and PathSub is not published.
 */
export const methodDefaults = {
  name: 'masksub',
  maskRatio: 0.5,
  maskShape: 'random',
  maskRounding: 'down',
  dropRate: 0.5,
  subWeight: 0.5,
  target: 'soft',
  temperature: 1,
  stopGradient: true,
  cleanView: true,
} as const satisfies MethodConfig;

/** What a config's method does otherwise than the paper, a sentence each. */
export function leavesPaper({ method }: Pick<Config, 'method'>): string[] {
  return methodKeys[method.name].flatMap((key) => {
    const [found, paper] = [method[key], methodDefaults[key]].map((value) => JSON.stringify(value));
    return found === paper ? [] : [`method.${key} is ${found}; the paper has ${paper}.`];
  });
}

/** What a run notes beside its config. */
const runKeys: ReadonlySet<string> = new Set(['versions', 'dataHash', 'pair', 'machine', 'forkOf']);

/** The config of a run folder as a person could have written it: without what the run noted beside it. Anything else stays as it is. */
export function withoutRunKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('versions' in value) || !('dataHash' in value)) return value;
  const written = Object.fromEntries(Object.entries(value).filter(([key]) => !runKeys.has(key)));
  const { method } = written;
  return typeof method === 'object' && method !== null
    ? { ...written, method: ownMethodKeys(method as Record<string, unknown>) }
    : written;
}

/** What was written of a method without the keys that it has no use for: a run's own config holds them all. */
function ownMethodKeys(method: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const name = String(method.name);
  const own: readonly string[] = Object.hasOwn(methodKeys, name) ? methodKeys[name as MethodConfig['name']] : [];
  return Object.fromEntries(Object.entries(method).filter(([key]) => key === 'name' || own.includes(key)));
}
