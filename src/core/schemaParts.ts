/** What the groups of the config's schema are made of: numbers with ranges, and texts for completion and hover. */
import * as z from 'zod';
import { type Entry, namesOf } from './catalog.ts';

/** One of the names of a table of the catalog. */
export const oneOf = <T extends Record<string, Entry>>(table: T, what: string) =>
  z.enum(namesOf(table)).meta({
    markdownDescription: what,
    markdownEnumDescriptions: namesOf(table).map((name) => `**${table[name]?.title}.** ${table[name]?.about}`),
  });

export const described = <T extends z.ZodType>(type: T, markdownDescription: string) =>
  type.meta({ markdownDescription });

export const natural = z.number().int().positive();
/** In [0, 1). */
export const rate = z.number().min(0).lt(1);
/** In [0, 1]. */
export const share = z.number().min(0).max(1);
export const positive = z.number().positive();
export const nonNegative = z.number().nonnegative();
