/** Whether a processor has bfloat16 is read from what Linux says of it; a run that asks for what is not there is refused in words. */
import { describe, expect, test } from 'vitest';
import { bfloat16Problem, checkMachine } from '../../src/runner/hardware.ts';

const x86 = (...flags: string[]) =>
  `processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu sse2 ${flags.join(' ')} clflush\nbugs\t\t: spectre_v1\n\n`;
const arm = (...features: string[]) =>
  `processor\t: 0\nBogoMIPS\t: 100\nFeatures\t: fp asimd ${features.join(' ')}\n\n`;

describe('bfloat16 in hardware', () => {
  test.each([
    ['AVX-512', x86('avx512f', 'avx512_bf16')],
    ['AMX', x86('amx_bf16', 'amx_tile')],
    ['Arm', arm('i8mm', 'bf16')],
    ['every core', x86('avx512_bf16') + x86('avx512_bf16')],
  ])('%s', (_, cpuinfo) => expect(bfloat16Problem(cpuinfo)).toBeUndefined());

  test.each([
    ['x86 without', x86('avx2', 'avx512f', 'avx512_vnni')],
    ['Arm without', arm('i8mm')],
    ['only some of the cores', arm('bf16') + arm('i8mm')],
    ['a longer name', x86('avx512_bf16_emulated')],
    ['a name elsewhere', x86('avx2').replace('Some CPU', 'amx_bf16')],
  ])('not: %s', (_, cpuinfo) => expect(bfloat16Problem(cpuinfo)).toMatch(/has none of avx512_bf16, amx_bf16, bf16/));

  test('is not known where the system does not tell', () => {
    expect(bfloat16Problem('')).toMatch(/on Linux only\.$/);
  });
});

const asked = (change: object) =>
  ({ executor: 'auto', precision: 'float32', precisionForced: false, ...change }) as const;

describe('without a recorded step', () => {
  const wasm = { name: 'wasm', reason: 'There is no native engine.' } as const;
  test.each([{}, { executor: 'eager' }])('a run with %j goes on', (change) => {
    expect(() => checkMachine(asked(change), wasm)).not.toThrow();
  });
  test.each([{ executor: 'recorded' }, { precision: 'bfloat16' }, { precision: 'bfloat16', precisionForced: true }])(
    'a run with %j is refused',
    (change) => {
      expect(() => checkMachine(asked(change), wasm)).toThrow(/wasm backend has no recorded step\. There is no native/);
    },
  );
});

describe('without bfloat16 in hardware', () => {
  const backend = { name: 'tensorflow', reason: 'The native engine is installed.' } as const;
  const check = (change: object) => () =>
    checkMachine(asked(change), backend, { recorded: undefined, bfloat16: 'This processor has none.' });
  test('bfloat16 is refused, with the way to force it', () => {
    expect(check({ precision: 'bfloat16' })).toThrow('not offered here. This processor has none.');
    const hint = expect.stringContaining('run.precisionForced');
    expect(check({ precision: 'bfloat16' })).toThrow(expect.objectContaining({ hint }));
  });
  test('it can be forced, and nothing else is refused', () => {
    expect(check({ precision: 'bfloat16', precisionForced: true })).not.toThrow();
    expect(check({ executor: 'recorded' })).not.toThrow();
  });
});
