import type { Clock } from '../core/clock.ts';
import type { Records } from '../core/records.ts';
import { clockIsBehind } from '../core/trustPolicy.ts';

const stateKey = 'clock.last_seen';
const saveEveryMs = 60_000;

/** Remembers the latest time that was ever seen, over restarts, so that a clock that went back is noticed. */
export class ClockGuard {
  readonly #records: Pick<Records, 'state' | 'setState'>;
  readonly #clock: Clock;
  #lastSeenMs: number;
  #savedMs: number;

  constructor(records: Pick<Records, 'state' | 'setState'>, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
    const stored = Number(records.state(stateKey) ?? 0);
    this.#savedMs = Number.isFinite(stored) ? stored : 0;
    this.#lastSeenMs = this.#savedMs;
  }

  /** The time now, UTC ms, and whether it is behind what was seen before. */
  now(): Readonly<{ wallMs: number; clockBehind: boolean }> {
    const wallMs = this.#clock.wallMs();
    this.#lastSeenMs = Math.max(this.#lastSeenMs, wallMs);
    return { wallMs, clockBehind: clockIsBehind(wallMs, this.#lastSeenMs) };
  }

  /** Writes the latest time down, at most once a minute unless `always`. */
  save(always = false): void {
    this.now();
    if (this.#lastSeenMs === this.#savedMs) return;
    if (!always && this.#lastSeenMs - this.#savedMs < saveEveryMs) return;
    this.#records.setState(stateKey, String(this.#lastSeenMs));
    this.#savedMs = this.#lastSeenMs;
  }
}
