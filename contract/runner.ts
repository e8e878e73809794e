import { z } from 'zod';

/** How the code ended, as the runner tells it: the body of /exit. */
export const runnerExitSchema = z.strictObject({
  /** Exit code, or null when a signal ended it. */
  code: z.number().int().min(0).max(255).nullable(),
  signal: z.string().max(20).nullable(),
  /** Ended by the runner at its deadline. */
  timedOut: z.boolean(),
  /** The kernel killed something of the job for memory. */
  outOfMemory: z.boolean(),
  /** The program could not be started at all; in the runner's words. */
  failed: z.string().max(300).optional(),
});
export type RunnerExit = z.infer<typeof runnerExitSchema>;

/** Longest /exit message, bytes. */
export const maxRunnerExitBytes = 1024;
