import type { ChildMessage, HostMessage } from '../../contract/sandboxMessages.ts';
import { OutgoingRequest } from './outgoingRequest.ts';

type RequestMessage = Extract<ChildMessage, { type: 'fetch' | 'body' | 'credit' | 'cancel' }>;

/** The requests of a guest in a container. How many it may have open is counted in its own thread. */
export class OutgoingRequests {
  readonly #open = new Map<number, OutgoingRequest>();
  readonly #send: (message: HostMessage) => void;

  constructor(send: (message: HostMessage) => void) {
    this.#send = send;
  }

  receive(message: RequestMessage): void {
    const { id } = message;
    switch (message.type) {
      case 'fetch': {
        const request = new OutgoingRequest(message, this.#send, () => this.#open.delete(id));
        this.#open.set(id, request);
        request.start();
        break;
      }
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
}
