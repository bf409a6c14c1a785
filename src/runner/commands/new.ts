/** `masksub new`: writes a config to start from, or lists what there is. */
import fs from 'node:fs';
import { UserError } from '../../core/errors.ts';
import { writeWhole } from '../../store/files.ts';
import { defaultTemplate, templateList, templateText } from '../templates.ts';

export interface NewOptions {
  readonly template?: string;
  readonly stdout?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
  /** Training samples to fit one of the paper's rows to. */
  readonly fit?: number;
  /** Side of the images to fit it to. */
  readonly imageSize?: number;
}

const SMALLEST_SIDE = 8;

export function newConfig(options: NewOptions): void {
  if (options.list) list(options.json ?? false);
  else write(options);
}

function write(options: NewOptions): void {
  const name = options.template ?? defaultTemplate;
  const text = templateText(name, fitOf(options));
  if (options.stdout) {
    process.stdout.write(text);
    return;
  }
  const file = `${name}${options.fit ? '-fit' : ''}.masksub.json`;
  if (fs.existsSync(file))
    throw new UserError(`${file} exists already.`, { hint: 'Move it away, or print with --stdout.' });
  writeWhole(file, text);
  process.stdout.write(`Wrote ${file}. Train it with \`masksub run ${file}\`.\n`);
}

function fitOf({ fit, imageSize }: NewOptions) {
  if (imageSize !== undefined && fit === undefined) {
    throw new UserError('--image-size says for which images a config is fitted, and needs --fit.', {
      hint: 'Add --fit with the number of training samples, such as --fit 5000.',
    });
  }
  if (imageSize !== undefined && imageSize < SMALLEST_SIDE) {
    throw new UserError(`--image-size must be at least ${SMALLEST_SIDE} pixels, found ${imageSize}.`, {
      hint: 'Leave it out to keep the size of the row: images are enlarged to it.',
    });
  }
  return fit === undefined ? undefined : { samples: fit, side: imageSize };
}

function list(asJson: boolean): void {
  const entries = templateList();
  if (asJson) {
    process.stdout.write(`${JSON.stringify(entries)}\n`);
    return;
  }
  const width = Math.max(...entries.map(({ name }) => name.length));
  const groups = [...new Set(entries.map(({ group }) => group))];
  const text = groups.map((group) => {
    const own = entries.filter((entry) => entry.group === group);
    return `${group}\n${own.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}\n`).join('')}`;
  });
  process.stdout.write(text.join('\n'));
}
