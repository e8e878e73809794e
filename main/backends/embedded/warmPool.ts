import { childMessageSchema } from '../../../contract/sandboxMessages.ts';
import type { Log } from '../../core/log.ts';
import type { ChildLauncher, SandboxChild } from './childLauncher.ts';

/** A sandbox process could not be made ready. */
export class SandboxStartError extends Error {
  readonly code = 'sandbox_start';
}

const readyWithinMs = 15_000;
const retryAfterMs = 5_000;

/** A child that is taken is busy with the run for a moment; starting the next one at once would slow both down. */
const refillAfterMs = 250;

/** One process that was started ahead of its job. */
type Slot = { readonly child: SandboxChild; readonly ready: Promise<SandboxChild>; gone: Promise<void> };

/**
 * Sandbox processes that stand ready: `size` of them, each used once. An empty pool costs time, never a run: `take`
 * then waits for a fresh process.
 */
export class WarmPool {
  readonly #launcher: ChildLauncher;
  readonly #size: number;
  readonly #log: Log;
  readonly #slots: Slot[] = [];
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
    for (const slot of slots) slot.child.kill();
    await Promise.all(slots.map((slot) => slot.gone));
  }

  #fill(): Slot {
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

  #launch(): Slot {
    const child = this.#launcher.launch();
    let isGone = () => {};
    const gone = new Promise<void>((resolve) => {
      isGone = resolve;
    });
    const ready = new Promise<SandboxChild>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new SandboxStartError(`it was not ready within ${readyWithinMs} ms`));
        child.kill();
      }, readyWithinMs);
      child.onMessage((message) => {
        clearTimeout(timer);
        const parsed = childMessageSchema.safeParse(message);
        if (parsed.success && parsed.data.type === 'ready') {
          this.#problem = null;
          resolve(child);
          return;
        }
        reject(new SandboxStartError('it said something before it was ready'));
        child.kill();
      });
      child.onExit((reason) => {
        clearTimeout(timer);
        reject(new SandboxStartError(`it ended at its start (${reason})`));
        isGone();
      });
    });
    ready.catch((error: Error) => {
      if (this.#isStopped) return;
      this.#problem = error.message;
      this.#log.error({ reason: error.message }, 'a sandbox process could not be made ready');
    });
    return { child, ready, gone };
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
