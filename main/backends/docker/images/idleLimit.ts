/** Fires its signal when nothing was a sign of life for a while. Its owner calls `end`. */
export class IdleLimit {
  readonly #ending = new AbortController();
  #timer: NodeJS.Timeout;

  /** `firstMs`: until the first sign of life, in milliseconds. */
  constructor(firstMs: number) {
    this.#timer = this.#start(firstMs);
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get isOver(): boolean {
    return this.#ending.signal.aborted;
  }

  /** A sign of life; the next has to come within `nextMs`. */
  alive(nextMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start(nextMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #start(limitMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#ending.abort(), limitMs);
  }
}
