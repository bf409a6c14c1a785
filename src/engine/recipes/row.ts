/** A row of the paper's tables as data: every value with its source; and the plain recipe that a config takes over. */
import type { Recipe } from '../../core/config.ts';
import type { Sourced } from './sources.ts';

/** The values of a group of the config. */
export type SourcedGroup<G> = { readonly [K in keyof G]?: Sourced<NonNullable<G[K]>> };

export interface Row {
  readonly data?: SourcedGroup<NonNullable<Recipe['data']>>;
  /** `size` stands for the keys of a published size. */
  readonly model: SourcedGroup<NonNullable<Recipe['model']>>;
  readonly train: SourcedGroup<NonNullable<Recipe['train']>>;
  readonly augment?: SourcedGroup<NonNullable<Recipe['augment']>>;
  readonly published: Published;
  /** Fine-tuning: the published file to start from. */
  readonly weights?: StartingWeights;
  /** What differs from the reference, and what no source says. */
  readonly notes: readonly string[];
}

/** Top-1 accuracy on ImageNet-1k validation, in percent; or why there is none. */
export type Published =
  | { readonly baseline: Sourced<number>; readonly masksub: Sourced<number>; readonly note?: string }
  | { readonly none: string };

export interface StartingWeights {
  /** A path to fill in, relative to the config. */
  readonly path: string;
  /** Which file that is. */
  readonly about: string;
}

export const rowGroups = ['data', 'model', 'train', 'augment'] as const;

/** Every value of a row, by its key in a config, such as `train.epochs`. */
export function valuesOfRow(row: Row): [key: string, value: Sourced<unknown>][] {
  return rowGroups.flatMap((group) => {
    const values = Object.entries(row[group] ?? {}) as [string, Sourced<unknown>][];
    return values.map(([key, value]): [string, Sourced<unknown>] => [`${group}.${key}`, value]);
  });
}

/** The recipes that rows come to. */
export function plainRecipes<const T extends Readonly<Record<string, Row>>>(rows: T): { [K in keyof T]: Recipe } {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, plainRecipe(row)])) as {
    [K in keyof T]: Recipe;
  };
}

function plainRecipe({ data = {}, model, train, augment = {} }: Row): Recipe {
  return { data: valuesOf(data), model: valuesOf(model), train: valuesOf(train), augment: valuesOf(augment) };
}

function valuesOf<G>(group: SourcedGroup<G>): { -readonly [K in keyof G]?: NonNullable<G[K]> } {
  const entries = Object.entries(group) as [string, Sourced<unknown>][];
  return Object.fromEntries(entries.map(([key, { value }]) => [key, value])) as ReturnType<typeof valuesOf<G>>;
}
