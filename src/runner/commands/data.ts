/** `masksub data`: what a config's data set holds, before anybody trains on it. */
import path from 'node:path';
import type { DataReport } from '../../core/dataReport.ts';
import { openDataset } from '../../data/index.ts';
import { formatProblem } from '../../store/configFile.ts';
import { dataReport } from '../dataReport.ts';
import { engineFolder, mediaFolder } from '../paths.ts';
import { table } from '../table.ts';
import { readConfig } from './readConfig.ts';

interface Options {
  readonly as: string;
  readonly set: string[];
  readonly json?: boolean;
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
  const opened = await openDataset(config.data, {
    mediaFolder: mediaFolder(),
    configFolder,
    engineFolder: engineFolder(),
  });
  try {
    const given = config.data.path;
    const report = await dataReport(config, opened, given && path.resolve(configFolder, given));
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${described(report)}\n`);
  } finally {
    opened.close();
  }
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
          `  images     ${images.size ? `${images.size.width}×${images.size.height}` : 'of different sizes'}, ${images.channels === 1 ? 'grey' : `${images.channels} channels`}`,
          `  pixels     mean ${images.mean.map((value) => value.toFixed(3)).join(', ')}; deviation ${images.std.map((value) => value.toFixed(3)).join(', ')}`,
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
