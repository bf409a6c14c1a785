/** Experiments: everything that one start of the runner trains. Their ids, and which one a run belongs to. */

/** The pair's id without the seed. A run's id is `<experiment>-s<seed>-<method>`; a run on its own has no pair. */
export function experimentOf(run: { readonly id: string; readonly pair?: string | undefined }): string {
  return (run.pair ?? run.id.replace(/-[^-]+$/, '')).replace(/-s\d+$/, '');
}

/** A sortable id of a new experiment, from the time (UTC) and its name: 20260131-235959-fashion-vit. */
export function newExperimentId(name: string, now: Date): string {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 100)
    .replaceAll(/^-|-$/g, '');
  return slug ? `${time}-${slug}` : time;
}
