import { describe, expect, it } from 'vitest';
import { silentLog } from '../core/log.ts';
import { Arrivals, mostWaiting } from './arrivals.ts';
import { RequestAnnouncer } from './requestEvents.ts';
import { RequestWaits } from './requestWaits.ts';

const never = new AbortController().signal;

describe('waiting', () => {
  it('ends for everybody who waits for that id, and for nobody else', async () => {
    const arrivals = new Arrivals();
    const ended: string[] = [];
    const wait = (id: string, name: string) => arrivals.until(id, 60_000, never).then(() => ended.push(name));
    const both = [wait('a', 'first'), wait('a', 'second')];
    const other = wait('b', 'other');
    arrivals.announce('a');
    await Promise.all(both);
    expect(ended).toEqual(['first', 'second']);
    expect([arrivals.count('a'), arrivals.count('b')]).toEqual([0, 1]);
    arrivals.close();
    await other;
    expect(arrivals.count('b')).toBe(0);
  });

  it('does not begin for who is gone, for no time, or after closing', async () => {
    const arrivals = new Arrivals();
    const gone = AbortSignal.abort();
    await arrivals.until('a', 60_000, gone);
    await arrivals.until('a', 0, never);
    arrivals.close();
    await arrivals.until('a', 60_000, never);
    expect(arrivals.count('a')).toBe(0);
  });

  it('does not begin where enough wait already, and begins again when they went', async () => {
    const arrivals = new Arrivals();
    const waiting = Array.from({ length: mostWaiting }, () => arrivals.until('a', 60_000, never));
    await arrivals.until('a', 60_000, never);
    expect(arrivals.count('a')).toBe(mostWaiting);
    const other = arrivals.until('b', 60_000, never);
    expect(arrivals.count('b')).toBe(1);
    arrivals.announce('a');
    await Promise.all(waiting);
    const next = arrivals.until('a', 60_000, never);
    expect(arrivals.count('a')).toBe(1);
    arrivals.close();
    await Promise.all([other, next]);
  });

  it('knows long-polls from answers that carry the result', async () => {
    const waits = new RequestWaits(new RequestAnnouncer(silentLog));
    const poll = waits.until('a', { timeoutMs: 60_000, signal: never, synchronous: false });
    expect([waits.isAwaited('a'), waits.polls('a')]).toEqual([false, 1]);
    const answer = waits.until('a', { timeoutMs: 60_000, signal: never, synchronous: true });
    expect(waits.isAwaited('a')).toBe(true);
    waits.close();
    await Promise.all([poll, answer]);
    expect(waits.isAwaited('a')).toBe(false);
  });
});
