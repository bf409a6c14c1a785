/** `masksub export` of what runs say: each format from the command line, read back by its own readers, and hostile runs in all of them. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { allCharts } from '../../src/core/charts.ts';
import type { RunEvent } from '../../src/core/events.ts';
import { rowsOf } from '../../src/runner/exports/rows.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { type CliResult, cli, expectRefusal } from '../support/cli.ts';
import { pythonWith } from '../support/python.ts';
import { eventsOf, makeExperiment, runArguments, runFolder } from './experiment.ts';

const experiment = makeExperiment(fs.mkdtempSync(path.join(os.tmpdir(), 'masksub-test-')));
const ids = ['x-s0-baseline', 'x-s0-masksub', 'x-s1-baseline', 'x-s1-masksub'];

beforeAll(async () => {
  const trained = await cli(runArguments(experiment, '--set', 'compare.seeds=[0,1]'));
  expect(trained.code, trained.stderr).toBe(0);
  return () => fs.rmSync(experiment.folder, { recursive: true });
});

/** Exports into a new folder and gives the path of what was written. */
async function exported(name: string, ...args: string[]): Promise<string> {
  const to = path.join(temporaryFolder(), name);
  const result = await cli(['export', ...args, '--to', to, '--out', experiment.out]);
  expect(result.code, result.stderr).toBe(0);
  expect(result.stdout).toContain(`Wrote ${to}`);
  return to;
}
const run = (...args: string[]) => cli(['export', ...args, '--out', experiment.out]);
const read = (file: string) => fs.readFileSync(file, 'utf8');
const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);

describe('figures', () => {
  test('of all charts, each seed counted, the same bytes each time', async () => {
    const [first, again] = [await exported('figures', 'x', '--svg'), await exported('figures', 'x', '--svg')];
    expect(fs.readdirSync(first).sort()).toEqual(
      allCharts()
        .map(({ id }) => `${id}.svg`)
        .sort(),
    );
    for (const file of fs.readdirSync(first)) {
      expect(read(path.join(again, file))).toBe(read(path.join(first, file)));
    }
    const loss = read(path.join(first, 'loss.svg'));
    expect(textsOf(loss)).toEqual(expect.arrayContaining(['Baseline', 'MaskSub sub']));
    expect(textsOf(loss).join(' ')).toContain('Mean ± standard deviation (n − 1) over 2 seeds.');
  });

  test('of one chart, with its runs and their configs in the file', async () => {
    const file = await exported(
      'loss.svg',
      'x-s0-masksub',
      '--svg',
      '--chart',
      'loss.total',
      '--axis',
      'step',
      '--smoothing',
      '0.1',
    );
    const svg = read(file);
    const metadata = /<metadata>(.*)<\/metadata>/.exec(svg)?.[1]?.replaceAll('&quot;', '"') ?? '';
    expect(JSON.parse(metadata)).toMatchObject({
      chart: 'loss.total',
      command: 'masksub export x-s0-masksub --svg --chart loss.total --axis step --smoothing 0.1',
      runs: [{ id: 'x-s0-masksub', config: { model: { width: 16 } } }],
    });
    expect(textsOf(svg).join(' ')).toContain('average over 10 % of the range, the values themselves faint behind.');
  });

  test('as PNG, at the size that is asked for, with its words drawn', async () => {
    const file = await exported(
      'a.png',
      'x',
      '--png',
      '--chart',
      'accuracy',
      '--style',
      'dark',
      '--width',
      '10',
      '--scale',
      '3',
    );
    const png = fs.readFileSync(file);
    expect(png.toString('latin1', 1, 4)).toBe('PNG');
    expect(png.readUInt32BE(16)).toBe(Math.round((10 / 2.54) * 96 * 3));
  });

  test.skipIf(process.platform !== 'linux')('no PNG where its words would be empty boxes', async () => {
    const folder = temporaryFolder();
    const fonts = path.join(folder, 'fonts.conf');
    fs.writeFileSync(fonts, `<?xml version="1.0"?><fontconfig><dir>${folder}</dir></fontconfig>`);
    const args = ['export', 'x', '--png', '--out', experiment.out, '--to', path.join(folder, 'p')];
    expectRefusal(await cli(args, { env: { FONTCONFIG_FILE: fonts } }), 'no font', 'fonts-dejavu-core', '--svg');
    expect(fs.readdirSync(folder)).toEqual(['fonts.conf']);
  });

  test('of the layers: a panel for each method and branch, in one file', async () => {
    const svg = read(await exported('a.svg', 'x', '--svg', '--chart', 'layers'));
    expect(textsOf(svg)).toEqual(
      expect.arrayContaining([
        'Baseline main',
        'MaskSub main',
        'MaskSub sub',
        'MaskSub cosine',
        'L2 norm',
        'Cosine',
        'head',
      ]),
    );
    expect(textsOf(svg).join(' ')).toContain('Mean over 2 seeds.');
    const only = read(await exported('a.svg', 'x', '--svg', '--chart', 'layers-sub'));
    expect(textsOf(only)).toContain('MaskSub');
    expect(textsOf(only)).not.toContain('Cosine');
  });

  test('of the difference, at equal compute', async () => {
    const svg = read(await exported('a.svg', 'x', '--svg', '--chart', 'difference', '--axis', 'flops'));
    expect(textsOf(svg).join(' ')).toContain('At equal compute, the baseline’s value interpolated linearly. Mean ±');
  });

  test('a line for each seed', async () => {
    const svg = read(await exported('a.svg', 'x', '--svg', '--chart', 'throughput', '--each-seed'));
    expect(textsOf(svg)).toEqual(expect.arrayContaining(['Baseline seed 0', 'MaskSub seed 1']));
  });
});

test('CSV holds every row of every run, as the events have it', async () => {
  const rows = parse(read(await exported('x.csv', 'x', '--csv')), { columns: true }) as Record<string, string>[];
  const events = ids.flatMap((id) =>
    eventsOf(path.join(experiment.out, id)).filter(({ type }) => type === 'step' || type === 'epoch'),
  );
  expect(rows).toHaveLength(events.length);
  for (const [i, event] of events.entries()) {
    const row = rows[i] ?? {};
    expect(row.run).toBe(event.run);
    expect(row.method).toBe(event.run.endsWith('baseline') ? 'baseline' : 'masksub');
    expect(row.seed).toBe(event.run[3]);
    expect(Number(row.time)).toBe(event.t);
    if (event.type === 'step') {
      const { step, epoch, images, flops, loss, grad } = event;
      expect([row.step, row.epoch, row.images, row.flops].map(Number)).toEqual([step, epoch, images, flops]);
      expect([row['loss.total'], row['grad.main']].map(Number)).toEqual([loss.total, grad.main]);
      expect(row['loss.sub']).toBe(loss.sub === undefined ? '' : String(loss.sub));
    } else if (event.type === 'epoch') {
      expect(Number(row['validation.top1'])).toBe(event.validation?.top1);
      expect(Number(row.images)).toBe(event.step * 8);
    }
  }
});

test('CSV of the layers and of the difference holds what the events say, seed by seed', async () => {
  const charts = ['--chart', 'layers', '--chart', 'difference', '--chart', 'grad-ratio'];
  const rows = parse(read(await exported('x.csv', 'x', '--csv', ...charts)), { columns: true }) as Record<
    string,
    string
  >[];
  const of = (id: string, column: string) =>
    rows.filter((row) => row.run === id && row[column] !== '').map((row) => Number(row[column]));
  for (const seed of [0, 1]) {
    const [baseline, masksub] = ['baseline', 'masksub'].map((name) =>
      eventsOf(path.join(experiment.out, `x-s${seed}-${name}`)),
    );
    const top1 = (events: readonly RunEvent[] = []) =>
      events.flatMap((event) => (event.type === 'epoch' ? (event.validation?.top1 ?? []) : []));
    const id = `x-s${seed}-masksub`;
    const [before, after] = [top1(baseline), top1(masksub)];
    expect(of(id, 'difference.top1')).toEqual(after.map((value, i) => value - (before[i] ?? Number.NaN)));
    expect(of(`x-s${seed}-baseline`, 'difference.top1')).toEqual([]);
    const layers = (masksub ?? []).flatMap((event) => (event.type === 'layers' ? [event.grad] : []));
    expect(layers.length).toBeGreaterThan(1);
    expect(of(id, 'cosine.blocks.0')).toEqual(layers.map(({ cosine }) => cosine?.['blocks.0']));
    const steps = (masksub ?? []).flatMap((event) => (event.type === 'step' ? [event.grad] : []));
    expect(of(id, 'grad.ratio')).toEqual(steps.map(({ main, sub = Number.NaN }) => sub / main));
  }
});

test('the report stands alone: no script, nothing loaded, everything said', async () => {
  const html = read(await exported('x.html', 'x', '--html'));
  expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
  expect(html).not.toMatch(/<script|<link|<iframe|\son\w+=|@import|url\(/i);
  expect(html.match(/https?:[^"']*/g)?.filter((address) => address !== 'http://www.w3.org/2000/svg')).toEqual([]);
  expect(html.match(/<figure>/g)).toHaveLength(allCharts().length);
  expect(html).toMatch(/class="verdict">MaskSub − baseline: .* points over 2 seeds/);
  expect(html).toContain('The hashes agree.'.slice(4));
  for (const id of ids) expect(html).toContain(`<summary>${id}</summary>`);
});

test('Markdown comes on standard output', async () => {
  const { stdout, code } = await run('x', '--markdown');
  expect(code).toBe(0);
  expect(stdout).toContain('## x\n');
  expect(stdout).toMatch(/\*\*MaskSub − baseline: .* over 2 seeds/);
  expect(stdout.match(/^\| x-s[01]-\w+ \|/gm)).toHaveLength(4);
  expect(stdout).toContain('| method.name | baseline | masksub | baseline | masksub |');
});

const readers = pythonWith('tensorboard', 'mlflow');
const why = 'missing' in readers ? `: ${readers.missing}` : '';

describe.skipIf('missing' in readers)(`read back${why}`, () => {
  const history = z.record(z.string(), z.array(z.tuple([z.number(), z.number(), z.number()])));
  const readBack = (kind: string, folder: string): unknown => {
    if ('missing' in readers) throw new Error(readers.missing);
    const script = path.join(import.meta.dirname, 'exportsReadBack.py');
    return JSON.parse(execFileSync(readers.command, [script, kind, folder], { encoding: 'utf8', maxBuffer: 1 << 28 }));
  };
  /** Tag → [milliseconds, step, value] of every scalar that a run has said. */
  const said = (id: string) => {
    const values = new Map<string, [number, number, number][]>();
    for (const { table, at, step, values: scalars } of rowsOf(path.join(experiment.out, id))) {
      for (const [name, value] of scalars) {
        const tag = `${table === 'layers' ? 'layers/' : ''}${name.replace('.', '/')}`;
        values.set(tag, [...(values.get(tag) ?? []), [at, step, value]]);
      }
    }
    return values;
  };

  test('by TensorBoard: every value, at its step and time', async () => {
    const folder = await exported('logs', 'x', '--tensorboard');
    const schema = z.record(z.string(), z.object({ scalars: history, texts: z.record(z.string(), z.string()) }));
    const found = schema.parse(readBack('tensorboard', folder));
    expect(Object.keys(found)).toEqual(ids);
    for (const id of ids) {
      const expected = said(id);
      expect(Object.keys(found[id]?.scalars ?? {}).sort()).toEqual([...expected.keys()].sort());
      for (const [tag, rows] of expected) {
        const single = rows.map(([at, step, value]) => [at / 1000, step, Math.fround(value)]);
        expect(found[id]?.scalars[tag]).toEqual(single);
      }
      expect(found[id]?.texts.config).toContain('| model.width | 16 |');
    }
  }, 60_000);

  test('by MLflow: every value, the config, what became of the run', async () => {
    const folder = await exported('mlruns', 'x', '--mlflow');
    const schema = z.record(
      z.string(),
      z.object({
        id: z.string().regex(/^[0-9a-f]{32}$/),
        experiment: z.string(),
        status: z.string(),
        params: z.record(z.string(), z.string()),
        tags: z.record(z.string(), z.string()),
        metrics: history,
        artifacts: z.array(z.string()),
      }),
    );
    const found = schema.parse(readBack('mlflow', folder));
    expect(Object.keys(found).sort()).toEqual(ids);
    for (const id of ids) {
      const expected = said(id);
      const { metrics = {}, params, tags, ...rest } = found[id] ?? {};
      expect(rest).toMatchObject({
        experiment: 'tiny (x)',
        status: 'FINISHED',
        artifacts: ['config.json', 'summary.json'],
      });
      expect(params).toMatchObject({ 'model.width': '16', 'train.epochs': '2' });
      expect(tags).toMatchObject({ 'masksub.seed': id[3], 'masksub.pair': `x-s${id[3]}` });
      expect(Object.keys(metrics).sort()).toEqual([...expected.keys()].sort());
      for (const [key, rows] of expected) {
        expect(metrics[key]).toEqual(rows.map(([at, step, value]) => [Math.round(at), step, value]));
      }
    }
  }, 60_000);
});

test('a resumed run: what was done again counts once', () => {
  const folder = temporaryFolder();
  const line = (event: object) => `${JSON.stringify({ v: 1, run: 'r', ...event })}\n`;
  const [start] = eventsOf(runFolder(experiment, 'masksub')) as [RunEvent];
  const step = (attempt: number, number: number, t: number) => {
    const loss = { total: number, main: number };
    const rates = { learningRate: 1, imagesPerSecond: 1, memoryBytes: 1, flops: 10 * number };
    return line({
      type: 'step',
      attempt,
      t,
      step: number,
      epoch: number / 8,
      images: number,
      loss,
      grad: loss,
      ...rates,
    });
  };
  const events = [
    line({ ...start, attempt: 0, t: 0, at: '2026-01-01T00:00:00Z' }),
    ...[2, 4, 6].map((number) => step(0, number, number)),
    line({ ...start, attempt: 1, t: 7, at: '2026-01-02T00:00:00Z', fromStep: 4 }),
    ...[6, 8].map((number) => step(1, number, number + 10)),
    '{"v":1,"type":"step","half',
  ];
  fs.writeFileSync(path.join(folder, 'events.jsonl'), events.join(''));
  const rows = [...rowsOf(folder)];
  expect(rows.map((row) => [row.step, row.time])).toEqual([
    [2, 2],
    [4, 4],
    [6, 16],
    [8, 18],
  ]);
  expect(new Date(rows[2]?.at ?? 0).toISOString()).toBe('2026-01-02T00:00:09.000Z');
});

test('hostile runs do no harm in any format', async () => {
  const evil = `=1+1 @all </title><script>alert(1)</script>"'|../../${'w'.repeat(10_000)}\n`;
  const folder = path.join(temporaryFolder(), 'evil');
  fs.cpSync(runFolder(experiment, 'masksub'), folder, { recursive: true });
  const edit = (name: string, change: (value: Record<string, unknown>) => unknown) => {
    const file = path.join(folder, name);
    const lines = read(file)
      .trim()
      .split(name.endsWith('l') ? '\n' : '\u0000');
    fs.writeFileSync(file, `${lines.map((one) => JSON.stringify(change(JSON.parse(one)))).join('\n')}\n`);
  };
  edit('events.jsonl', (event) => ({
    ...event,
    run: evil,
    ...(event.type === 'start' ? { name: evil, method: evil } : {}),
  }));
  edit('config.json', (config) => ({
    ...config,
    name: evil,
    [`../${'k'.repeat(900)}`]: evil,
    '../../escaped': '..',
    a: 1,
    'a/b': 2,
  }));
  const place = temporaryFolder();
  const to = (name: string) => path.join(place, name);
  for (const [format, name] of [
    ['svg', 'f'],
    ['png', 'p'],
    ['csv', 'c.csv'],
    ['html', 'h.html'],
    ['markdown', 'm.md'],
    ['tensorboard', 't'],
    ['mlflow', 'mlruns'],
  ] as const) {
    const result = await run(folder, `--${format}`, '--to', to(name));
    expect(result.code, `${format}: ${result.stderr.slice(0, 500)}`).toBe(0);
  }
  expect(fs.readdirSync(place).sort()).toEqual(['c.csv', 'f', 'h.html', 'm.md', 'mlruns', 'p', 't']);
  expect(fs.readdirSync(to('t'))).toHaveLength(1);
  for (const file of [to('h.html'), path.join(to('f'), 'loss.svg')]) expect(read(file)).not.toMatch(/<script/);
  expect(read(to('m.md'))).not.toMatch(/(?<!\\)<script/);
  expect(read(to('m.md'))).not.toMatch(/w{1000}|@all/);
  const [, row] = parse(read(to('c.csv'))) as string[][];
  expect(row?.[0]?.startsWith("'=1+1")).toBe(true);
  const params = fs.readdirSync(to('mlruns'), { recursive: true }).map(String);
  expect(
    params.filter((name) => name.includes('..') || name.includes('escaped')).every((name) => name.includes('params')),
  ).toBe(true);
}, 60_000);

describe('says what is wrong', () => {
  const refused = async (args: string[], ...parts: string[]) => expectRefusal(await run(...args), ...parts);
  test('no format, or two', async () => {
    await refused(['x'], '--html', '--pytorch');
    await refused(['x', '--csv', '--png'], 'one of them');
  });
  test('an unknown run', () => refused(['y', '--csv'], 'There is no run "y"'));
  test('an unknown chart', () => refused(['x', '--svg', '--chart', 'acuracy'], 'Did you mean "accuracy"?'));
  test('a chart without values', () => refused(['x-s0-baseline', '--svg', '--chart', 'grad-ratio'], 'no values'));
  test('a difference without a pair', () =>
    refused(['x-s0-masksub', '--svg', '--chart', 'difference'], 'no pair', 'Name both runs'));
  test('an unknown axis', () => refused(['x', '--svg', '--axis', 'steps'], 'step, epoch, time'));
  test('several charts for one file', () => refused(['x', '--svg', '--to', '/tmp/a.svg'], 'one file', '--chart'));
  test('two runs for one model', () => refused(['x-s0-baseline', 'x-s0-masksub', '--pytorch'], 'one run'));
  test('options of the other kind', async () => {
    await refused(['x-s0-masksub', '--pytorch', '--axis', 'step'], '--axis');
    await refused(['x', '--csv', '--ema'], '--ema');
  });
  test('a number that is none', async () => {
    const { code, stderr } = await run('x', '--svg', '--from', 'two');
    expect([code, stderr.includes('Expected a number')]).toEqual([2, true]);
  });
  test.each(['csv', 'html', 'svg', 'tensorboard', 'mlflow'])('what lies in the way of --%s stays', async (format) => {
    const to = path.join(temporaryFolder(), 'mine');
    fs.writeFileSync(to, 'mine');
    const result: CliResult = await run('x', `--${format}`, '--to', to);
    expectRefusal(result, 'lies in the way', '--to');
    expect(read(to)).toBe('mine');
    expect(fs.readdirSync(path.dirname(to))).toEqual(['mine']);
  });
});
