/** The choice of an executor, of one without gradient statistics: the bundler takes them out of what is imported here (bundle.mjs). */
export { executorFactory as bareExecutorFactory } from '../../src/runner/executor.ts';
