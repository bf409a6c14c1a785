/** `masksub new`: writes a config to start from. */
import fs from 'node:fs';
import { nearestName, UserError } from '../../core/errors.ts';
import { writeWhole } from '../../store/files.ts';
import { defaultTemplate, type TemplateName, templates } from '../templates.ts';

export function newConfig(options: { template?: string; stdout?: boolean }): void {
  const name = options.template ?? defaultTemplate;
  if (!Object.hasOwn(templates, name)) {
    const near = nearestName(name, Object.keys(templates));
    throw new UserError(`Unknown template "${name}". Known: ${Object.keys(templates).join(', ')}.`, {
      ...(near ? { hint: `Did you mean "${near}"?` } : {}),
    });
  }
  const text = templates[name as TemplateName];
  if (options.stdout) {
    process.stdout.write(text);
    return;
  }
  const file = `${name}.masksub.json`;
  if (fs.existsSync(file))
    throw new UserError(`${file} exists already.`, { hint: 'Move it away, or print with --stdout.' });
  writeWhole(file, text);
  process.stdout.write(`Wrote ${file}. Train it with \`masksub run ${file}\`.\n`);
}
