import { Refusal } from './operations.ts';

const mostTimers = 10_000;

type Timer = Readonly<{ handle: NodeJS.Timeout; keepsAlive: boolean }>;

/** The timers of one program. Their number is bounded, and `clear` ends them all. */
export class GuestTimers {
  readonly #timers = new Map<number, Timer>();
  readonly #onDue: (id: number) => void;

  constructor(onDue: (id: number) => void) {
    this.#onDue = onDue;
  }

  start(id: number, delayMs: number, repeats: boolean, keepsAlive: boolean): void {
    if (this.#timers.size >= mostTimers) throw new Refusal('RangeError', `more than ${mostTimers} timers at once`);
    const due = () => {
      if (!repeats) this.#timers.delete(id);
      this.#onDue(id);
    };
    const handle = repeats ? setInterval(due, delayMs) : setTimeout(due, delayMs);
    this.#timers.set(id, { handle, keepsAlive });
  }

  stop(id: number): void {
    clearTimeout(this.#timers.get(id)?.handle);
    this.#timers.delete(id);
  }

  get keepsAlive(): boolean {
    for (const timer of this.#timers.values()) if (timer.keepsAlive) return true;
    return false;
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer.handle);
    this.#timers.clear();
  }
}
