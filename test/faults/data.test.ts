/** Data that are broken or hostile: a run is refused before it begins, with the file and the way out, or goes on and says what it left out. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { listRuns } from '../../src/store/runReader.ts';
import { encoded, hugePng, write } from '../data/pictures.ts';
import { temporaryFolder } from '../store/temporaryFolder.ts';
import { cli, expectPlain, expectRefusal } from '../support/cli.ts';

const jpeg = await encoded('jpeg', 12, 16);
/** The same picture in a file of its own: what follows its end mark makes other bytes of it. */
const picture = (number: number) => Buffer.concat([jpeg, Buffer.from(`${number}`)]);

const vit = { name: 'vit', imageSize: 8, patchSize: 4, width: 8, depth: 1, heads: 2 };
const bert = { name: 'bert', width: 8, depth: 1, heads: 2, vocabulary: 7, positions: 8 };

/** A folder with `x.masksub.json`, whose data lie in its folder `data`. */
function experiment(data: object, model: object = vit): string {
  const folder = temporaryFolder();
  const config = {
    data: { path: 'data', ...data },
    model,
    train: { epochs: 1, batchSize: 4, warmupEpochs: 0 },
    compare: { baseline: false },
  };
  write(path.join(folder, 'x.masksub.json'), JSON.stringify(config));
  return folder;
}

/** Images of a cat and a dog, 8 to train on and 4 to validate with. */
function pictures(data: object = {}): string {
  const folder = experiment({ dataset: 'image-folder', ...data });
  for (let i = 0; i < 12; i++) {
    write(path.join(folder, 'data', i < 8 ? 'train' : 'val', i % 2 ? 'dog' : 'cat', `${i}.jpg`), picture(i));
  }
  return folder;
}

/** Short texts, 8 to train on and 4 to validate with. */
function texts(): string {
  const folder = experiment({ dataset: 'text', tokenizer: 'vocab.txt', length: 8 }, bert);
  write(path.join(folder, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ngood\nbad\n');
  const rows = (count: number) => Array.from({ length: count }, (_, i) => `${i % 2 ? 'good' : 'bad'} ${i},${i % 2}`);
  write(path.join(folder, 'data', 'train.csv'), ['text,label', ...rows(8)].join('\n'));
  write(path.join(folder, 'data', 'test.csv'), ['text,label', ...rows(4)].join('\n'));
  return folder;
}

const runX = ['run', 'x.masksub.json', '--out', 'runs', '--id', 'x'];

/** Neither `masksub run` nor `masksub data` takes the data; both say why in the same words, and no run is left behind. */
async function expectRefused(cwd: string, ...says: readonly string[]): Promise<void> {
  const [run, data] = await Promise.all([cli(runX, { cwd }), cli(['data', 'x.masksub.json'], { cwd })]);
  for (const result of [run, data]) {
    expectRefusal(result, ...says);
    expect(result.stderr.trimEnd().split('\n'), result.stderr).toHaveLength(1);
    expect(result.stdout).toBe('');
  }
  expectNoRun(cwd);
}

function expectNoRun(cwd: string): void {
  const runs = path.join(cwd, 'runs');
  expect(fs.existsSync(runs) ? fs.readdirSync(runs) : []).toEqual([]);
}

/** The counts and warnings of `masksub data`. */
async function reportOf(cwd: string) {
  const result = await cli(['data', 'x.masksub.json', '--json'], { cwd });
  expect(result.code, result.stderr).toBe(0);
  expectPlain(result.stderr);
  return JSON.parse(result.stdout);
}

/** The warnings of a run, which ends well. */
async function warningsOfRun(cwd: string): Promise<string[]> {
  const { code, stdout, stderr } = await cli(['run', 'x.masksub.json', '--json'], { cwd });
  expect(code, stderr).toBe(0);
  const events = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  expect(events.find(({ type }) => type === 'end')).toMatchObject({ state: 'finished' });
  return events.filter(({ type }) => type === 'warning').map(({ message }) => message);
}

const fileIn = (cwd: string, file: string) => path.join(cwd, 'data', file);

describe('a broken file among 10,000', () => {
  const folder = () => {
    const cwd = experiment({ dataset: 'image-folder' });
    for (let i = 0; i < 10_000; i++) write(fileIn(cwd, `${i % 2 ? 'dog' : 'cat'}/${i}.jpg`), picture(i));
    write(fileIn(cwd, 'dog/4711.jpg'), jpeg.subarray(0, jpeg.length / 2));
    return cwd;
  };

  test('is named and counted, and left out where the config says so', async () => {
    const cwd = folder();
    await expectRefused(cwd, '1 of 10000 images are broken: dog/4711.jpg is cut off', '"data.skipBroken" to 1');
    const config = path.join(cwd, 'x.masksub.json');
    fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace('"path"', '"skipBroken":1,"path"'));
    const report = await reportOf(cwd);
    expect(report.train + report.validation).toBe(9999);
    expect(report.warnings).toEqual(['1 broken image is left out: dog/4711.jpg is cut off.']);
    write(fileIn(cwd, 'cat/12.jpg'), '');
    const refused = await cli(runX, { cwd });
    expectRefusal(refused, '2 of 10000', 'more than the 1 of "data.skipBroken"', 'cat/12.jpg is empty', '4711');
    expectNoRun(cwd);
  });
});

/** A JPEG whose header says another size. */
function resizedHeader(height: number, width: number): Buffer {
  const bytes = Buffer.from(jpeg);
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(height, frame + 5);
  bytes.writeUInt16BE(width, frame + 7);
  return bytes;
}

/** A PNG of 16 × 12 pixels, with 256 MiB of them. */
function bomb(): Buffer {
  const small = hugePng(12, 16);
  const [start, end] = [small.indexOf('IDAT'), small.indexOf('IEND') - 4];
  const chunk = Buffer.concat([Buffer.from('IDAT'), deflateSync(Buffer.alloc(2 ** 28))]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(chunk.length - 4);
  checksum.writeUInt32BE(crc32(chunk));
  return Buffer.concat([small.subarray(0, start - 4), length, chunk, checksum, small.subarray(end)]);
}

describe('an image', () => {
  for (const [what, content, says] of [
    ['of 0 bytes', Buffer.alloc(0), 'train/cat/x.jpg is empty'],
    ['of 30,000 × 30,000 pixels, as PNG', hugePng(30_000, 30_000), 'has 30000 × 30000 pixels, more than 100 million'],
    ['of 30,000 × 30,000 pixels, as JPEG', resizedHeader(30_000, 30_000), '30000 × 30000 pixels'],
    ['of 4 billion pixels a side', hugePng(2 ** 32 - 1, 2 ** 32 - 1), '4294967295 × 4294967295 pixels'],
    ['that is a web page', '<!doctype html>', 'train/cat/x.jpg is no JPEG, PNG or WebP image'],
  ] as const) {
    test(`${what} is refused`, async () => {
      const cwd = pictures();
      write(fileIn(cwd, 'train/cat/x.jpg'), content);
      await expectRefused(cwd, '1 of 13 images are broken', says);
    });
  }

  test('that unpacks to far more than it says is read as far as it says', async () => {
    const cwd = pictures();
    write(fileIn(cwd, 'train/cat/x.png'), bomb());
    const report = await reportOf(cwd);
    expect(report.train).toBe(9);
    expect(report.samples.map(({ name }: { name: string }) => name)).toContain('train/cat/x.png');
  });

  test('that looks whole and cannot be decoded ends a run with its name', async () => {
    const cwd = pictures();
    write(fileIn(cwd, 'train/cat/x.jpg'), Buffer.concat([jpeg.subarray(0, 200), jpeg.subarray(-2)]));
    expectRefusal(await cli(['data', 'x.masksub.json'], { cwd }), 'train/cat/x.jpg cannot be decoded');
    expectRefusal(await cli(runX, { cwd }), 'train/cat/x.jpg cannot be decoded', 'skipBroken');
    const [left] = listRuns(path.join(cwd, 'runs'));
    expect(left?.state).toBe('failed');
  });
});

describe('a folder of images', () => {
  test('with a class without images is refused', async () => {
    const cwd = pictures();
    fs.mkdirSync(fileIn(cwd, 'train/emu'));
    await expectRefused(cwd, `${fileIn(cwd, 'train')}: there are no images in emu`, 'remove its folder');
  });

  test('with a class that only the test split has is refused', async () => {
    const cwd = pictures();
    write(fileIn(cwd, 'val/emu/1.jpg'), picture(99));
    await expectRefused(cwd, `${fileIn(cwd, 'val')}: there are no training images of emu`, fileIn(cwd, 'train'));
  });

  test('with the same image in both sets is trained on, with a warning that names the files', async () => {
    const cwd = pictures();
    write(fileIn(cwd, 'val/dog/again.jpg'), picture(3));
    expect(await warningsOfRun(cwd)).toContain(
      '1 validation image is also in the training set: val/dog/again.jpg is train/dog/3.jpg.',
    );
  });

  test('with links that lead in circles is read to its end', async () => {
    const cwd = pictures();
    fs.symlinkSync('..', fileIn(cwd, 'train/cat/up'));
    fs.symlinkSync('../dog', fileIn(cwd, 'train/dog/self'));
    const report = await reportOf(cwd);
    expect(report).toMatchObject({ train: 8, validation: 4 });
    expect(report.warnings).toEqual([expect.stringMatching(/lead back.*train\/cat\/up, train\/dog\/self/)]);
    fs.symlinkSync('b.jpg', fileIn(cwd, 'train/cat/a.jpg'));
    fs.symlinkSync('a.jpg', fileIn(cwd, 'train/cat/b.jpg'));
    await expectRefused(cwd, '2 of 14 images are broken', 'train/cat/a.jpg', 'ELOOP');
  });

  test('that is itself a link to itself is refused', async () => {
    const cwd = experiment({ dataset: 'image-folder' });
    fs.symlinkSync('data', path.join(cwd, 'data'));
    await expectRefused(cwd, path.join(cwd, 'data'));
  });
});

describe('a shard', () => {
  const shards = (...files: readonly [name: string, content: Buffer | string][]) =>
    Buffer.concat([...files.flatMap(([name, content]) => tarEntry(name, Buffer.from(content))), Buffer.alloc(1024)]);

  function webDataset() {
    const cwd = experiment({ dataset: 'webdataset' });
    const sample = (i: number): [string, Buffer | string][] => [
      [`${i}.jpg`, picture(i)],
      [`${i}.cls`, `${i % 2}`],
    ];
    const train = shards(...Array.from({ length: 8 }, (_, i) => sample(i)).flat());
    write(fileIn(cwd, 'train-0.tar'), train);
    write(fileIn(cwd, 'val-0.tar'), shards(...sample(10), ...sample(11)));
    return { cwd, train };
  }

  test('that is cut off within an image is refused with the byte', async () => {
    const { cwd, train } = webDataset();
    write(fileIn(cwd, 'train-0.tar'), train.subarray(0, 700));
    await expectRefused(cwd, `${fileIn(cwd, 'train-0.tar')}: damaged at byte 0`, 'ends at byte 700, within 0.jpg');
  });

  test('that is cut off between two images is refused with the byte', async () => {
    const { cwd, train } = webDataset();
    const end = train.indexOf('2.jpg');
    write(fileIn(cwd, 'train-0.tar'), train.subarray(0, end));
    await expectRefused(cwd, `${fileIn(cwd, 'train-0.tar')}: damaged at byte ${end}`, 'without its end mark');
  });

  test('with a label that only the test split has is refused', async () => {
    const { cwd } = webDataset();
    write(fileIn(cwd, 'val-0.tar'), shards(['a.jpg', picture(20)], ['a.cls', '2']));
    await expectRefused(cwd, 'there are no images to learn from of 2');
  });
});

describe('a table of texts', () => {
  test('with a quote that is never closed is refused with the line where it opens', async () => {
    const cwd = texts();
    fs.appendFileSync(fileIn(cwd, 'train.csv'), `\n"good,1${'\ngood,1'.repeat(1000)}`);
    await expectRefused(cwd, `${fileIn(cwd, 'train.csv')}:10: the record that begins here has a stray quote`);
  });

  test('with a label that only the test split has is refused with the line', async () => {
    const cwd = texts();
    fs.appendFileSync(fileIn(cwd, 'test.csv'), '\ngood,7');
    await expectRefused(cwd, `${fileIn(cwd, 'test.csv')}:6: the training set has no label "7"; it has "0", "1"`);
  });
});

/** Runs a command when it is unpickled: Python's own pickle of it, for `os.system`. */
const attack = `
import os, pickle, sys, zipfile
folder, marker = sys.argv[1:]
class Attack:
    def __reduce__(self):
        return os.system, ('touch "' + marker + '"',)
def write(name, content):
    with open(os.path.join(folder, name), 'wb') as file:
        file.write(content)
bad = {'data': Attack(), 'labels': [0]}
write('batch', pickle.dumps(bad))
write('batch0', pickle.dumps(bad, protocol=0))
write('legacy.bin', pickle.dumps(0x1950a86a20f9469cfc6c, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2) + pickle.dumps(bad, 2))
with zipfile.ZipFile(os.path.join(folder, 'new.pth'), 'w') as archive:
    archive.writestr('new/data.pkl', pickle.dumps(bad, 2))
    archive.writestr('new/version', '3')
pickle.load(open(os.path.join(folder, 'batch'), 'rb'))
`;

describe('a pickle that calls os.system', () => {
  /** Files with the attack, which works: Python fell for it. */
  function attacks(): { folder: string; marker: string } {
    const folder = temporaryFolder();
    const marker = path.join(folder, 'executed');
    execFileSync('python3', ['-c', attack, folder, marker]);
    fs.rmSync(marker); // fails unless it was executed
    return { folder, marker };
  }
  const names = /names (os|posix)\.system, which is no part of .*: it could run code\. Nothing was executed\./;

  test.each(['batch', 'batch0'])('is refused as a batch of CIFAR (%s)', async (file) => {
    const { folder, marker } = attacks();
    const cwd = experiment({ dataset: 'cifar10' }, { ...vit, imageSize: 32 });
    for (const name of ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch'])
      write(fileIn(cwd, name), fs.readFileSync(path.join(folder, file)));
    await expectRefused(cwd, fileIn(cwd, 'data_batch_1'), '.system');
    expect((await cli(['data', 'x.masksub.json'], { cwd })).stderr).toMatch(names);
    expect(fs.existsSync(marker)).toBe(false);
  });

  test.each(['new.pth', 'legacy.bin'])('is refused as weights (%s)', async (file) => {
    const { folder, marker } = attacks();
    const cwd = pictures();
    const weights = path.join(folder, file);
    const result = await cli([...runX, '--set', `model.weights=${weights}`], { cwd });
    expectRefusal(result, weights);
    expect(result.stderr).toMatch(names);
    expectNoRun(cwd);
    expect(fs.existsSync(marker)).toBe(false);
  });
});

/** A file in a tar archive, POSIX.1-1988. */
function tarEntry(name: string, content: Buffer): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}
