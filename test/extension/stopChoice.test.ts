/** A language model stops no run but the one that the user was asked about. */
import { describe, expect, test } from 'vitest';
import { Confirmations, chosenToStop } from '../../src/extension/stopChoice.ts';

const run = (id: string, pair?: string) => ({ id, pair, folder: `/runs/${id}` });
const experimentOf = ({ id }: { readonly id: string }) => id.split('-')[0];
const [a, b] = [run('a-s0-masksub', 'a-s0'), run('b-s0-masksub', 'b-s0')];

describe('the run to stop', () => {
  test('need not be named where one lives, alone or with its pair', () => {
    expect(chosenToStop([a], undefined, experimentOf)).toBe(a);
    expect(chosenToStop([run('a-s0-baseline', 'a-s0'), a], undefined, experimentOf).pair).toBe('a-s0');
    expect(chosenToStop([a, b], 'b', experimentOf)).toBe(b);
  });
  test('must be named where more than one lives, also of one experiment', () => {
    const later = run('a-s1-masksub', 'a-s1');
    for (const [living, name] of [[[a, b]], [[a, later]], [[a, later], 'a']] as const) {
      expect(() => chosenToStop(living, name, experimentOf)).toThrow(/Name the run to stop.*a-s0-masksub/);
    }
    expect(chosenToStop([a, later], later.id, experimentOf)).toBe(later);
    expect(() => chosenToStop([], undefined, experimentOf)).toThrow('Nothing is running');
  });
});

describe('between the question and the answer', () => {
  test('another run that began is not stopped', () => {
    const confirmations = new Confirmations<typeof a>();
    confirmations.ask(undefined, a);
    expect(() => confirmations.take(undefined, [b])).toThrow('a-s0-masksub has ended by itself');
    confirmations.ask(undefined, a);
    expect(confirmations.take(undefined, [b, a])).toBe(a);
  });
  test('two questions without a name are not told apart', () => {
    const confirmations = new Confirmations<typeof a>();
    confirmations.ask(undefined, a);
    confirmations.ask(undefined, b);
    expect(() => confirmations.take(undefined, [b])).toThrow('not certain');
  });
});
