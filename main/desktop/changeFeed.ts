const SETTLE_MS = 80;

/**
 * Tells that something changed, once for a burst of changes, and not at all while nobody looks: then once when somebody
 * looks again.
 */
export class ChangeFeed {
  readonly #isWatched: () => boolean;
  readonly #tell: () => void;
  #timer: NodeJS.Timeout | null = null;
  #owed = false;

  constructor(isWatched: () => boolean, tell: () => void) {
    this.#isWatched = isWatched;
    this.#tell = tell;
  }

  changed(): void {
    this.#owed = true;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.watched();
    }, SETTLE_MS);
  }

  /** Somebody looks (again). */
  watched(): void {
    if (!this.#owed || this.#timer !== null || !this.#isWatched()) return;
    this.#owed = false;
    this.#tell();
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#owed = false;
  }
}
