import { describe, expect, it } from 'vitest';
import { PullProgress, pullLine } from './pullProgress.ts';

const downloading = (id: string, current: number, total: number) => ({
  id,
  status: 'Downloading',
  progressDetail: { current, total },
});

describe('The progress of a pull', () => {
  it('is unknown until a layer has a length, and then counts bytes', () => {
    const progress = new PullProgress();
    progress.take({ status: 'Pulling from library/node', id: 'sha256:ab' });
    progress.take({ id: 'a', status: 'Pulling fs layer', progressDetail: {} });
    expect(progress.done).toBeNull();
    progress.take(downloading('a', 25, 100));
    expect(progress.done).toBe(0.25);
    progress.take({ id: 'a', status: 'Download complete', progressDetail: {} });
    expect(progress.done).toBe(1);
  });

  it('never falls when another layer turns up', () => {
    const progress = new PullProgress();
    progress.take(downloading('a', 80, 100));
    progress.take(downloading('b', 0, 900));
    expect(progress.done).toBe(0.8);
    progress.take(downloading('b', 900, 900));
    expect(progress.done).toBe(0.98);
  });

  it('takes what an engine repeats while it tries again for no step forward', () => {
    const progress = new PullProgress();
    expect(progress.take({ id: 'a', status: 'Retrying in 2 seconds' })).toBe(true);
    expect(progress.take({ id: 'a', status: 'Retrying in 1 second' })).toBe(true);
    expect(progress.take({ id: 'a', status: 'Retrying in 2 seconds' })).toBe(false);
    expect(progress.take(downloading('a', 1, 9))).toBe(true);
    expect(progress.take(downloading('a', 1, 9))).toBe(false);
    expect(progress.take(downloading('a', 2, 9))).toBe(true);
  });

  it('leaves out lengths that make no sense', () => {
    const progress = new PullProgress();
    progress.take(downloading('a', 5, 0));
    progress.take(downloading('b', 5, -1));
    expect(progress.done).toBeNull();
    progress.take(downloading('c', 90, 30));
    expect(progress.done).toBe(1);
    expect(pullLine('text')).toBeNull();
    expect(pullLine({ status: 7 })).toBeNull();
  });
});
