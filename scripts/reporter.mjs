/** A vitest reporter for `npm test`: writes what passed, failed and was skipped (with the reason) to the file in TEST_COUNTS. */
import fs from 'node:fs';
import path from 'node:path';

export default class CountsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    /** @type {{passed: number, failed: number, skipped: {name: string, reason: string}[]}} */
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      // A file that cannot be loaded has no tests that could fail.
      counts.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'skipped') {
          const file = path.relative(process.cwd(), module.moduleId);
          counts.skipped.push({ name: `${file} > ${test.fullName}`, reason: result.note ?? 'no reason given' });
        } else counts[result.state === 'passed' ? 'passed' : 'failed']++;
      }
    }
    if (process.env.TEST_COUNTS) fs.writeFileSync(process.env.TEST_COUNTS, JSON.stringify(counts));
  }
}
