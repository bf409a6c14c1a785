/** Each export is one command line of the runner. */
import { expect, test } from 'vitest';
import { exportArguments, formats } from '../../src/extension/exportFormats.ts';

const given = { runs: ['/r/a', '/r/b'], charts: ['loss'], axis: 'flops', look: 'dark', to: '/x' } as const;
const line = (format: (typeof formatNames)[number]) => exportArguments({ ...given, format }).join(' ');
const formatNames = formats().map(({ format }) => format);

for (const [format, expected] of [
  ['png', 'export /r/a /r/b --png --style dark --chart loss --axis flops --to /x'],
  ['paper', 'export /r/a /r/b --svg --style paper --chart loss --axis flops --to /x'],
  ['html', 'export /r/a /r/b --html --to /x'],
  ['saved-model', 'export /r/a /r/b --saved-model --to /x'],
] as const) {
  test(format, () => expect(line(format)).toBe(expected));
}

test('every format is offered once', () => {
  expect(new Set(formatNames).size).toBe(10);
});
