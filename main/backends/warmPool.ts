import type { Log } from '../core/log.ts';

/** A sandbox could not be made ready. */
export class SandboxStartError extends Error {
  readonly code = 'sandbox_start';
}

/** A sandbox on its way to being ready. */
export interface Warming<Sandbox> {
  /** Rejects with SandboxStartError. */
  readonly ready: Promise<Sandbox>;
  /** Resolves when it ended, or never began, without anybody having taken it over. */
  readonly gone: Promise<void>;
  /** Nobody wants it any more: that it ends now is no problem of the sandbox. */
  readonly isUnwanted: boolean;
  kill(): void;
}

const retryAfterMs = 5_000;

/** A sandbox that is taken is busy with the run for a moment; starting the next one at once would slow both down. */
const refillAfterMs = 250;

/**
 * Sandboxes that stand ready: `size` of them, each used once, never stopped and continued. An empty pool costs time,
 * never a run: `take` then waits for a fresh one.
 */
export class WarmPool<Sandbox> {
  readonly #begin: () => Warming<Sandbox>;
  #size: number;
  readonly #log: Log;
  readonly #onChange: () => void;
  readonly #slots: Warming<Sandbox>[] = [];
  #problem: string | null = 'it was not started yet';
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  /** `size`: sandboxes to hold ready, 0 or more. `onChange` is called when `problem` changed. */
  constructor(begin: () => Warming<Sandbox>, size: number, log: Log, onChange: () => void = () => {}) {
    this.#begin = begin;
    this.#size = size;
    this.#log = log;
    this.#onChange = onChange;
  }

  /** Why none can be made ready, or null when the last one could. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Starts the first ones. Resolves when one was ready or could not be; `problem` tells which. */
  async start(): Promise<void> {
    this.#isStopped = false;
    // Until the first one shows otherwise: whoever takes one now waits for it.
    this.#tell(null);
    const slot = this.#slots[0] ?? this.#fill();
    this.refill();
    await slot.ready.catch(() => {});
  }

  /** A ready sandbox that is now the caller's to end. Throws `SandboxStartError`. */
  async take(): Promise<Sandbox> {
    return this.takeWarm() ?? this.#launch().ready;
  }

  /** One that is ready or nearly so, now the caller's to end, or null. Throws and rejects with `SandboxStartError`. */
  takeWarm(): Promise<Sandbox> | null {
    if (this.#isStopped) throw new SandboxStartError('the broker is stopping');
    const slot = this.#slots.shift();
    this.#refillLater(refillAfterMs);
    return slot?.ready ?? null;
  }

  /** From now on as many are held ready; what is too much ends at once. */
  resize(size: number): void {
    this.#size = size;
    for (const surplus of this.#slots.splice(size)) surplus.kill();
    this.refill();
  }

  /** Starts what is missing. */
  refill(): void {
    while (!this.#isStopped && this.#slots.length < this.#size) this.#fill();
  }

  /** Ends every sandbox that nobody took. Resolves when they are gone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const slots = this.#slots.splice(0);
    for (const slot of slots) slot.kill();
    await Promise.all(slots.map((slot) => slot.gone));
  }

  #fill(): Warming<Sandbox> {
    const slot = this.#launch();
    this.#slots.push(slot);
    void slot.gone.then(() => {
      const at = this.#slots.indexOf(slot);
      if (at < 0) return;
      this.#slots.splice(at, 1);
      this.#refillLater(retryAfterMs);
    });
    return slot;
  }

  #launch(): Warming<Sandbox> {
    const starting = this.#begin();
    starting.ready.then(
      () => this.#tell(null),
      (error: Error) => {
        if (this.#isStopped || starting.isUnwanted) return;
        this.#log.error({ reason: error.message }, 'a sandbox could not be made ready');
        this.#tell(error.message);
      },
    );
    return starting;
  }

  #tell(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#onChange();
  }

  #refillLater(delayMs: number): void {
    if (this.#isStopped || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.refill();
    }, delayMs);
    this.#timer.unref();
  }
}
