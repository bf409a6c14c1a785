/** The test suites: `unit` is everything that needs no editor; `editor` drives a real VS Code and needs `npm test`'s set-up. */
import path from 'node:path';
import { defineConfig } from 'vitest/config';

/** Tests that kill and delete under a living process race with the machine's load; on CI, failing twice in a row is failing. */
const retries = process.env.CI ? 1 : 0;

export default defineConfig({
  test: {
    projects: [
      {
        resolve: {
          // tfjs ships its gradients as a module that Node cannot load; the union package registers them all.
          // tar-stream's reader of headers is no entry of its package.
          alias: {
            '@tensorflow/tfjs-core/dist/register_all_gradients.js': '@tensorflow/tfjs',
            'tar-stream/headers.js': path.resolve('node_modules/tar-stream/headers.js'),
          },
        },
        test: {
          name: 'unit',
          env: { TF_CPP_MIN_LOG_LEVEL: '2' },
          include: ['test/**/*.test.ts'],
          exclude: ['test/editor/**'],
          // The native engine holds threads and memory of its own: a process each, and no more of them than cores.
          retry: retries,
          pool: 'forks',
          poolOptions: { forks: { maxForks: 2 } },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'editor',
          include: ['test/editor/**/*.test.ts'],
          retry: retries,
          pool: 'forks',
          // One editor and browser at a time.
          poolOptions: { forks: { singleFork: true } },
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
