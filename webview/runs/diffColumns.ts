/** The config keys in which runs differ: what a table of them needs to show, and nothing else. */
import { configValue } from '../../src/core/flatten.ts';
import type { RunRow } from '../../src/core/runRow.ts';

/** Own columns show these, or they differ by themselves: what a run is called, and where it ran. */
const elsewhere = /^(name|pair|method\.name|data\.dataset|train\.seed|compare\.seeds|versions\..*|.*Hash)$/;

/** Every key of the runs' configs, in the order of the first config that has it. */
export function configKeys(rows: readonly RunRow[]): string[] {
  const keys = new Set<string>();
  for (const { config } of rows) for (const key of Object.keys(config)) keys.add(key);
  return [...keys];
}

/** The keys whose values are not the same in all runs; one that some runs lack is such a key. */
export function differingKeys(rows: readonly RunRow[]): string[] {
  return configKeys(rows).filter((key) => {
    if (elsewhere.test(key)) return false;
    const first = rows[0] && configValue(rows[0].config, key);
    return rows.some(({ config }) => configValue(config, key) !== first);
  });
}
