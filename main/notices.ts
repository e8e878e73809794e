import type { Log } from './core/log.ts';

type Deliver = (text: string) => void | Promise<void>;

/** Says something to the owner that asks nothing, wherever the owner can be reached. Never throws, never waits. */
export class Notices {
  readonly #log: Log;
  readonly #places: Deliver[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  addPlace(deliver: Deliver): void {
    this.#places.push(deliver);
  }

  readonly tell = (text: string): void => {
    this.#log.info({ notice: text }, 'The owner is told');
    for (const deliver of this.#places) {
      (async () => deliver(text))().catch((error: unknown) => {
        this.#log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'A notice could not be delivered');
      });
    }
  };
}
