/** Which experiment a run belongs to: everything that one start of the runner trains. */

/** The pair's id without the seed. A run's id is `<experiment>-s<seed>-<method>`; a run on its own has no pair. */
export function experimentOf(run: { readonly id: string; readonly pair?: string | undefined }): string {
  return (run.pair ?? run.id.replace(/-[^-]+$/, '')).replace(/-s\d+$/, '');
}
