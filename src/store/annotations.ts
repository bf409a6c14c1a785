/** `<out>/annotations.json`: stars, tags and notes of the runs in a folder, beside the run folders so that a run stays as it was. */
import fs from 'node:fs';
import path from 'node:path';
import { ANNOTATIONS_VERSION, type Annotations, annotationsSchema } from '../core/annotationsSchema.ts';
import { UserError } from '../core/errors.ts';
import { t } from '../core/l10n.ts';
import { type Annotation, noAnnotation } from '../core/runRow.ts';
import { errorCode, explainFileError, makeNewFolder, remove, writeWhole } from './files.ts';

export const ANNOTATIONS_FILE = 'annotations.json';

export interface AnnotationsRead {
  /** By the name of the run's folder. */
  readonly of: ReadonlyMap<string, Annotation>;
  /** Why some are missing, for a person. */
  readonly problem?: string;
}

/** All annotations of an out folder; none where there is no file. One that is damaged or cannot be read is said, and stays. */
export function readAnnotations(out: string): AnnotationsRead {
  let found: Found;
  try {
    found = readFile(path.join(out, ANNOTATIONS_FILE));
  } catch (error) {
    if (!(error instanceof UserError) && errorCode(error) === undefined) throw error;
    found = { problem: error instanceof Error ? error.message : String(error) };
  }
  const entries = found.annotations?.runs ?? [];
  const of = new Map(entries.map(({ id, star, tags, notes }) => [id, { star, tags, notes }]));
  return { of, ...(found.problem === undefined ? {} : { problem: found.problem }) };
}

/**
 * Changes what is said of one run, and leaves the others' as they are on the disk at this moment: another window may have written
 * meanwhile. A damaged file is kept aside under another name; the sentence that says so comes back. Throws a `UserError` where the
 * disk refuses or a later version wrote the file; nothing is changed then.
 */
export function annotate(out: string, id: string, change: Partial<Annotation>): string | undefined {
  const file = path.join(out, ANNOTATIONS_FILE);
  return alone(file, () => {
    const found = readFile(file);
    if (found.isNewer) throw new UserError(found.problem ?? '', { hint: t('Update MaskSub to change them.') });
    const aside = found.problem === undefined ? undefined : keepAside(file);
    const runs = found.annotations?.runs ?? [];
    const before = runs.find((entry) => entry.id === id) ?? { id, ...noAnnotation, tags: [] };
    const entry = { ...before, ...change, tags: [...(change.tags ?? before.tags)] };
    const annotations: Annotations = {
      version: ANNOTATIONS_VERSION,
      runs: runs.some((other) => other.id === id)
        ? runs.map((other) => (other.id === id ? entry : other))
        : [...runs, entry],
    };
    writeWhole(file, `${JSON.stringify(annotations, undefined, 1)}\n`);
    if (aside === undefined) return undefined;
    return `${found.problem} ${t('It is kept as {0}; a new one has begun.', path.basename(aside))}`;
  });
}

interface Found {
  readonly annotations?: Annotations;
  readonly problem?: string;
  readonly isNewer?: true;
}

function readFile(file: string): Found {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return {};
    throw explainFileError(file, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: t('{0} is damaged: not JSON. Stars, tags and notes in it cannot be shown.', file) };
  }
  const parsed = annotationsSchema.safeParse(value);
  if (parsed.success) return { annotations: parsed.data };
  const version = typeof value === 'object' && value !== null ? (value as { version?: unknown }).version : undefined;
  if (typeof version === 'number' && version > ANNOTATIONS_VERSION) {
    return { problem: t('{0} was written by a newer version of MaskSub ({1}).', file, version), isNewer: true };
  }
  const [issue] = parsed.error.issues;
  const where = issue ? `${issue.path.join('.')} ${issue.message}`.trim() : '';
  return { problem: t('{0} is damaged: {1}. Stars, tags and notes in it cannot be shown.', file, where) };
}

/** Under a name that is free, so that a second damaged file does not take the place of the first. */
function keepAside(file: string): string {
  for (let i = 1; ; i++) {
    const aside = file.replace(/\.json$/, `.damaged-${i}.json`);
    if (fs.existsSync(aside)) continue;
    try {
      fs.renameSync(file, aside);
    } catch (error) {
      throw explainFileError(aside, error);
    }
    return aside;
  }
}

/** In milliseconds: nobody holds the claim longer; who does was killed over it. And between two tries. */
const CLAIM_MS = 5000;
const RETRY_MS = 5;

/** Runs the work while no other process does the same. */
function alone<T>(file: string, work: () => T): T {
  const claim = `${file}.claim`;
  const begun = Date.now();
  for (;;) {
    try {
      makeNewFolder(claim);
      break;
    } catch (error) {
      if (!(error instanceof UserError) || errorCode(error.cause) !== 'EEXIST') throw error;
      const claimed = fs.statSync(claim, { throwIfNoEntry: false })?.mtimeMs ?? begun;
      if (Math.min(claimed, begun) < Date.now() - CLAIM_MS) remove(claim);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
  try {
    return work();
  } finally {
    remove(claim);
  }
}
