/** Which run a language model may stop: only the one that a person was asked about, however the runs change meanwhile. */
import type { RunListing } from '../store/runReader.ts';

type Stoppable = Pick<RunListing, 'id' | 'pair'>;

/** The run that is meant: the named one, or the only one that lives, with its pair; the name may be that of an experiment. */
export function chosenToStop<R extends Stoppable>(
  living: readonly R[],
  name: string | undefined,
  experimentOf: (run: R) => string | undefined,
): R {
  const [first] = living;
  if (!first) throw nothingRuns();
  const named = living.filter((run) => run.id === name);
  const meant =
    name === undefined ? living : named.length > 0 ? named : living.filter((run) => experimentOf(run) === name);
  const [chosen] = meant;
  if (chosen && new Set(meant.map((run) => run.pair ?? run.id)).size === 1) return chosen;
  throw new Error(`Name the run to stop, one of those that run: ${living.map(({ id }) => id).join(', ')}.`);
}

const nothingRuns = () => new Error('Nothing is running, so there is nothing to stop.');

/** What was asked about and not acted on yet, by the name that the model gave. */
export class Confirmations<R extends Stoppable & Pick<RunListing, 'folder'>> {
  readonly #asked = new Map<string | undefined, Map<string, R>>();

  ask(name: string | undefined, run: R): void {
    const asked = this.#asked.get(name) ?? new Map<string, R>();
    this.#asked.set(name, asked.set(run.folder, run));
  }

  /** The run of the question, where it still lives; a question that cannot be told from another counts as none. */
  take(name: string | undefined, living: readonly R[]): R {
    const asked = [...(this.#asked.get(name)?.values() ?? [])];
    this.#asked.delete(name);
    const exact = living.filter(({ id }) => id === name);
    if (exact.length === 1 && exact[0]) return exact[0]; // the question was about no other
    if (asked.length === 0 && living.length === 0) throw nothingRuns();
    const [only] = asked;
    const again = 'Nothing was stopped. Call again with "run", so that the user is asked about that one.';
    if (!only || asked.length > 1) throw new Error(`It is not certain which run the user was asked about. ${again}`);
    const found = living.find(({ folder }) => folder === only.folder);
    if (!found) throw new Error(`${only.id} has ended by itself meanwhile. ${again}`);
    return found;
  }
}
