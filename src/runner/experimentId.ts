/** The id of a new experiment, from the time and its name. */

/** Sortable by time (UTC): 20260131-235959-fashion-vit. */
export function experimentId(name: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 100);
  return slug ? `${time}-${slug}` : time;
}
