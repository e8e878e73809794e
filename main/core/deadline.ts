import type { Clock } from './clock.ts';

const longestSleepMs = 1000;

/**
 * Calls `onDue` once, `timeoutMs` after it was made by the monotonic or by the wall clock, whichever is first: the
 * monotonic one stands still while the machine sleeps, the wall clock may be set back. `dispose` ends it.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  readonly #monotonicDue: number;
  readonly #wallDue: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock, timeoutMs: number, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
    this.#monotonicDue = clock.monotonicMs() + timeoutMs;
    this.#wallDue = clock.wallMs() + timeoutMs;
    this.#sleep();
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #sleep(): void {
    const leftMs = Math.min(this.#monotonicDue - this.#clock.monotonicMs(), this.#wallDue - this.#clock.wallMs());
    if (leftMs <= 0) {
      this.#timer = null;
      this.#onDue();
      return;
    }
    this.#timer = setTimeout(() => this.#sleep(), Math.min(leftMs, longestSleepMs));
  }
}
