import { Refusal } from './refusal.ts';

type Waiter = Readonly<{ enter: () => void; leave: (error: Refusal) => void }>;

/** At most `size` exchanges at a time; the rest wait in line, first in first out. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<Waiter>();

  constructor(size: number) {
    this.#free = size;
  }

  /** Resolves with the function that gives the slot back. Rejects with Refusal `busy` after `timeoutMs`, or `aborted`. */
  async take(timeoutMs: number, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new Refusal('aborted');
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(timeoutMs, signal);
    let held = true;
    return () => {
      if (held) this.#release();
      held = false;
    };
  }

  #wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(waiter);
      };
      const leave = (error: Refusal): void => {
        settle();
        reject(error);
      };
      const enter = (): void => {
        settle();
        resolve();
      };
      const onAbort = (): void => leave(new Refusal('aborted'));
      const waiter: Waiter = { enter, leave };
      const timer = setTimeout(() => leave(new Refusal('busy')), timeoutMs);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else next.enter();
  }
}
