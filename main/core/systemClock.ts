import type { Clock } from './clock.ts';

/** The clocks of this machine. */
export const systemClock: Clock = Object.freeze({
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
});
