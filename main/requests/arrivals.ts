/**
 * More than a caller has use for. Long-polls cost the caller next to nothing, on one connection even less, and us some
 * kilobytes each.
 */
export const mostWaiting = 32;

/** Lets many wait until something of that id is announced. */
export class Arrivals {
  readonly #waiting = new Map<string, Set<() => void>>();
  #closed = false;

  /**
   * Resolves at the announcement, after `timeoutMs`, when the caller goes away, or when we close; at once when enough
   * wait for that id already.
   */
  until(id: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#closed || signal.aborted || timeoutMs <= 0 || this.count(id) >= mostWaiting) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        waiting.delete(end);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(end, timeoutMs);
      signal.addEventListener('abort', end, { once: true });
      this.#waiting.set(id, waiting.add(end));
    });
  }

  /** How many wait for it now. */
  count(id: string): number {
    return this.#waiting.get(id)?.size ?? 0;
  }

  announce(id: string): void {
    for (const end of [...(this.#waiting.get(id) ?? [])]) end();
  }

  /** Ends every wait now; later ones end at once. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#waiting.keys()]) this.announce(id);
  }
}
