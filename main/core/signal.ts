/** Tells listeners that something changed, not what. */
export class ChangeSignal {
  readonly #listeners = new Set<() => void>();

  /** Returns how to stop listening. */
  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly emit = (): void => {
    for (const listener of [...this.#listeners]) listener();
  };
}
