import type { TrustLevel } from '../../contract/states.ts';
import type { TrustEntry } from './records.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** Ordinary time synchronisation moves the clock back by less than this. */
const clockToleranceMs = 5_000;

/** When a standing decision made now ends, UTC ms; null for never. */
export function standingExpiry(level: Exclude<TrustLevel, 'once'>, nowMs: number): number | null {
  return level === '24h' ? nowMs + dayMs : null;
}

/** True when the wall clock shows less than it did before: then nobody can tell how much of a time span is left. */
export function clockIsBehind(nowMs: number, lastSeenMs: number): boolean {
  return nowMs + clockToleranceMs < lastSeenMs;
}

/** True when the entry allows a run now. A clock that went back suspends what ends by the clock. */
export function trustIsLive(
  entry: Pick<TrustEntry, 'level' | 'expiresAt' | 'revokedAt' | 'suspendedAt'>,
  now: Readonly<{ wallMs: number; clockBehind: boolean }>,
): boolean {
  if (entry.revokedAt !== null || entry.suspendedAt !== null) return false;
  switch (entry.level) {
    case 'once':
      return false;
    case '24h':
      return !now.clockBehind && entry.expiresAt !== null && entry.expiresAt > now.wallMs;
    case 'forever':
      return true;
  }
}
