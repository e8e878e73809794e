import type { Statistics, StatisticsDay } from '../../contract/audit.ts';
import type { Records } from '../core/records.ts';

const daysAtMost = 366;

/** The last `days` (1-366) days as this process's time zone has them, the day of `nowMs` included. */
export function statistics(
  records: Pick<Records, 'auditCounts' | 'auditWaits'>,
  nowMs: number,
  days: number,
): Statistics {
  const count = Math.max(1, Math.min(daysAtMost, Math.floor(days)));
  const now = new Date(nowMs);
  const midnight = (daysAgo: number): number =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo).getTime();
  const shown: StatisticsDay[] = [];
  const waits: number[] = [];
  for (let daysAgo = count - 1; daysAgo >= 0; daysAgo -= 1) {
    const from = midnight(daysAgo);
    const to = midnight(daysAgo - 1);
    const ofDay = records.auditWaits(from, to);
    for (const wait of ofDay) waits.push(wait);
    shown.push({ day: dayName(new Date(from)), ...records.auditCounts(from, to), median_wait_ms: median(ofDay) });
  }
  const approved = shown.reduce((sum, day) => sum + day.approved, 0);
  const decided = shown.reduce((sum, day) => sum + day.denied, approved);
  return {
    days: shown,
    median_wait_ms: median(waits.sort((a, b) => a - b)),
    share_approved: decided === 0 ? null : approved / decided,
  };
}

/** Of sorted values; of an even number the mean of the two in the middle. Null for none. */
export function median(sorted: readonly number[]): number | null {
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}

function dayName(day: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}
