import { sandboxLimits } from '../../../contract/sandboxLimits.ts';
import type { ChildMessage, HostMessage } from '../../../contract/sandboxMessages.ts';
import type { DoorRequest, EgressDoor } from '../../core/door.ts';

type FetchMessage = Extract<ChildMessage, { type: 'fetch' }>;

/** The child did what an honest one never does. The run ends as broken. */
export class ProtocolViolation extends Error {
  readonly code = 'protocol_violation';
}

/**
 * One request of the guest on its way through the door. The response flows only as far as the guest has room for it:
 * pulling the next bytes from the upstream waits for credit.
 */
export class Exchange {
  readonly #message: FetchMessage;
  readonly #door: EgressDoor;
  readonly #send: (message: HostMessage) => void;
  readonly #onOver: () => void;
  readonly #abort = new AbortController();
  readonly #body: Uint8Array | null;
  #received = 0;
  #isCarried = false;
  #credit: number = sandboxLimits.responseWindowBytes;
  #onCredit: (() => void) | null = null;

  constructor(message: FetchMessage, door: EgressDoor, send: (message: HostMessage) => void, onOver: () => void) {
    this.#message = message;
    this.#door = door;
    this.#send = send;
    this.#onOver = onOver;
    this.#body = message.bodyBytes === null ? null : new Uint8Array(message.bodyBytes);
  }

  /** Goes through the door, at once or when the request body is complete. */
  start(): void {
    if (this.#received === (this.#body?.byteLength ?? 0)) void this.#carry();
  }

  /** A piece of the request body; more of it than was announced is a violation. */
  addBody(bytes: Uint8Array): void {
    if (this.#body === null || this.#isCarried || this.#received + bytes.byteLength > this.#body.byteLength) {
      const { method, url } = this.#message;
      this.#door.refusedEarly({ code: 'request_invalid', status: 0, method, url });
      throw new ProtocolViolation('more request body than was announced');
    }
    this.#body.set(bytes, this.#received);
    this.#received += bytes.byteLength;
    this.start();
  }

  addCredit(count: number): void {
    this.#credit = Math.min(this.#credit + count, sandboxLimits.responseWindowBytes);
    this.#onCredit?.();
  }

  cancel(): void {
    this.#abort.abort();
    this.#onCredit?.();
    if (!this.#isCarried) this.#onOver();
  }

  async #carry(): Promise<void> {
    this.#isCarried = true;
    const { id, method, url, headers } = this.#message;
    const request: DoorRequest = { method, url, headers, body: this.#body, signal: this.#abort.signal };
    try {
      const { status, statusText, headers: received, body } = await this.#door.request(request);
      this.#tell({ type: 'response', id, status, statusText, headers: received });
      for await (const bytes of body) {
        await this.#deliver(id, bytes);
        if (this.#abort.signal.aborted) return;
      }
      this.#tell({ type: 'end', id });
    } catch (error) {
      this.#tell({ type: 'failed', id, message: failureText(error) });
    } finally {
      this.#onOver();
    }
  }

  async #deliver(id: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      while (this.#credit === 0 && !this.#abort.signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#onCredit = resolve;
        });
      }
      if (this.#abort.signal.aborted) return;
      const end = Math.min(bytes.byteLength, at + Math.min(this.#credit, sandboxLimits.bodyPieceBytes));
      this.#credit -= end - at;
      this.#tell({ type: 'chunk', id, bytes: bytes.subarray(at, end) });
      at = end;
    }
  }

  #tell(message: HostMessage): void {
    if (!this.#abort.signal.aborted) this.#send(message);
  }
}

/** A code says what happened; a message may name addresses of this machine, which the guest has no business with. */
function failureText(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^\w{1,40}$/.test(code) ? `fetch failed (${code})` : 'fetch failed';
}
