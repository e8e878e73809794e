import type { Log } from '../../core/log.ts';
import type { ChildLauncher, SandboxChild } from './childLauncher.ts';
import { SandboxStartError, StartingChild } from './startingChild.ts';

const retryAfterMs = 5_000;

/** A child that is taken is busy with the run for a moment; starting the next one at once would slow both down. */
const refillAfterMs = 250;

/**
 * Sandbox processes that stand ready: `size` of them, each used once. An empty pool costs time, never a run: `take`
 * then waits for a fresh process.
 */
export class WarmPool {
  readonly #launcher: ChildLauncher;
  #size: number;
  readonly #log: Log;
  readonly #slots: StartingChild[] = [];
  #problem: string | null = 'it was not started yet';
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  /** `size`: processes to hold ready, 0 or more. */
  constructor(launcher: ChildLauncher, size: number, log: Log) {
    this.#launcher = launcher;
    this.#size = size;
    this.#log = log;
  }

  /** Why no process can be made ready, or null when the last one could. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Starts the first processes. Resolves when one was ready or could not be; `problem` tells which. */
  async start(): Promise<void> {
    this.#isStopped = false;
    // Until the first process shows otherwise: whoever takes one now waits for it.
    this.#problem = null;
    const slot = this.#slots[0] ?? this.#fill();
    this.refill();
    await slot.ready.catch(() => {});
  }

  /** A ready process that is now the caller's to end. Throws `SandboxStartError`. */
  async take(): Promise<SandboxChild> {
    if (this.#isStopped) throw new SandboxStartError('the broker is stopping');
    const slot = this.#slots.shift() ?? this.#launch();
    this.#refillLater(refillAfterMs);
    return slot.ready;
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

  /** Ends every process that nobody took. Resolves when they are gone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const slots = this.#slots.splice(0);
    for (const slot of slots) slot.kill();
    await Promise.all(slots.map((slot) => slot.gone));
  }

  #fill(): StartingChild {
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

  #launch(): StartingChild {
    const starting = new StartingChild(this.#launcher, this.#log);
    starting.ready.then(
      () => {
        this.#problem = null;
      },
      (error: Error) => {
        if (this.#isStopped || starting.isUnwanted) return;
        this.#problem = error.message;
        this.#log.error({ reason: error.message }, 'a sandbox process could not be made ready');
      },
    );
    return starting;
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
