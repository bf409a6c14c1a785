/** `masksub data`: what a config's data set holds, before anybody trains on it. */
import path from 'node:path';
import type { DataReport } from '../../core/dataReport.ts';
import { UserError } from '../../core/errors.ts';
import { loadSharp } from '../../data/decode.ts';
import { formatProblem } from '../../store/configFile.ts';
import { writeWhole } from '../../store/files.ts';
import { contactSheet } from '../contactSheet.ts';
import { dataReport } from '../dataReport.ts';
import { openData } from '../openData.ts';
import { engineFolder } from '../paths.ts';
import { table } from '../table.ts';
import { readConfig } from './readConfig.ts';

interface Options {
  readonly as: string;
  readonly set: string[];
  readonly json?: boolean;
  /** A picture to write, of some samples of each class. */
  readonly sheet?: string;
}

export async function data(file: string, options: Options): Promise<void> {
  const result = readConfig({ config: file, ...options });
  if ('problems' in result) {
    process.exitCode = 2;
    for (const problem of result.problems) process.stderr.write(`${formatProblem(problem)}\n`);
    return;
  }
  const { config } = result;
  const configFolder = path.dirname(path.resolve(file === '-' ? options.as : file));
  const { data: opened, broken } = await openData(config.data, configFolder);
  try {
    const given = config.data.path;
    const looked = await dataReport(config, opened, given && path.resolve(configFolder, given));
    const report = { ...looked, warnings: [...looked.warnings, ...broken] };
    if (options.sheet) await writeSheet(options.sheet, report);
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${described(report)}\n`);
  } finally {
    opened.close();
  }
}

async function writeSheet(file: string, report: DataReport): Promise<void> {
  if (report.kind === 'text')
    throw new UserError('A contact sheet is of images; these are texts.', { hint: 'Leave out --sheet.' });
  writeWhole(path.resolve(file), await contactSheet(loadSharp(engineFolder()), report));
}

/** "32×32", or the range that they span. */
function sizesOf({ smallest, largest }: NonNullable<DataReport['images']>): string {
  const [from, to] = [smallest, largest].map(({ width, height }) => `${width}×${height}`);
  return from === to ? `${from}` : `${from} to ${to}`;
}

/** The report for a terminal: no pictures. */
function described(report: DataReport): string {
  const { title, path: place, images, texts, classes, train, validation, trainOn, hash, warnings, samples } = report;
  const total = (count: number) => count.toLocaleString('en');
  const lines = [
    `${title}${place ? `, ${place}` : ''}`,
    `  samples    ${total(train)} for training${trainOn ? `, of which a run takes ${total(trainOn)}` : ''}; ${total(validation)} for validation`,
    ...(images
      ? [
          `  images     ${sizesOf(images)}, ${images.channels === 1 ? 'grey' : `${images.channels} channels`}`,
          `  normalized by the mean ${images.mean.map((value) => value.toFixed(3)).join(', ')}; std ${images.std.map((value) => value.toFixed(3)).join(', ')}`,
        ]
      : []),
    ...(texts
      ? [
          `  tokens     median ${texts.tokens.median}, 95 % up to ${texts.tokens.p95}, longest ${texts.tokens.longest} (cut at ${texts.length})`,
          `  vocabulary ${total(texts.vocabulary)}`,
        ]
      : []),
    `  hash       ${hash}`,
    '',
    table(
      ['class', 'training', 'share', 'validation'],
      classes.map(({ name, ...counts }) => [
        name,
        total(counts.train),
        `${((100 * counts.train) / train).toFixed(1)} %`,
        total(counts.validation),
      ]),
    ),
    ...(texts ? ['', ...samples.map(({ label, text }) => `${classes[label]?.name}: ${text}`)] : []),
    ...(warnings.length > 0 ? ['', ...warnings.map((warning) => `Warning: ${warning}`)] : []),
  ];
  return lines.join('\n');
}
