import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChangeFeed } from './changeFeed.ts';

describe('changes', () => {
  let watched: boolean;
  let told: number;
  let feed: ChangeFeed;

  beforeEach(() => {
    vi.useFakeTimers();
    watched = true;
    told = 0;
    feed = new ChangeFeed(
      () => watched,
      () => {
        told += 1;
      },
    );
  });
  afterEach(() => {
    feed.dispose();
    vi.useRealTimers();
  });

  it('in a burst are told once, soon', () => {
    for (let at = 0; at < 100; at += 1) feed.changed();
    expect(told).toBe(0);
    vi.advanceTimersByTime(100);
    expect(told).toBe(1);
  });

  it('that keep coming are told while they come', () => {
    for (let at = 0; at < 100; at += 1) {
      feed.changed();
      vi.advanceTimersByTime(20);
    }
    expect(told).toBeGreaterThan(15);
  });

  it('are not told while nobody looks, and once when somebody does', () => {
    watched = false;
    feed.changed();
    vi.advanceTimersByTime(1000);
    expect(told).toBe(0);
    watched = true;
    feed.watched();
    feed.watched();
    expect(told).toBe(1);
  });

  it('are not told after the end', () => {
    feed.changed();
    feed.dispose();
    vi.advanceTimersByTime(1000);
    feed.watched();
    expect(told).toBe(0);
  });
});
