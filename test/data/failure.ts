/** The error that reading data must end with. */
import { expect } from 'vitest';
import { UserError } from '../../src/core/errors.ts';

/** The error of `work`, which is for people: it says what to do. */
export async function failure(work: Promise<unknown>): Promise<UserError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).hint).toBeTruthy();
  return error as UserError;
}
