import { UsageError } from './input.ts';

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const aDay = /^(\d{4})-(\d{2})-(\d{2})$/;

/**
 * A time as people write it, in RFC 3339: `2026-01-31` (here, at its beginning or, for `end`, at its end), a full time
 * with its zone, or how long ago: `30m`, `12h`, `7d`. UsageError for anything else.
 */
export function readTime(option: string, text: string, end: boolean, nowMs = Date.now()): string {
  const ago = /^(\d{1,5})([mhd])$/.exec(text);
  if (ago !== null) {
    const unit = ago[2] === 'm' ? unitMs.m : ago[2] === 'h' ? unitMs.h : unitMs.d;
    return new Date(nowMs - Number(ago[1]) * unit).toISOString();
  }
  const day = aDay.exec(text);
  const time =
    day === null ? new Date(text) : new Date(Number(day[1]), Number(day[2]) - 1, Number(day[3]) + Number(end));
  const zoned = day !== null || /T.*(Z|[+-]\d{2}:\d{2})$/i.test(text);
  if (!zoned || Number.isNaN(time.getTime())) {
    throw new UsageError(`${option} takes a day (2026-01-31), a time with its zone, or how long ago (30m, 12h, 7d)`);
  }
  return new Date(time.getTime() - Number(day !== null && end)).toISOString();
}
