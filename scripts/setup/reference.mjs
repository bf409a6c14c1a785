/** PyTorch, timm, transformers, TensorBoard and MLflow for the tests that compare with them, in a virtual environment: `.reference/`. */
import fs from 'node:fs';
import path from 'node:path';
import { execute, root, step } from './step.mjs';

const folder = path.join(root, '.reference');
const resolved = [
  'torch==2.13.0+cpu',
  'numpy==2.4.6',
  'safetensors==0.8.0',
  'pyyaml==6.0.4',
  'pillow==13.0.0',
  'huggingface_hub==2.4.0',
  'regex==2026.11.19',
  // They read back what `masksub export` writes for them.
  'tensorboard==2.21.0',
  'mlflow-skinny==3.17.2',
];
// timm imports torchvision; by pip's own resolution either would bring the CUDA build of PyTorch, of 3 GB. transformers
// would bring what only its command line needs.
const alone = ['timm==1.0.31', 'torchvision==0.28.0', 'transformers==5.24.0', 'tokenizers==0.23.3'];
const python = path.join(folder, 'bin', 'python');
/** Written once everything is there. */
const mark = path.join(folder, 'complete.json');

/**
 * Sets `MASKSUB_TORCH_PYTHON` for this process and those it starts, unless it is set. Where pip has no CPU build of PyTorch, the tests
 * that need it are skipped and say so.
 */
export async function setUpReference() {
  if (process.env.MASKSUB_TORCH_PYTHON) return;
  await step(
    'reference: PyTorch, timm',
    () => (isComplete() ? resolved[0] : undefined),
    async () => {
      try {
        await install();
        return resolved[0];
      } catch (error) {
        fs.rmSync(folder, { recursive: true, force: true });
        return `not to be had, tests that compare with them are skipped (${/** @type {Error} */ (error).message.split('\n')[0]})`;
      }
    },
  );
  if (isComplete()) process.env.MASKSUB_TORCH_PYTHON = python;
}

async function install() {
  fs.rmSync(folder, { recursive: true, force: true });
  await execute('python3', ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--only-binary=:all:'];
  await execute(python, [...pip, ...resolved]);
  await execute(python, [...pip, '--no-deps', ...alone]);
  fs.writeFileSync(mark, JSON.stringify([...resolved, ...alone]));
}

function isComplete() {
  return fs.existsSync(mark) && fs.readFileSync(mark, 'utf8') === JSON.stringify([...resolved, ...alone]);
}
