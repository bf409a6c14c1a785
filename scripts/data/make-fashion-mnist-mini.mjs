/**
 * Makes media/fashion-mnist-mini from the full Fashion-MNIST: the training images of fashion-mnist-mini-indices.json, in that order, and
 * all test images, packed anew so that every run gives the same bytes. Prints the sha256 of what it read and wrote.
 *
 *     node scripts/data/make-fashion-mnist-mini.mjs [folder of the full set] [output folder]
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

const here = import.meta.dirname;
const source = process.argv[2] ?? '/usr/share/datasets/fashion-mnist';
const output = process.argv[3] ?? path.join(here, '../../media/fashion-mnist-mini');
const { indices } = JSON.parse(readFileSync(path.join(here, 'fashion-mnist-mini-indices.json'), 'utf8'));

mkdirSync(output, { recursive: true });
let total = 0;
for (const [name, chosen] of [
  ['train-images-idx3-ubyte', indices],
  ['train-labels-idx1-ubyte', indices],
  ['t10k-images-idx3-ubyte', undefined],
  ['t10k-labels-idx1-ubyte', undefined],
]) {
  const packed = readFileSync(path.join(source, `${name}.gz`));
  const content = gunzipSync(packed);
  const made = gzip(chosen ? choose(content, chosen) : content);
  writeFileSync(path.join(output, `${name}.gz`), made);
  total += made.length;
  console.log(`${name}.gz\n  read  ${sha256(packed)}\n  wrote ${sha256(made)} (${made.length} bytes)`);
}
if (total > 8e6) throw new Error(`${total} bytes together; at most 8 MB may ship`);

/** The rows of an IDX array of bytes at these indices, as an IDX array. */
function choose(content, rows) {
  const offset = 4 + 4 * content[3];
  const header = Buffer.from(content.subarray(0, offset));
  const size = (content.length - offset) / header.readUInt32BE(4);
  header.writeUInt32BE(rows.length, 4);
  return Buffer.concat([
    header,
    ...rows.map((row) => content.subarray(offset + row * size, offset + (row + 1) * size)),
  ]);
}

/** Without a time stamp (zlib writes none) and with the same "unknown" operating system on every one. */
function gzip(content) {
  const packed = gzipSync(content, { level: 9 });
  packed[9] = 0xff;
  return packed;
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
