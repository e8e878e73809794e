import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from './deadline.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Clocks that the test moves, independently of each other and of the timers. */
function clocks() {
  const now = { wall: 1_000_000, monotonic: 50 };
  return {
    clock: { wallMs: () => now.wall, monotonicMs: () => now.monotonic },
    pass(wallMs: number, monotonicMs: number, timerMs: number) {
      now.wall += wallMs;
      now.monotonic += monotonicMs;
      vi.advanceTimersByTime(timerMs);
    },
  };
}

describe('a deadline', () => {
  it('comes when its time has gone by, once', () => {
    const { clock, pass } = clocks();
    const onDue = vi.fn();
    new Deadline(clock, 2500, onDue);
    pass(1000, 1000, 1000);
    pass(1000, 1000, 1000);
    pass(499, 499, 499);
    expect(onDue).not.toHaveBeenCalled();
    pass(1, 1, 1);
    pass(5000, 5000, 5000);
    expect(onDue).toHaveBeenCalledTimes(1);
  });

  it('comes by the wall clock when the machine slept (ATTACKS K184)', () => {
    const { clock, pass } = clocks();
    const onDue = vi.fn();
    new Deadline(clock, 60_000, onDue);
    pass(3_600_000, 1000, 1000);
    expect(onDue).toHaveBeenCalledTimes(1);
  });

  it('comes by the monotonic clock when the wall clock was set back (ATTACKS K183)', () => {
    const { clock, pass } = clocks();
    const onDue = vi.fn();
    new Deadline(clock, 1500, onDue);
    pass(-3_600_000, 1000, 1000);
    expect(onDue).not.toHaveBeenCalled();
    pass(500, 500, 500);
    expect(onDue).toHaveBeenCalledTimes(1);
  });

  it('never comes after it was disposed', () => {
    const { clock, pass } = clocks();
    const onDue = vi.fn();
    new Deadline(clock, 100, onDue).dispose();
    pass(1000, 1000, 1000);
    expect(onDue).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
