import { readFileSync, writeFileSync } from 'node:fs';

/** cgroup v1, then v2: both have a line `oom_kill N`. */
const COUNTERS = ['/sys/fs/cgroup/memory/memory.oom_control', '/sys/fs/cgroup/memory.events'];

/** How often the kernel killed something of this container for memory; 0 where it does not tell. */
export const memoryKills = (): number => {
  for (const file of COUNTERS) {
    try {
      return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
    } catch {
      // The other version, or none.
    }
  }
  return 0;
};

/** Makes the job the first to go when memory is short. Not allowed where its program may not be read: then by size. */
export const sacrifice = (pid: number): void => {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // The kernel chooses by size.
  }
};
