import { describe, expect, it } from 'vitest';
import { clockIsBehind, standingExpiry, trustIsLive } from './trustPolicy.ts';

const hourMs = 3_600_000;
const entry = { level: '24h', expiresAt: 24 * hourMs, revokedAt: null, suspendedAt: null } as const;
const forever = { ...entry, level: 'forever', expiresAt: null } as const;
const at = (wallMs: number, clockBehind = false) => ({ wallMs, clockBehind });

describe('a standing decision', () => {
  it('lasts 24 hours or for ever', () => {
    expect(standingExpiry('24h', 1000)).toBe(1000 + 24 * hourMs);
    expect(standingExpiry('forever', 1000)).toBeNull();
  });

  it('is live until its last millisecond', () => {
    expect(trustIsLive(entry, at(24 * hourMs - 1))).toBe(true);
    expect(trustIsLive(entry, at(24 * hourMs))).toBe(false);
    expect(trustIsLive(forever, at(Number.MAX_SAFE_INTEGER))).toBe(true);
  });

  it('is not live once revoked or suspended', () => {
    for (const live of [entry, forever]) {
      expect(trustIsLive({ ...live, revokedAt: 1 }, at(0))).toBe(false);
      expect(trustIsLive({ ...live, suspendedAt: 1 }, at(0))).toBe(false);
    }
  });

  it('is not honoured while the clock is behind, if it ends by the clock', () => {
    expect(trustIsLive(entry, at(0, true))).toBe(false);
    expect(trustIsLive(forever, at(0, true))).toBe(true);
  });

  it('never comes from an approval for one run', () => {
    expect(trustIsLive({ ...entry, level: 'once' }, at(0))).toBe(false);
  });
});

describe('the clock', () => {
  it('may be corrected by a few seconds without being behind', () => {
    expect(clockIsBehind(95_000, 100_000)).toBe(false);
    expect(clockIsBehind(94_999, 100_000)).toBe(true);
  });
});
