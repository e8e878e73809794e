import { describe, expect, it } from 'vitest';
import { TokenBuckets } from './tokenBucket.ts';

const rate = { capacity: 2, perMinute: 2 };

describe('a token bucket', () => {
  it('gives what it holds, then says when the next comes, and gives that', () => {
    const buckets = new TokenBuckets();
    expect([buckets.take('a', rate, 0).ok, buckets.take('a', rate, 0).ok]).toEqual([true, true]);
    expect(buckets.take('a', rate, 0)).toEqual({ ok: false, retryAfterSeconds: 30 });
    expect(buckets.take('a', rate, 29_999).ok).toBe(false);
    expect(buckets.take('a', rate, 30_000).ok).toBe(true);
  });

  it('belongs to one key and never holds more than its capacity', () => {
    const buckets = new TokenBuckets();
    buckets.take('a', rate, 0);
    buckets.take('a', rate, 0);
    expect(buckets.take('b', rate, 0).ok).toBe(true);
    const later = [1, 2, 3].map(() => buckets.take('a', rate, 10_000_000).ok);
    expect(later).toEqual([true, true, false]);
  });

  it('follows a rate that is changed in between', () => {
    const buckets = new TokenBuckets();
    buckets.take('a', { capacity: 1, perMinute: 1 }, 0);
    expect(buckets.take('a', { capacity: 1, perMinute: 1 }, 1_000).ok).toBe(false);
    expect(buckets.take('a', { capacity: 1000, perMinute: 60_000 }, 1_001).ok).toBe(true);
  });
});
