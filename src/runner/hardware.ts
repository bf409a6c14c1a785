/** What the processor multiplies in hardware, and what a run may therefore ask for. */
import fs from 'node:fs';
import type { Config } from '../core/config.ts';
import { UserError } from '../core/errors.ts';
import type { Backend } from './backend.ts';
import { recordedProblem } from './executor.ts';

/** Products of bfloat16 numbers, by the names that Linux gives them: two of x86, one of 64-bit Arm. */
const bfloat16Flags = ['avx512_bf16', 'amx_bf16', 'bf16'];

/** What this machine lacks with a backend that is loaded, each in sentences. */
export interface Lacking {
  readonly recorded: string | undefined;
  readonly bfloat16: string | undefined;
}

export function lackingHere(backend: Pick<Backend, 'name'>): Lacking {
  return { recorded: recordedProblem(backend), bfloat16: bfloat16Problem() };
}

/**
 * Throws a UserError where this machine cannot train in the executor and precision that a config asks for. For after the backend is
 * loaded and before there is a run folder.
 */
export function checkMachine(
  { executor, precision, precisionForced }: Pick<Config['run'], 'executor' | 'precision' | 'precisionForced'>,
  backend: Backend,
  lacking = lackingHere(backend),
): void {
  const isBfloat16 = precision === 'bfloat16';
  if (lacking.recorded && (isBfloat16 || executor === 'recorded')) {
    // Only "auto" takes another backend here, and its reason says what is missing.
    const why = backend.name === 'tensorflow' ? lacking.recorded : `${lacking.recorded} ${backend.reason}`;
    throw isBfloat16
      ? new UserError(`The precision "bfloat16" needs the executor "recorded". ${why}`, {
          hint: 'Set run.precision to "float32".',
        })
      : new UserError(why, { hint: 'Set run.executor to "auto".' });
  }
  if (isBfloat16 && lacking.bfloat16 && !precisionForced) {
    throw new UserError(`The precision "bfloat16" is not offered here. ${lacking.bfloat16}`, {
      hint: 'Set run.precision to "float32"; or run.precisionForced to true, to train in it all the same.',
    });
  }
}

/** Why this machine does not have bfloat16 in hardware, in a sentence, or nothing. `cpuinfo`: the text of /proc/cpuinfo. */
export function bfloat16Problem(cpuinfo = readCpuinfo()): string | undefined {
  // A core of each kind is listed, and a thread may land on any.
  const cores = cpuinfo.match(/^(flags|Features)\s*:.*$/gm);
  if (!cores) return 'What this processor has in hardware is known on Linux only.';
  const lacking = cores.some((core) => !core.split(/\s+/).some((flag) => bfloat16Flags.includes(flag)));
  return lacking ? `This processor has none of ${bfloat16Flags.join(', ')}: float32 is faster.` : undefined;
}

function readCpuinfo(): string {
  try {
    return fs.readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return ''; // not on Linux
  }
}
