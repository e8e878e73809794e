import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { EarlyRefusal } from '../../core/door.ts';
import type { Connection } from './connection.ts';
import type { Exchange } from './exchange.ts';
import type { ProxyLimits } from './limits.ts';
import { type OwnRefusal, tooManyWaiting } from './ownRefusal.ts';
import { ownAnswer } from './plainAnswer.ts';

/** Where the requests on one stream come from and what becomes of each. */
export type LineParts = Readonly<{
  connection: Connection;
  /** What the HTTP server reads: the connection itself, or the TLS upon it. */
  stream: Duplex;
  /** `https://host:port` in a tunnel, null on the proxy itself. */
  origin: string | null;
  limits: ProxyLimits;
  run: (exchange: Exchange) => Promise<void>;
  /** Told once, when the line ends by a refusal of our own. */
  onRefused: (refusal: EarlyRefusal) => void;
}>;

/** The requests of one stream, one after the other: a client that pipelines gets its answers in order (ATTACKS B42). */
export class Line {
  readonly #parts: LineParts;
  readonly #waiting: Exchange[] = [];
  #running = false;
  /** The answer after which nothing more is taken. */
  #last: Uint8Array | null = null;

  constructor(parts: LineParts) {
    this.#parts = parts;
  }

  get origin(): string | null {
    return this.#parts.origin;
  }

  get connection(): Connection {
    return this.#parts.connection;
  }

  /** True while requests are under way or wait. */
  get busy(): boolean {
    return this.#running;
  }

  /** True when the last answer was given: what still comes is taken in and means nothing. */
  get isOver(): boolean {
    return this.#last !== null;
  }

  take(exchange: Exchange): void {
    if (this.#last !== null) return;
    const { limits, connection, stream } = this.#parts;
    if (this.#waiting.length >= limits.maxPipelined) {
      // All of one chunk is parsed at once: the rest of it is dropped, and nothing more is read.
      this.#note(tooManyWaiting, tooManyWaiting.status, exchange.request);
      this.#last = ownAnswer(tooManyWaiting);
      stream.pause();
      return;
    }
    this.#waiting.push(exchange);
    if (this.#running) return;
    this.#running = true;
    connection.busy();
    void this.#runAll();
  }

  /** Ends the line with these bytes, or without, when they would stand in the middle of an answer (ATTACKS B47). */
  end(answer: Uint8Array): void {
    if (this.#last !== null) return;
    this.#last = answer;
    if (this.#running) this.#parts.stream.destroy();
    else this.#sayLast(answer);
  }

  /** Ends the line with a refusal of our own, about `request` or about bytes that are none, and has it written down. */
  refuse(refusal: OwnRefusal, request?: IncomingMessage): void {
    if (this.#last !== null) return;
    this.#note(refusal, this.#running ? 0 : refusal.status, request);
    this.end(ownAnswer(refusal));
  }

  /** Like `refuse`, without an answer. */
  cut(refusal: OwnRefusal, request?: IncomingMessage): void {
    if (this.#last === null) this.#note(refusal, 0, request);
    this.#last ??= new Uint8Array(0);
    this.#parts.stream.destroy();
  }

  #note({ code }: OwnRefusal, status: number, request?: IncomingMessage): void {
    const { origin, onRefused } = this.#parts;
    onRefused({ code, status, method: request?.method ?? '', url: origin ?? request?.url ?? '' });
  }

  async #runAll(): Promise<void> {
    const { connection, stream, limits, run } = this.#parts;
    for (let next = this.#waiting.shift(); next !== undefined && !stream.destroyed; next = this.#waiting.shift()) {
      await run(next);
    }
    this.#running = false;
    if (this.#last !== null) this.#sayLast(this.#last);
    else connection.wait(stream.destroyed ? limits.lingerMs : limits.idleMs);
  }

  #sayLast(answer: Uint8Array): void {
    const { connection, stream, limits } = this.#parts;
    connection.wait(limits.lingerMs);
    // What the client still sends is taken in for that long: it shall see the answer and not a reset.
    if (stream.writable) stream.end(answer);
    stream.resume();
  }
}
