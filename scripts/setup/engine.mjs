/**
 * The native engine in `.engine/`: libtensorflow out of the wheel `tensorflow-cpu`, and the Node-API addon of
 * `@tensorflow/tfjs-node-gpu`, compiled against it.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { canExecute, execute, root, SetupError, step } from './step.mjs';

const version = '2.21.0';
// One wheel for every Python: the libraries inside don't depend on it, and one file has one checksum.
const wheel = ['--python-version', '3.11', '--implementation', 'cp', '--platform', 'manylinux_2_27_x86_64'];
const napiVersion = 8; // the newest that the addon's source asks for; Node 20, 22 and 24 all have it
const compilerFlags = ['-O2', '-fPIC', '-shared', '-std=c++17', '-fno-sized-deallocation'];

const addon = 'lib/napi-v8/tfjs_binding.node';
const libraries = {
  'tensorflow/libtensorflow_cc.so.2': 'deps/lib/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2': 'deps/lib/libtensorflow_framework.so.2',
};
const headers =
  /^tensorflow\/include\/((?:tensorflow\/c|tensorflow\/core\/platform|tsl\/platform|xla\/tsl\/c)\/.+\.h)$/;

/** Makes the engine in `folder`, by default `.engine/` of the checkout; nothing is half there when it fails. */
export async function setUpEngine(folder = path.join(root, '.engine')) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    await step(
      'native engine',
      () => `set-up can make it on Linux x64 only (this is ${process.platform} ${process.arch}); runs use WebAssembly`,
      () => undefined,
    );
    return;
  }
  const source = addonSource();
  const build = `${folder}.build`;
  const pieces = path.join(build, 'engine');
  const found = () => foundEngine(folder, source.hash);

  let tools = { compiler: '', pip: [''] };
  if (!found()) {
    tools = { compiler: await findCompiler(), pip: await findPip() }; // before anything big is fetched
    fs.rmSync(build, { recursive: true, force: true });
    fs.mkdirSync(build, { recursive: true });
  }
  try {
    await step('engine: download of libtensorflow', found, () => download(tools.pip, build));
    const hashes = {};
    await step('engine: unpacking', found, async () => Object.assign(hashes, await unpack(build, pieces)));
    await step('engine: compiling the addon', found, async () => {
      await compile(tools.compiler, source, build, pieces);
      hashes[addon] = hashOf(path.join(pieces, addon));
      const sizes = Object.fromEntries(
        Object.keys(hashes).map((file) => [file, fs.statSync(path.join(pieces, file)).size]),
      );
      const about = { libtensorflow: version, variant: 'cpu', addon: source.version, source: source.hash };
      fs.writeFileSync(
        path.join(pieces, 'engine.json'),
        `${JSON.stringify({ ...about, sha256: hashes, bytes: sizes }, null, 2)}\n`,
      );
      fs.rmSync(folder, { recursive: true, force: true });
      fs.renameSync(pieces, folder);
    });
  } finally {
    fs.rmSync(build, { recursive: true, force: true });
  }
}

/** Why the engine need not be made: what is there is whole and was made from this source. */
function foundEngine(folder, sourceHash) {
  const description = path.join(folder, 'engine.json');
  if (!fs.existsSync(description)) return undefined;
  try {
    const engine = JSON.parse(fs.readFileSync(description, 'utf8'));
    const whole = Object.entries(engine.bytes).every(
      ([file, bytes]) => fs.statSync(path.join(folder, file)).size === bytes,
    );
    return whole && engine.source === sourceHash ? `libtensorflow ${engine.libtensorflow}` : undefined;
  } catch {
    return undefined; // damaged: made anew
  }
}

/** The addon's source, and a hash of all that decides what it compiles to. */
function addonSource() {
  const folder = path.join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const binding = path.join(folder, 'binding');
  const hash = createHash('sha256').update([version, napiVersion, ...compilerFlags].join('\n'));
  for (const name of fs.readdirSync(binding).sort()) hash.update(fs.readFileSync(path.join(binding, name)));
  const { version: packageVersion } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return { folder, binding, version: packageVersion, hash: hash.digest('hex') };
}

/** Pip, so that mirrors, proxies and credentials configured for it hold; it checks the wheel against the index's hash. */
async function download(pip, build) {
  const [command, ...first] = pip;
  const options = [
    '--no-deps',
    '--only-binary=:all:',
    '--no-cache-dir',
    '--disable-pip-version-check',
    '--dest',
    build,
  ];
  await execute(command, [...first, 'download', ...options, ...wheel, `tensorflow-cpu==${version}`], {
    hint: `libtensorflow comes from the wheel tensorflow-cpu ${version}. Is the package index that pip is configured for in reach?`,
  });
  const file = wheelIn(build);
  return `${path.basename(file)}, ${Math.round(fs.statSync(file).size / 1e6)} MB`;
}

async function findPip() {
  const pip = await firstThatRuns([['python3', '-m', 'pip'], ['pip3'], ['pip'], ['python', '-m', 'pip']]);
  if (pip) return pip;
  throw new SetupError(
    'pip was not found; it is used to download libtensorflow. Install Python 3 with pip (Debian: apt install python3-pip).',
  );
}

async function findCompiler() {
  const compiler = process.env.CXX ?? (await firstThatRuns([['c++'], ['g++'], ['clang++']]))?.[0];
  if (compiler) return compiler;
  throw new SetupError('No C++ compiler was found. Install one (Debian: apt install g++), or name one in CXX.');
}

async function firstThatRuns(commands) {
  for (const [command, ...args] of commands) {
    if (await canExecute(command, [...args, '--version'])) return [command, ...args];
  }
  return undefined;
}

function wheelIn(build) {
  const name = fs.readdirSync(build).find((entry) => entry.endsWith('.whl'));
  if (!name) throw new SetupError(`pip reported success but left no wheel in ${build}.`);
  return path.join(build, name);
}

/** Streams the two libraries and the C headers out of the wheel; returns the libraries' SHA-256 by file. */
async function unpack(build, pieces) {
  const yauzl = await import('yauzl');
  const file = wheelIn(build);
  const hashes = {};
  const archive = await new Promise((resolve, reject) => {
    yauzl.default.open(file, { lazyEntries: true, autoClose: true }, (error, zip) =>
      error ? reject(error) : resolve(zip),
    );
  });
  await new Promise((resolve, reject) => {
    const next = async (entry) => {
      const header = headers.exec(entry.fileName)?.[1];
      const library = libraries[entry.fileName];
      if (header) await extract(archive, entry, path.join(build, 'include', header));
      if (library) hashes[library] = await extract(archive, entry, path.join(pieces, library));
      archive.readEntry();
    };
    archive.on('entry', (entry) => next(entry).catch(reject));
    archive.on('end', resolve).on('error', reject);
    archive.readEntry();
  });
  const missing = Object.values(libraries).filter((library) => !hashes[library]);
  if (missing.length > 0) throw new SetupError(`${path.basename(file)} does not hold ${missing.join(' and ')}.`);
  fs.rmSync(file);
  return hashes;
}

async function extract(archive, entry, target) {
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const input = await new Promise((resolve, reject) => {
    archive.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
  const hash = createHash('sha256');
  const tee = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(input, tee, fs.createWriteStream(target));
  return hash.digest('hex');
}

/**
 * The compiler alone: the addon is two files of C++ on Node-API, so node-gyp, make and Node's own headers would add
 * requirements (and a download outside the registries) without adding anything to the result.
 */
async function compile(compiler, source, build, pieces) {
  const output = path.join(pieces, addon);
  fs.mkdirSync(path.dirname(output), { recursive: true });
  const link = path.join(build, 'link');
  fs.mkdirSync(link);
  const library = (name) => path.join(pieces, 'deps/lib', name);
  fs.symlinkSync(library('libtensorflow_cc.so.2'), path.join(link, 'libtensorflow.so'));
  fs.symlinkSync(library('libtensorflow_framework.so.2'), path.join(link, 'libtensorflow_framework.so'));
  await execute(compiler, [
    ...compilerFlags,
    `-DNAPI_VERSION=${napiVersion}`,
    `-I${path.join(root, 'node_modules/node-api-headers/include')}`,
    `-I${path.join(build, 'include')}`,
    path.join(source.binding, 'tfjs_backend.cc'),
    path.join(source.binding, 'tfjs_binding.cc'),
    '-o',
    output,
    `-L${link}`,
    '-ltensorflow',
    '-ltensorflow_framework',
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ]);
  // Loaded in a child: a library that doesn't fit this machine may end the process that tries it.
  await execute(process.execPath, ['-e', `require(${JSON.stringify(output)})`], {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    hint: 'The addon was compiled but does not load on this machine.',
  });
  return `${path.basename(addon)}, ${Math.round(fs.statSync(output).size / 1e3)} kB`;
}

function hashOf(file) {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}
