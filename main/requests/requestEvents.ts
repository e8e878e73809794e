import type { Log } from '../core/log.ts';
import type { RequestRecord } from '../core/records.ts';
import type { RequestEvents } from '../core/runPorts.ts';

/** Announces state changes to everybody who listens. A listener that throws harms nobody else. */
export class RequestAnnouncer implements RequestEvents {
  readonly #listeners = new Set<(request: RequestRecord) => void>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  emitChanged(request: RequestRecord): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(request);
      } catch (error) {
        this.#log.error({ requestId: request.id, error: String(error) }, 'a listener of request changes failed');
      }
    }
  }

  onChanged(listener: (request: RequestRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
