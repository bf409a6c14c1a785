/** tfjs's WebAssembly backend. A module of its own, so that only who needs it loads it. */
import fs from 'node:fs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

/** Registers the backend; its binaries lie in `folder`, or beside its JavaScript where there is no such folder. */
export function registerWasm(folder: string): void {
  if (fs.existsSync(folder)) setWasmPaths(`${folder}/`);
}
