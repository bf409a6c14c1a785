/** A Python with PyTorch and other packages, for the tests that compare with them. */
import { spawnSync } from 'node:child_process';

/** The Python that `MASKSUB_TORCH_PYTHON` names, else `python3`, or why there is no comparison. */
export function pythonWith(...packages: string[]): { readonly command: string } | { readonly missing: string } {
  const command = process.env.MASKSUB_TORCH_PYTHON ?? 'python3';
  // Looks for the packages without loading them: that takes seconds, and the script tells what is wrong with them.
  const look = 'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))';
  const { status } = spawnSync(command, ['-c', look, ...packages], { timeout: 20_000 });
  return status === 0
    ? { command }
    : { missing: `${command} has not all of ${packages.join(', ')} (MASKSUB_TORCH_PYTHON names a Python)` };
}
