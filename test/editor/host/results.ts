/** What the suite inside the extension host hands out: the name of each test, and the error of one that failed. */
import * as z from 'zod';

export const hostResultsSchema = z.object({
  tests: z.array(z.object({ name: z.string(), error: z.string().optional() })),
});
export type HostResults = z.infer<typeof hostResultsSchema>;
