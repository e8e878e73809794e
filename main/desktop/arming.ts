import type { Clock } from '../core/clock.ts';

/** Decision buttons work only after the very card they belong to has been fully visible for this long (ATTACKS 206). */
export const ARMING_DELAY_MS = 1000;

/**
 * Remembers since when one revision of one card has been in front of the owner without a break. Hiding, covering,
 * a changed card and a lost window all start it anew. Main decides; the view only paints what it says.
 */
export class Arming {
  readonly #clock: Clock;
  #shown: Readonly<{ key: string; sinceMs: number }> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  visible(key: string): void {
    if (this.#shown?.key === key) return;
    this.#shown = { key, sinceMs: this.#clock.monotonicMs() };
  }

  hidden(): void {
    this.#shown = null;
  }

  /** Milliseconds until the buttons of `key` work; 0: armed; null: not in front at all. */
  remainingMs(key: string): number | null {
    if (this.#shown === null || this.#shown.key !== key) return null;
    return Math.max(0, this.#shown.sinceMs + ARMING_DELAY_MS - this.#clock.monotonicMs());
  }
}
