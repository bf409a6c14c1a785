/**
 * The native engine in `.engine/`: libtensorflow out of the wheel `tensorflow-cpu`, and two Node-API addons compiled against
 * it: that of `@tensorflow/tfjs-node-gpu` for single ops, and our own (`native/`) for recorded steps.
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
const compilerFlags = ['-O2', '-fPIC', '-std=c++17', '-fno-sized-deallocation'];
const nativeFlags = [
  '-O3',
  '-funroll-loops',
  '-fPIC',
  '-std=c++17',
  '-pthread',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-Wno-psabi',
];
/** The loops of the fused kernel, once for each generation of processors; which one runs is decided when it is loaded. */
const instructionSets = {
  v2: ['-march=x86-64-v2'],
  v3: ['-march=x86-64-v3'],
  v4: ['-march=x86-64-v4', '-mprefer-vector-width=512'],
};

const native = path.join(root, 'native');
const addon = 'lib/napi-v8/tfjs_binding.node';
const stepAddon = 'lib/napi-v8/masksub.node';
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
    await step('engine: compiling the addons', found, async () => {
      const toolchain = linkedAgainst(tools.compiler, build, pieces);
      await Promise.all([compileBinding(toolchain, source, pieces), compileNative(toolchain, build, pieces)]);
      for (const file of [addon, stepAddon]) {
        // Loaded in a child: a library that doesn't fit this machine may end the process that tries it.
        await execute(process.execPath, ['-e', `require(${JSON.stringify(path.join(pieces, file))})`], {
          env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
          hint: `${path.basename(file)} was compiled but does not load on this machine.`,
        });
        hashes[file] = hashOf(path.join(pieces, file));
      }
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

/** The addons' sources, and a hash of all that decides what they compile to. */
function addonSource() {
  const folder = path.join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  const binding = path.join(folder, 'binding');
  const decisions = [version, napiVersion, compilerFlags, nativeFlags, Object.entries(instructionSets)];
  const hash = createHash('sha256').update(JSON.stringify(decisions));
  for (const name of fs.readdirSync(binding).sort()) hash.update(fs.readFileSync(path.join(binding, name)));
  for (const name of nativeFiles()) hash.update(name).update(fs.readFileSync(path.join(native, name)));
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
 * The compiler alone: the addons are a few files of C++ on Node-API, so node-gyp, make and Node's own headers would add
 * requirements (and a download outside the registries) without adding anything to the result.
 */
function linkedAgainst(compiler, build, pieces) {
  const link = path.join(build, 'link');
  fs.mkdirSync(link);
  fs.mkdirSync(path.join(pieces, path.dirname(addon)), { recursive: true });
  for (const [name, library] of Object.entries({
    'libtensorflow.so': 'libtensorflow_cc.so.2',
    'libtensorflow_framework.so': 'libtensorflow_framework.so.2',
  })) {
    fs.symlinkSync(path.join(pieces, 'deps/lib', library), path.join(link, name));
  }
  const include = [path.join(root, 'node_modules/node-api-headers/include'), path.join(build, 'include'), native];
  return {
    compiler,
    include: [`-DNAPI_VERSION=${napiVersion}`, ...include.map((folder) => `-I${folder}`)],
    libraries: [`-L${link}`, '-ltensorflow', '-ltensorflow_framework', '-Wl,-rpath,$ORIGIN/../../deps/lib'],
  };
}

async function compileBinding({ compiler, include, libraries }, { binding }, pieces) {
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => path.join(binding, name));
  const output = ['-shared', '-o', path.join(pieces, addon)];
  await execute(compiler, [...compilerFlags, ...include, ...sources, ...output, ...libraries]);
}

async function compileNative({ compiler, include, libraries }, build, pieces) {
  const interpreter = path.join('fused', 'interpreter.cc');
  const objects = await Promise.all(
    Object.entries(instructionSets).map(async ([name, flags]) => {
      const object = path.join(build, `interpreter-${name}.o`);
      const source = ['-c', path.join(native, interpreter), '-o', object];
      await execute(compiler, [...nativeFlags, ...flags, `-DMASKSUB_ISA=${name}`, ...include, ...source]);
      return object;
    }),
  );
  const sources = nativeFiles().filter((name) => name.endsWith('.cc') && name !== interpreter);
  // TensorFlow keeps pointers to a registered kernel for as long as the process lives.
  const output = ['-shared', '-Wl,-z,nodelete', '-o', path.join(pieces, stepAddon)];
  const inputs = [...sources.map((name) => path.join(native, name)), ...objects];
  await execute(compiler, [...nativeFlags, ...include, ...inputs, ...output, ...libraries]);
}

/** Our own sources, relative to `native/`. */
function nativeFiles() {
  const names = /** @type {string[]} */ (fs.readdirSync(native, { recursive: true }));
  return names.filter((name) => /\.(cc|h)$/.test(name)).sort();
}

function hashOf(file) {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}
