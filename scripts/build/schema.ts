/** Prints the JSON Schema of a config; the build runs it and keeps what it prints. */
import { configJsonSchema } from '../../src/core/configSchema.ts';

process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
