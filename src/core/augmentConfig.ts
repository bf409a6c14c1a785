/** The `augment` group of a config: its defaults, and RandAugment with every number written out. */
import type { ConfigInput } from './configSchema.ts';

type AugmentInput = NonNullable<ConfigInput['augment']>;
type RandAugmentInput = NonNullable<AugmentInput['randAugment']>;

/** RandAugment as timm parametrizes it: `rand-m9-mstd0.5-inc1` has magnitude 9, std 0.5, 2 ops, increasing. */
export type RandAugment = { readonly [K in keyof RandAugmentInput]-?: NonNullable<RandAugmentInput[K]> };

/** The group as a resolved config has it. */
export type AugmentConfig = {
  readonly [K in Exclude<keyof AugmentInput, 'randAugment'>]-?: NonNullable<AugmentInput[K]>;
} & { readonly randAugment?: RandAugment };

export const augmentDefaults = {
  crop: 'none',
  padding: 4,
  minScale: 0.08,
  flip: false,
  threeAugment: false,
  colorJitter: 0,
  mixup: 0,
  cutmix: 0,
  switchProb: 0.5,
  mixProb: 1,
  randomErasing: 0,
  repeated: 1,
  testCrop: 1,
} as const satisfies AugmentConfig;

const randAugmentDefaults: Omit<RandAugment, 'magnitude'> = { std: 0.5, ops: 2, increasing: true };

/** Later groups win. */
export function resolveAugment(...groups: (AugmentInput | undefined)[]): AugmentConfig {
  const written: AugmentInput = Object.assign({}, ...groups.map(withoutUndefined));
  const { randAugment, ...rest } = { ...augmentDefaults, ...written } as AugmentConfig;
  return randAugment ? { ...rest, randAugment: { ...randAugmentDefaults, ...randAugment } } : rest;
}

/** The keys of a group as written that ask for something. */
export const askedOf = (augment: AugmentInput): (keyof AugmentInput)[] =>
  (Object.keys(augment) as (keyof AugmentInput)[]).filter(
    (key) => augment[key] !== undefined && augment[key] !== (augmentDefaults as AugmentInput)[key],
  );

const withoutUndefined = (group: object = {}) =>
  Object.fromEntries(Object.entries(group).filter(([, value]) => value !== undefined));
