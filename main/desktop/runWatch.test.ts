import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunPulse } from '../../contract/runView.ts';
import { RunWatch } from './runWatch.ts';

describe('the run that the window has open', () => {
  let now: RunPulse;
  let looks: number;
  let seen: boolean;
  let told: RunPulse[];
  let closed: number;
  let broken: boolean;
  let failures: number;
  let watch: RunWatch;
  const writes = (characters: number): void => {
    now = { ...now, stdout: { characters, lines: 1 } };
  };

  beforeEach(() => {
    vi.useFakeTimers();
    const nothing = { characters: 0, lines: 0 };
    now = {
      id: 'req_1',
      status: 'running',
      stdout: nothing,
      stderr: nothing,
      truncated: false,
      redactions: 0,
      exchanges: 0,
    };
    [looks, seen, told, closed, broken, failures] = [0, true, [], 0, false, 0];
    watch = new RunWatch({
      pulse: (id) => {
        looks += 1;
        if (broken) throw new Error('disk');
        return { ...now, id };
      },
      isSeen: () => seen,
      emit: (pulse) => told.push(pulse),
      closed: () => {
        closed += 1;
      },
      failed: () => {
        failures += 1;
      },
    });
  });
  afterEach(() => {
    watch.dispose();
    vi.useRealTimers();
  });

  it('is told at once, then no more often than every 100 ms, however often it changes', () => {
    watch.watch('req_1');
    expect(told).toHaveLength(1);
    for (let at = 0; at < 1000; at += 1) {
      writes(at + 1);
      watch.seen();
      vi.advanceTimersByTime(1);
    }
    expect(told.length).toBeGreaterThan(8);
    expect(told.length).toBeLessThanOrEqual(12);
    vi.advanceTimersByTime(100);
    expect(told.at(-1)?.stdout.characters).toBe(1000);
  });

  it('is not told again while nothing changes', () => {
    watch.watch('req_1');
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(1);
  });

  it('is not even looked at while nobody can see the window, and at once when somebody does', () => {
    watch.watch('req_1');
    seen = false;
    vi.advanceTimersByTime(200);
    looks = 0;
    writes(5);
    vi.advanceTimersByTime(10_000);
    expect(looks).toBe(0);
    seen = true;
    watch.seen();
    expect(told.at(-1)?.stdout.characters).toBe(5);
  });

  it('is left alone once it has ended', () => {
    watch.watch('req_1');
    now = { ...now, status: 'success' };
    vi.advanceTimersByTime(100);
    expect(told.at(-1)?.status).toBe('success');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is let go when another is opened, or none', () => {
    watch.watch('req_1');
    watch.watch('req_2');
    expect(closed).toBe(1);
    watch.watch(null);
    expect(closed).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that cannot be read now is tried again with the next change', () => {
    watch.watch('req_1');
    broken = true;
    vi.advanceTimersByTime(100);
    expect(failures).toBe(1);
    broken = false;
    writes(7);
    watch.seen();
    expect(told.at(-1)?.stdout.characters).toBe(7);
  });
});
