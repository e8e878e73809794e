import { writeSync } from 'node:fs';

/**
 * Kills every process of the container but this one. By -1 and not by process group: a daemon in a session of its own
 * would live on, and hold the job's stdout open.
 */
export const killEverything = (): void => {
  // Anywhere else it would be every process of this user on the machine.
  if (process.pid !== 1) return;
  try {
    process.kill(-1, 'SIGKILL');
  } catch {
    // ESRCH: nothing is left.
  }
};

/** Ends the sandbox at once, job and all. `reason` is one line for the host's log. */
export const leave = (reason?: string): never => {
  killEverything();
  if (reason !== undefined) {
    try {
      writeSync(2, `runner: ${reason.slice(0, 500)}\n`);
    } catch {
      // Nobody reads it.
    }
  }
  process.exit(reason === undefined ? 0 : 1);
};
