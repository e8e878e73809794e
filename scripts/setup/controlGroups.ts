import { readFile } from 'node:fs/promises';
import { run } from './command.ts';

/** Whether a line of /proc/mounts is a control group hierarchy, of the first or the second kind. */
export const holdsControlGroups = (mounts: string): boolean => /^\S+ \S+ cgroup2? /m.test(mounts);

/**
 * An init system mounts the control groups; a bare machine or container may have none, and an engine does not start
 * without them. Debian's script mounts what the kernel has. Where that is not allowed, the engine says so itself.
 */
export const mountControlGroups = async (): Promise<void> => {
  if (!holdsControlGroups(await readFile('/proc/mounts', 'utf8'))) await run('cgroupfs-mount', []);
};

export const controlGroupsMissing = async (): Promise<boolean> =>
  !holdsControlGroups(await readFile('/proc/mounts', 'utf8'));
