import { isFinal } from '../../contract/states.ts';
import type { RequestRecord } from '../core/records.ts';
import type { RequestEvents } from '../core/runPorts.ts';

type Wait = Readonly<{ requestId: string; synchronous: boolean; end: () => void }>;

/** Everybody who waits for a request to become final: long-polls, and callers whose trusted run is answered at once. */
export class RequestWaits {
  readonly #waits = new Map<string, Set<Wait>>();
  readonly #stopListening: () => void;
  #closed = false;

  constructor(events: Pick<RequestEvents, 'onChanged'>) {
    this.#stopListening = events.onChanged((request) => this.#changed(request));
  }

  /**
   * Resolves when the request becomes final, after `timeoutMs`, when the caller goes away, or when we close, whichever
   * is first. The caller looks at the store afterwards. `synchronous`: the answer will carry the result.
   */
  until(
    requestId: string,
    options: Readonly<{ timeoutMs: number; signal: AbortSignal; synchronous: boolean }>,
  ): Promise<void> {
    if (this.#closed || options.signal.aborted || options.timeoutMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        options.signal.removeEventListener('abort', end);
        this.#remove(wait);
        resolve();
      };
      const wait: Wait = { requestId, synchronous: options.synchronous, end };
      const timer = setTimeout(end, options.timeoutMs);
      options.signal.addEventListener('abort', end, { once: true });
      this.#add(wait);
    });
  }

  /** True while somebody waits for this very result in a synchronous answer; then no wake is needed. */
  isAwaited(requestId: string): boolean {
    return [...(this.#waits.get(requestId) ?? [])].some((wait) => wait.synchronous);
  }

  /** Ends every wait now; later ones end at once. */
  close(): void {
    this.#closed = true;
    this.#stopListening();
    for (const waits of [...this.#waits.values()]) for (const wait of [...waits]) wait.end();
  }

  #changed(request: RequestRecord): void {
    if (!isFinal(request.status)) return;
    for (const wait of [...(this.#waits.get(request.id) ?? [])]) wait.end();
  }

  #add(wait: Wait): void {
    const waits = this.#waits.get(wait.requestId) ?? new Set();
    waits.add(wait);
    this.#waits.set(wait.requestId, waits);
  }

  #remove(wait: Wait): void {
    const waits = this.#waits.get(wait.requestId);
    waits?.delete(wait);
    if (waits?.size === 0) this.#waits.delete(wait.requestId);
  }
}
