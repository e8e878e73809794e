import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../core/log.ts';
import type { RequestRecord } from '../core/records.ts';
import { ClockGuard } from './clockGuard.ts';
import { RequestExpiry } from './expiry.ts';
import { RequestAnnouncer } from './requestEvents.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2030, 0, 1);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'], now: startMs });
});
afterEach(() => {
  vi.useRealTimers();
});

const blank: RequestRecord = {
  id: '',
  agentId: 'agt_1',
  skillId: 'x',
  status: 'pending',
  manifestDigest: 'd',
  trustKey: 't',
  codeHash: 'c',
  idempotencyKey: null,
  bodyHash: 'b',
  createdAt: startMs,
  expiresAt: startMs,
  decidedAt: null,
  decision: null,
  decidedBy: null,
  denyReason: null,
  startedAt: null,
  finishedAt: null,
  approvalId: null,
  trusted: false,
  requestBindings: {},
  error: null,
  resultFetchedAt: null,
};

/** Pending requests in memory, with the clocks of the fake timers; the wall clock can be put elsewhere. */
function house() {
  const pending = new Map<string, RequestRecord>();
  const expired: string[] = [];
  const state = new Map<string, string>();
  let wallShiftMs = 0;
  let broken = false;
  const events = new RequestAnnouncer(silentLog);
  const clock = { wallMs: () => Date.now() + wallShiftMs, monotonicMs: () => performance.now() };
  const clockGuard = new ClockGuard(
    { state: (key) => state.get(key) ?? null, setState: (key, value) => void state.set(key, value) },
    clock,
  );
  const records = {
    pendingRequests: () => [...pending.values()],
    expireRequests: (nowMs: number) => {
      if (broken) throw new Error('disk full');
      const due = [...pending.values()].filter((request) => request.expiresAt <= nowMs);
      for (const { id } of due) {
        pending.delete(id);
        expired.push(id);
      }
      return due.map((request): RequestRecord => ({ ...request, status: 'expired' }));
    },
  };
  const expiry = new RequestExpiry({ records, events, clock, clockGuard, alsoExpire: () => {}, log: silentLog });
  return {
    expiry,
    expired,
    state,
    add(id: string, waitMs: number): void {
      const request = { ...blank, id, createdAt: clock.wallMs(), expiresAt: clock.wallMs() + waitMs };
      pending.set(id, request);
      events.emitChanged(request);
    },
    decide(id: string): void {
      const request = pending.get(id);
      pending.delete(id);
      if (request !== undefined) events.emitChanged({ ...request, status: 'approved' });
    },
    moveWallClock(ms: number): void {
      wallShiftMs += ms;
    },
    breakDisk(now: boolean): void {
      broken = now;
    },
  };
}

describe('a waiting request', () => {
  it('ends when its time is over, not before', () => {
    const { expiry, add, expired } = house();
    expiry.start();
    add('a', 10 * minuteMs);
    add('b', 5_000);
    vi.advanceTimersByTime(4_999);
    expect(expired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(expired).toEqual(['b']);
    vi.advanceTimersByTime(10 * minuteMs);
    expect(expired).toEqual(['b', 'a']);
    expiry.stop();
  });

  it('from before a restart ends in time too', () => {
    const { expiry, add, expired } = house();
    add('a', 5_000);
    expiry.start();
    vi.advanceTimersByTime(5_000);
    expect(expired).toEqual(['a']);
    expiry.stop();
  });

  it('ends soon after the wall clock jumped over its end', () => {
    const { expiry, add, expired, moveWallClock } = house();
    expiry.start();
    add('a', 30 * minuteMs);
    moveWallClock(60 * minuteMs);
    vi.advanceTimersByTime(15_000);
    expect(expired).toEqual(['a']);
    expiry.stop();
  });

  it('does not live longer because the wall clock was put back', () => {
    const { expiry, add, expired, moveWallClock } = house();
    expiry.start();
    add('a', 30 * minuteMs);
    moveWallClock(-5 * 60 * minuteMs);
    vi.advanceTimersByTime(30 * minuteMs);
    expect(expired).toEqual(['a']);
    expiry.stop();
  });

  it('from before a restart does not live longer because the wall clock was put back in between', () => {
    const { expiry, add, expired, moveWallClock } = house();
    add('a', 30 * minuteMs);
    moveWallClock(-5 * 60 * minuteMs);
    expiry.start();
    vi.advanceTimersByTime(30 * minuteMs);
    expect(expired).toEqual(['a']);
    expiry.stop();
  });

  it('is no longer looked after once it was decided', () => {
    const { expiry, add, decide, expired, moveWallClock } = house();
    expiry.start();
    add('a', minuteMs);
    decide('a');
    moveWallClock(-60 * minuteMs);
    add('b', 30 * minuteMs);
    vi.advanceTimersByTime(2 * minuteMs);
    expect(expired).toEqual([]);
    expiry.stop();
  });

  it('ends later if it could not be written at first', () => {
    const { expiry, add, expired, breakDisk } = house();
    expiry.start();
    add('a', 5_000);
    breakDisk(true);
    vi.advanceTimersByTime(minuteMs);
    expect(expired).toEqual([]);
    breakDisk(false);
    vi.advanceTimersByTime(15_000);
    expect(expired).toEqual(['a']);
    expiry.stop();
  });
});

it('leaves no timer behind', () => {
  const { expiry } = house();
  expiry.start();
  expiry.stop();
  expect(vi.getTimerCount()).toBe(0);
});

describe('the latest time that was seen', () => {
  it('is written down while time passes, and a clock behind it is noticed after a restart', () => {
    const { expiry, state } = house();
    expiry.start();
    vi.advanceTimersByTime(10 * minuteMs);
    expiry.stop();
    const restarted = (wallMs: number) =>
      new ClockGuard(
        { state: (key) => state.get(key) ?? null, setState: () => {} },
        { wallMs: () => wallMs, monotonicMs: () => 0 },
      ).now();
    expect(restarted(startMs + 10 * minuteMs).clockBehind).toBe(false);
    expect(restarted(startMs + 5 * minuteMs).clockBehind).toBe(true);
  });
});
