import type { Log } from '../../core/log.ts';
import type { Container } from './container.ts';

/** Containers on their way out. A result does not wait for it: removing one takes as long as a short run. */
export class Removals {
  readonly #live: Set<string>;
  readonly #log: Log;
  readonly #going = new Set<Promise<unknown>>();

  /** `live`: sandbox ids that the reaper leaves alone; one that was removed, or could not be, is taken out. */
  constructor(live: Set<string>, log: Log) {
    this.#live = live;
    this.#log = log;
  }

  begin(container: Container, sandboxId: string): Promise<void> {
    const going = container
      .remove()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : 'unknown';
        this.#log.warn({ sandboxId, reason }, 'a sandbox container could not be removed; the next sweep tries again');
      })
      .finally(() => this.#live.delete(sandboxId));
    this.follow(going);
    return going.then(() => {});
  }

  /** Something else that ends by itself and is to be waited for. It never rejects. */
  follow(going: Promise<unknown>): void {
    this.#going.add(going);
    void going.then(() => this.#going.delete(going));
  }

  /** Resolves when none is on its way any more. */
  async settled(): Promise<void> {
    while (this.#going.size > 0) await Promise.all(this.#going);
  }
}
