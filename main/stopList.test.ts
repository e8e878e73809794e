import { describe, expect, it, vi } from 'vitest';
import { silentLog } from './core/log.ts';
import { StopList } from './stopList.ts';

describe('the order of stopping', () => {
  it('is the reverse of starting, and a step that fails or hangs holds nothing up', async () => {
    vi.useFakeTimers();
    const ended: string[] = [];
    const list = new StopList(silentLog);
    list.add('first', () => void ended.push('first'));
    list.add('hangs', () => new Promise(() => {}), 1_000);
    list.add('fails', () => {
      throw new Error('no');
    });
    list.add('rejects', () => Promise.reject(new Error('no')));
    list.add('last', async () => void ended.push('last'));
    const done = list.run();
    await vi.advanceTimersByTimeAsync(1_000);
    await done;
    vi.useRealTimers();
    expect(ended).toEqual(['last', 'first']);
  });

  it('stops each step once', async () => {
    let times = 0;
    const list = new StopList(silentLog);
    list.add('step', () => {
      times += 1;
    });
    await Promise.all([list.run(), list.run()]);
    expect(times).toBe(1);
  });
});
