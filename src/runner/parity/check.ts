/** Runs every case, unit and schedule of a reference folder through the engine. */
import picomatch from 'picomatch';
import type { Surroundings } from '../../engine/train.ts';
import { checkCase, unsupportedCase } from './cases.ts';
import { Comparison, type Worst } from './comparison.ts';
import { openOracle } from './oracle.ts';
import { scheduleChecks } from './schedules.ts';
import { unitChecks } from './units.ts';

export interface ParityResult {
  /** `vit_masksub_ce_adamw`, `units/ops/gelu`, `schedules/mae_cosine/mae_base_100`. */
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'unsupported';
  readonly worst?: Worst;
  /** Why it could not be run, or why it failed without a number. */
  readonly reason?: string;
}

/** One comparison to make: a check, or the reason why this build cannot make it. */
export interface Check {
  readonly name: string;
  readonly run: ((comparison: Comparison) => void | Promise<void>) | { readonly unsupported: string };
}

/** Yields a result for each; `only` is a glob over the names. Throws a UserError where something is unreadable. */
export async function* checkParity(
  folder: string,
  executorFor: Surroundings['executorFor'],
  only?: string,
): AsyncGenerator<ParityResult> {
  const wanted = only === undefined ? () => true : picomatch(only);
  for (const check of parityChecks(folder, executorFor)) if (wanted(check.name)) yield await runCheck(check);
}

/**
 * The comparisons of a reference folder, none of them made yet; the training cases run on what `executorFor` gives. Throws a
 * UserError where something is unreadable.
 */
export function parityChecks(folder: string, executorFor: Surroundings['executorFor']): Check[] {
  const oracle = openOracle(folder);
  const caseChecks = Object.entries(oracle.index.cases).map(([name, testCase]): Check => {
    const unsupported = unsupportedCase(oracle.index, testCase);
    return {
      name,
      run: unsupported ? { unsupported } : (comparison) => checkCase(oracle, testCase, executorFor, comparison),
    };
  });
  return [...caseChecks, ...unitChecks(oracle), ...scheduleChecks(oracle.index)];
}

/** Makes one comparison, on the backend that is set. */
export async function runCheck({ name, run }: Check): Promise<ParityResult> {
  if (typeof run !== 'function') return { name, outcome: 'unsupported', reason: run.unsupported };
  const comparison = new Comparison();
  try {
    await run(comparison);
  } catch (error) {
    const missing = missingOnBackend(error);
    if (!missing) throw error;
    return { name, outcome: 'unsupported', reason: missing };
  }
  return { name, outcome: comparison.passes ? 'passed' : 'failed', worst: comparison.worst };
}

/** What tfjs lacks for a computation, where that is what an error of its says. */
function missingOnBackend(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  const [, kernel, backend] = /Kernel '(\w+)' not registered for backend '(\w+)'/.exec(message) ?? [];
  if (kernel) return `the backend ${backend} has no kernel ${kernel}`;
  const [, op] = /gradient function not found for (\w+)/.exec(message) ?? [];
  return op && `there is no gradient of ${op}`;
}
