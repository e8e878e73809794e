import { sandboxLimits } from '../../../contract/sandboxLimits.ts';
import type { ChildMessage, HostMessage } from '../../../contract/sandboxMessages.ts';
import type { EgressDoor } from '../../core/door.ts';
import { Exchange, ProtocolViolation } from './exchange.ts';

type ExchangeMessage = Extract<ChildMessage, { type: 'fetch' | 'body' | 'credit' | 'cancel' }>;

/** A request that was given up may still be closing its connection; so many may do so beside the open ones. */
const mostCarried = 2 * sandboxLimits.openRequests;

/** The open requests of one run, counted: a child that goes over what an honest one keeps to is stopped. */
export class Exchanges {
  readonly #door: EgressDoor;
  readonly #send: (message: HostMessage) => void;
  readonly #open = new Map<number, Exchange>();
  /** Request body bytes of whatever is not over yet, open or given up. */
  readonly #carried = new Map<number, number>();
  #lastId = 0;

  constructor(door: EgressDoor, send: (message: HostMessage) => void) {
    this.#door = door;
    this.#send = send;
  }

  /** Throws `ProtocolViolation`. Messages about a request that has just ended are late, not wrong. */
  receive(message: ExchangeMessage): void {
    const { id } = message;
    if (message.type !== 'fetch' && id > this.#lastId) throw new ProtocolViolation('a request that was never made');
    switch (message.type) {
      case 'fetch':
        this.#start(message);
        break;
      case 'body':
        this.#open.get(id)?.addBody(message.bytes);
        break;
      case 'credit':
        this.#open.get(id)?.addCredit(message.count);
        break;
      case 'cancel':
        this.#open.get(id)?.cancel();
        this.#open.delete(id);
        break;
    }
  }

  /** Stops the run for a request that an honest child never makes, and has it written down. */
  refuse(message: string, request: Readonly<{ method: string; url: string }> = { method: '', url: '' }): never {
    const { method, url } = request;
    this.#door.refusedEarly({ code: 'request_invalid', status: 0, method, url });
    throw new ProtocolViolation(message);
  }

  cancelAll(): void {
    for (const exchange of this.#open.values()) exchange.cancel();
    this.#open.clear();
  }

  #start(message: Extract<ExchangeMessage, { type: 'fetch' }>): void {
    const { id } = message;
    if (id <= this.#lastId) this.refuse('request ids must grow', message);
    this.#lastId = id;
    if (this.#open.size >= sandboxLimits.openRequests) this.refuse('too many open requests', message);
    const held = [...this.#carried.values()].reduce((sum, bytes) => sum + bytes, message.bodyBytes ?? 0);
    if (this.#carried.size >= mostCarried || held > sandboxLimits.requestBodiesBytes) {
      this.#door.refusedEarly({ code: 'busy', status: 0, method: message.method, url: message.url });
      this.#send({ type: 'failed', id, message: 'fetch failed: too much is on the way' });
      return;
    }
    const exchange = new Exchange(message, this.#door, this.#send, () => {
      this.#open.delete(id);
      this.#carried.delete(id);
    });
    this.#open.set(id, exchange);
    this.#carried.set(id, message.bodyBytes ?? 0);
    exchange.start();
  }
}
