import type { IncomingMessage } from 'node:http';

/** The body ended before its end, or nobody wants it any more. */
class BodyBrokenError extends Error {
  readonly code = 'body_broken';

  constructor() {
    super('The request body broke off');
    this.name = 'BodyBrokenError';
  }
}

/**
 * The body of a request, pulled piece by piece. Not the iterator that Node offers: that one tears down the connection when
 * it is left early, and with it the answer; and it cannot be left while it waits.
 */
export class RequestBody implements AsyncIterable<Uint8Array> {
  readonly #message: IncomingMessage;
  #onFirstRead: (() => void) | null;
  #left = false;
  #wake = (): void => {};

  /** `onFirstRead`: somebody wants the body now; until then a client that expects `100 Continue` sends nothing. */
  constructor(message: IncomingMessage, onFirstRead: () => void) {
    this.#message = message;
    this.#onFirstRead = onFirstRead;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.#begin();
    for (;;) {
      const chunk = await this.#next();
      if (chunk === null) return;
      yield chunk;
    }
  }

  /**
   * Ends the reading, also one that waits, and takes in what the client still sends: without it the client would see a
   * reset instead of the answer (RFC 9112, section 9.6). Resolves when all came or the bounds are reached.
   */
  async discard(maxBytes: number, maxMs: number): Promise<void> {
    this.#left = true;
    this.#wake();
    // Nobody ever asked for the body, and the client waits for that.
    if (this.#onFirstRead !== null && this.#message.headers.expect !== undefined) return;
    this.#begin();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, maxMs);
    try {
      let taken = 0;
      while (!late && taken <= maxBytes) {
        const chunk = await this.#next(() => late);
        if (chunk === null) return;
        taken += chunk.length;
      }
    } catch {
      // The client is gone: nothing to take.
    } finally {
      clearTimeout(timer);
    }
  }

  #begin(): void {
    if (this.#onFirstRead === null) return;
    if (!this.#left) this.#onFirstRead();
    this.#onFirstRead = null;
    const stir = (): void => this.#wake();
    this.#message.on('readable', stir).on('end', stir).on('close', stir).on('error', stir);
  }

  /** The next piece, or null at the end. Throws when the client broke off or, for the reader, when the body was left. */
  async #next(stop: () => boolean = () => this.#left): Promise<Uint8Array | null> {
    const message = this.#message;
    for (;;) {
      if (stop()) throw new BodyBrokenError();
      const chunk: unknown = message.read();
      if (chunk instanceof Uint8Array) return chunk;
      if (message.readableEnded && message.complete) return null;
      if (message.destroyed) throw new BodyBrokenError();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
