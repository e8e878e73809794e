import type { Backend } from './backend.ts';

/**
 * Whether sandboxes are held ready: not while nothing may run anyway (paused, vault locked, machine asleep). What stood
 * ready is ended then, so that nothing of it grows old or is frozen by a sleep.
 */
export class Warmth {
  readonly #backends: readonly Backend[];
  readonly #mayRun: () => boolean;
  #isAsleep = false;
  #isWarm = true;

  constructor(backends: readonly Backend[], mayRun: () => boolean) {
    this.#backends = backends;
    this.#mayRun = mayRun;
  }

  sleep(isAsleep: boolean): void {
    this.#isAsleep = isAsleep;
    this.look();
  }

  /** To be called when a pause or the vault changed. */
  look(): void {
    const wanted = !this.#isAsleep && this.#mayRun();
    if (wanted === this.#isWarm) return;
    this.#isWarm = wanted;
    for (const backend of this.#backends) backend.keepWarm(wanted);
  }
}
