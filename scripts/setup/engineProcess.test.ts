import { describe, expect, it } from 'vitest';
import { holdsControlGroups } from './controlGroups.ts';
import { lastWords } from './engineProcess.ts';

describe('starting a container engine', () => {
  it('tells why it ended, in its own words', () => {
    const log = [
      'time="t" level=error msg="failed to mount overlay: operation not permitted" storage-driver=overlay2',
      "failed to start daemon: Devices cgroup isn't mounted",
      'time="t" level=info msg="stopping \\"it\\" all"',
      '',
    ];
    expect(lastWords(log.join('\n'))).toBe("failed to start daemon: Devices cgroup isn't mounted");
    expect(lastWords(log.toSpliced(1, 1).join('\n'))).toBe('stopping \\"it\\" all');
    expect(lastWords('')).toBe('');
  });

  it('sees whether control groups are mounted, of either kind', () => {
    expect(holdsControlGroups('proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n')).toBe(true);
    expect(holdsControlGroups('cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n')).toBe(true);
    expect(holdsControlGroups('proc /proc proc rw 0 0\ncgroup /sys/fs/cgroup tmpfs rw 0 0\n')).toBe(false);
  });
});
