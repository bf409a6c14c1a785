/** Texts from a file to a trained BERT and its exports, by the command line. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dataReportSchema } from '../../src/core/dataReport.ts';
import { decodeSafetensors } from '../../src/store/safetensors.ts';
import { readSamples } from '../../src/store/samplesFile.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectRefusal } from '../support/cli.ts';

const words = ['good', 'bad', 'film', 'plot', 'actor', 'music'];
const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words];

/** 60 reviews whose label is their first word, and a config for them. */
function reviews(model: object = {}): string {
  const folder = temporaryFolder();
  const rows = Array.from({ length: 60 }, (_, i) => {
    const rest = Array.from({ length: 1 + (i % 7) }, (_, j) => words[2 + ((i + j) % 4)]).join(' ');
    return `"${words[i % 2]} ${rest}",${i % 2 ? 'negative' : 'positive'}`;
  });
  fs.writeFileSync(path.join(folder, 'reviews.csv'), ['text,label', ...rows].join('\n'));
  fs.writeFileSync(path.join(folder, 'vocab.txt'), vocabulary.join('\n'));
  const config = {
    name: 'reviews',
    data: { dataset: 'text', path: 'reviews.csv', split: 0.2, tokenizer: 'vocab.txt', length: 10 },
    model: { name: 'bert', width: 16, depth: 1, heads: 2, vocabulary: 11, positions: 10, dropout: 0, ...model },
    train: { epochs: 12, batchSize: 8, warmupEpochs: 0, learningRate: 2e-2 },
  };
  fs.writeFileSync(path.join(folder, 'reviews.masksub.json'), JSON.stringify(config));
  return folder;
}

test.each(['remove', 'replace'])('a run of BERT learns from a CSV file, with tokens to %s', async (masking) => {
  const cwd = reviews({ masking });
  const run = await cli(['run', 'reviews.masksub.json', '--out', 'runs', '--id', 'x', '--json'], { cwd });
  expect(run.code, run.stderr).toBe(0);
  const events = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const starts = events.filter(({ type }) => type === 'start');
  expect(new Set(starts.map(({ batchHash }) => batchHash)).size).toBe(1);
  const ends = events.filter(({ type }) => type === 'end');
  expect(ends.map(({ state, summary }) => [state, summary.final.top1])).toEqual([
    ['finished', 1],
    ['finished', 1],
  ]);
  const { samples } = readSamples(path.join(cwd, 'runs', 'x-s0-masksub'), 12);
  for (const { tokens = [], label } of [...samples.training, ...(samples.validation?.worst ?? [])]) {
    expect([tokens[0], tokens.at(-1)]).toEqual(['[CLS]', '[SEP]']);
    expect(tokens[1]).toBe(samples.classNames[label] === 'positive' ? 'good' : 'bad');
  }
});

test('its weights go to transformers, a SavedModel is refused before anything is written', async () => {
  const cwd = reviews();
  const run = await cli(['run', 'reviews.masksub.json', '--out', 'runs', '--id', 'x', '--set', 'train.epochs=1'], {
    cwd,
  });
  expect(run.code, run.stderr).toBe(0);
  // What a run wrote is a config again.
  const config = path.join(cwd, 'runs', 'x-s0-masksub', 'config.json');
  expect(JSON.parse((await cli(['config', config])).stdout)).toMatchObject({ data: { length: 10, split: 0.2 } });
  fs.renameSync(path.join(cwd, 'reviews.csv'), path.join(cwd, 'moved.csv')); // the run keeps what an export needs
  const exported = await cli(['export', 'x-s0-masksub', '--pytorch', '--out', 'runs', '--to', 'w.safetensors'], {
    cwd,
  });
  expect(exported.code, exported.stderr).toBe(0);
  const file = path.join(cwd, 'w.safetensors');
  const { tensors, metadata } = decodeSafetensors(fs.readFileSync(file), file);
  expect(tensors.get('bert.embeddings.word_embeddings.weight')?.shape).toEqual([11, 16]);
  expect(JSON.parse(metadata['masksub.classNames'] ?? '')).toEqual(['negative', 'positive']);
  const refused = await cli(['export', 'x-s0-masksub', '--saved-model', '--out', 'runs', '--to', 'saved'], { cwd });
  expectRefusal(refused, 'sees texts', '--pytorch');
  expect(fs.existsSync(path.join(cwd, 'saved'))).toBe(false);
});

test('masksub data shows counts, lengths and samples before training', async () => {
  const cwd = reviews();
  const { stdout, code } = await cli(['data', 'reviews.masksub.json'], { cwd });
  expect(code).toBe(0);
  expect(stdout).toMatch(/48 for training; 12 for validation/);
  expect(stdout).toMatch(/negative {2}24 +50\.0 % {2}6/);
  expect(stdout).toContain('positive: good ');
  const report = dataReportSchema.parse(
    JSON.parse((await cli(['data', 'reviews.masksub.json', '--json'], { cwd })).stdout),
  );
  expect(report).toMatchObject({ kind: 'text', train: 48, validation: 12, texts: { length: 10, vocabulary: 11 } });
  expect(report.samples[0]?.text).toMatch(/^bad( (film|plot|actor|music))+$/);
});

test('a file that is wrong ends it with the line, and no run folder', async () => {
  const cwd = reviews();
  fs.appendFileSync(path.join(cwd, 'reviews.csv'), '\nan "odd" quote,positive');
  expectRefusal(await cli(['run', 'reviews.masksub.json', '--out', 'runs'], { cwd }), 'reviews.csv', '62');
  expect(fs.existsSync(path.join(cwd, 'runs')) ? fs.readdirSync(path.join(cwd, 'runs')) : []).toEqual([]);
});
