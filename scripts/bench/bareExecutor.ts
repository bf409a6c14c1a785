/** The eager executor without gradient statistics: the bundler takes them out of what is imported here (bundle.mjs). */
export { eagerExecutor as bareExecutor } from '../../src/engine/step/eager.ts';
