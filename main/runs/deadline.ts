import type { Clock } from '../core/clock.ts';

const lookEveryMs = 250;

/**
 * Calls `onPassed` once when that much time went by on either clock: the monotonic one stands still while the machine
 * sleeps, the wall clock may be set. Returns what ends the watch.
 */
export function watchDeadline(clock: Clock, limitMs: number, onPassed: () => void): () => void {
  const wallStart = clock.wallMs();
  const monotonicStart = clock.monotonicMs();
  const timer = setInterval(() => {
    const elapsed = Math.max(clock.wallMs() - wallStart, clock.monotonicMs() - monotonicStart);
    if (elapsed < limitMs) return;
    clearInterval(timer);
    onPassed();
  }, lookEveryMs);
  return () => clearInterval(timer);
}
