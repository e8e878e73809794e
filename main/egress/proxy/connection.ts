import type { Duplex } from 'node:stream';

/** One connection of the sandbox. Owns its stream and the one timer that ends it when nothing comes of it. */
export class Connection {
  readonly stream: Duplex;
  #patience: NodeJS.Timeout | undefined;

  constructor(stream: Duplex, onClose: () => void) {
    this.stream = stream;
    // Whatever breaks, `close` follows: nobody else has to listen.
    stream.on('error', () => {});
    stream.once('close', () => {
      this.busy();
      onClose();
    });
  }

  /** Cuts the connection unless something happens within so many milliseconds. */
  wait(ms: number): void {
    clearTimeout(this.#patience);
    if (!this.stream.destroyed) this.#patience = setTimeout(() => this.cut(), ms);
  }

  /** Something is under way that has a deadline of its own. */
  busy(): void {
    clearTimeout(this.#patience);
  }

  cut(): void {
    this.stream.destroy();
  }
}
