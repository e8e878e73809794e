import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { unlessAborted } from './unlessAborted.ts';

const never = new Promise<never>(() => {});

describe('waiting for something no longer than it is wanted', () => {
  it('gives what comes of it, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve('here'), signal)).toBe('here');
    await expect(unlessAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('gives null as soon as the signal fires, or when it has fired', async () => {
    const ending = new AbortController();
    const waiting = unlessAborted(never, ending.signal);
    ending.abort();
    expect(await waiting).toBeNull();
    expect(await unlessAborted(Promise.resolve('late'), ending.signal)).toBeNull();
  });
});
