/** Samples in the report: what steps of the newest recorded epoch saw, with what was hidden from the sub-branch, and both predictions. */
import type { Pixels } from '../../augment/pixels.ts';
import { percent } from '../../core/comparison.ts';
import { UserError } from '../../core/errors.ts';
import { escaped } from '../../core/format.ts';
import type { Samples, TrainingSample } from '../../core/samples.ts';
import type { Sharp } from '../../data/decode.ts';
import { pngDataUri } from '../../data/encode.ts';
import { readSamples, type StoredSamples, sampledEpochs } from '../../store/samplesFile.ts';
import { cut, section } from './reportParts.ts';
import type { ExportedRun } from './runs.ts';

const mostSamples = 12;
const mostRuns = 4;

/** One section where a run has recorded samples, else none. */
export async function sampleSections(runs: readonly ExportedRun[], sharp: Sharp | undefined): Promise<string[]> {
  const parts: string[] = [];
  // Of one seed: the others show the same of other samples.
  const [first] = runs;
  for (const { id, folder, state } of runs) {
    if (state.start?.seed !== first?.state.start?.seed || parts.length === mostRuns) continue;
    const heading = `<h3>${escaped(cut(id))}</h3>`;
    const stored = newestSamples(folder);
    if (typeof stored === 'string') parts.push(`${heading}<p>${escaped(cut(stored))}</p>`);
    if (typeof stored !== 'object' || stored.samples.training.length === 0) continue;
    const about = `Epoch ${stored.samples.epoch}, step ${stored.samples.step}: as they entered the step; the second picture without what the sub-branch did not see.`;
    const cards = await Promise.all(
      stored.samples.training.slice(0, mostSamples).map((sample, i) => card(stored, sample, i, sharp)),
    );
    parts.push(`${heading}<p class="about">${escaped(about)}</p><div class="samples">${cards.join('\n')}</div>`);
  }
  return parts.length === 0 ? [] : [section('Samples', parts.join('\n'))];
}

/** Nothing where there are none; words where they cannot be read, for the rest of the report is worth having. */
function newestSamples(folder: string): StoredSamples | string | undefined {
  try {
    const epoch = sampledEpochs(folder).at(-1);
    return epoch === undefined ? undefined : readSamples(folder, epoch);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

async function card(stored: StoredSamples, sample: TrainingSample, index: number, sharp: Sharp | undefined) {
  const { samples } = stored;
  const pixels = pixelsOf(stored, index);
  const pictures: string[] = [];
  if (pixels && sharp) {
    pictures.push(picture(await pngDataUri(sharp, pixels), `Sample ${sample.sample}`));
    const masked = sample.kept && withoutHidden(pixels, sample.kept, samples);
    if (masked)
      pictures.push(picture(await pngDataUri(sharp, masked), `Sample ${sample.sample} as the sub-branch saw it`));
  }
  const name = (label: number) => cut(samples.classNames[label] ?? String(label));
  const said = (who: string, { predicted, certainty }: TrainingSample['main']) =>
    `<p>${escaped(`${who}: ${name(predicted)} (${percent(certainty)})${predicted === sample.label ? '' : ', wrong'}`)}</p>`;
  return `<div class="sample"><div>${pictures.join('')}</div>${tokens(sample)}<p>${escaped(`${name(sample.label)}${sample.mixed ? ' (mixed)' : ''}`)}</p>${said('main', sample.main)}${sample.sub ? said('sub', sample.sub) : ''}</div>`;
}

const picture = (uri: string, alt: string) => `<img src="${uri}" alt="${escaped(alt)}">`;

function tokens({ tokens: texts, kept }: TrainingSample): string {
  if (!texts) return '';
  const seen = kept && new Set(kept);
  const words = texts.slice(0, 200).map((token, i) => {
    const hidden = seen !== undefined && !seen.has(i);
    return `<span class="token${hidden ? ' hidden' : ''}">${escaped(cut(token))}</span>`;
  });
  return `<p>${words.join(' ')}</p>`;
}

function pixelsOf({ samples, bytes }: StoredSamples, index: number): Pixels | undefined {
  const block = samples.blocks.trainingImages;
  const [count = 0, height = 0, width = 0, channels = 0] = block?.shape ?? [];
  if (block?.dtype !== 'uint8' || index >= count) return undefined;
  const size = height * width * channels;
  const begin = block.offset + index * size;
  return { values: bytes.slice(begin, begin + size), height, width, channels };
}

/** The places of the grid that were not kept, in the grey of the middle. */
function withoutHidden(pixels: Pixels, kept: readonly number[], { grid }: Samples): Pixels | undefined {
  if (!grid) return undefined;
  const { height, width, channels } = pixels;
  const seen = new Set(kept);
  const values = Uint8Array.from(pixels.values);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const place = Math.floor((y * grid.rows) / height) * grid.columns + Math.floor((x * grid.columns) / width);
      if (!seen.has(place)) values.fill(128, (y * width + x) * channels, (y * width + x + 1) * channels);
    }
  }
  return { values, height, width, channels };
}
