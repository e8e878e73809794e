import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchDeadline } from './deadline.ts';

function clock() {
  const now = { wall: 1_000_000, monotonic: 50 };
  return { now, clock: { wallMs: () => now.wall, monotonicMs: () => now.monotonic } };
}

describe('the deadline of a run', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(['wall', 'monotonic'] as const)('passes when the %s clock alone says so, once', (which) => {
    const { now, clock: both } = clock();
    let passed = 0;
    watchDeadline(both, 1000, () => {
      passed += 1;
    });
    now[which] += 999;
    vi.advanceTimersByTime(1000);
    expect(passed).toBe(0);
    now[which] += 1;
    vi.advanceTimersByTime(1000);
    expect(passed).toBe(1);
  });

  it('is not moved by a wall clock that goes back', () => {
    const { now, clock: both } = clock();
    let passed = 0;
    watchDeadline(both, 1000, () => {
      passed += 1;
    });
    now.wall -= 10_000_000;
    now.monotonic += 1000;
    vi.advanceTimersByTime(1000);
    expect(passed).toBe(1);
  });

  it('does nothing after its end', () => {
    const { now, clock: both } = clock();
    let passed = 0;
    const end = watchDeadline(both, 1000, () => {
      passed += 1;
    });
    end();
    now.wall += 5000;
    vi.advanceTimersByTime(5000);
    expect(passed).toBe(0);
  });
});
