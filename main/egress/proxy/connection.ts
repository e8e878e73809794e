import type { Duplex } from 'node:stream';

/** One connection of the sandbox. Owns its stream and the one timer that ends it when nothing comes of it. */
export class Connection {
  readonly stream: Duplex;
  #patience: NodeJS.Timeout | undefined;
  #late = false;

  constructor(stream: Duplex, onClose: () => void) {
    this.stream = stream;
    // Whatever breaks, `close` follows: nobody else has to listen.
    stream.on('error', () => {});
    stream.once('close', () => {
      this.busy();
      onClose();
    });
  }

  /** True when waiting was in vain. */
  get isLate(): boolean {
    return this.#late;
  }

  /** Cuts the connection unless something happens within so many milliseconds. */
  wait(ms: number): void {
    clearTimeout(this.#patience);
    if (!this.stream.destroyed) this.#patience = setTimeout(() => this.#giveUp(), ms);
  }

  /** Something is under way that has a deadline of its own. */
  busy(): void {
    clearTimeout(this.#patience);
  }

  #giveUp(): void {
    this.#late = true;
    this.cut();
  }

  cut(): void {
    this.stream.destroy();
  }
}
