import { isFinal } from '../../contract/states.ts';
import type { RequestEvents } from '../core/runPorts.ts';
import { Arrivals } from './arrivals.ts';

export type WaitOptions = Readonly<{
  timeoutMs: number;
  signal: AbortSignal;
  /** The answer that waits will carry the result itself. */
  synchronous: boolean;
}>;

/** Everybody who waits for a request to become final: long-polls, and callers whose trusted run is answered at once. */
export class RequestWaits {
  readonly #polls = new Arrivals();
  readonly #answers = new Arrivals();
  readonly #stopListening: () => void;

  constructor(events: Pick<RequestEvents, 'onChanged'>) {
    this.#stopListening = events.onChanged((request) => {
      if (!isFinal(request.status)) return;
      this.#polls.announce(request.id);
      this.#answers.announce(request.id);
    });
  }

  /** Resolves when it is final, in time or not: the caller looks at the store afterwards. */
  until(requestId: string, { timeoutMs, signal, synchronous }: WaitOptions): Promise<void> {
    return (synchronous ? this.#answers : this.#polls).until(requestId, timeoutMs, signal);
  }

  /** True while a synchronous answer waits for this very result; then no wake is needed. */
  isAwaited(requestId: string): boolean {
    return this.#answers.count(requestId) > 0;
  }

  /** How many long-polls wait for it. */
  polls(requestId: string): number {
    return this.#polls.count(requestId);
  }

  /** Ends every wait now; later ones end at once. */
  close(): void {
    this.#stopListening();
    this.#polls.close();
    this.#answers.close();
  }
}
