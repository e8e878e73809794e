import type { installForms } from './forms.ts';
import type { GuestKit } from './kit.ts';

/** Where the bytes of a body come from. */
export type GuestSource = {
  /** The next piece, or null at the end. Rejects when the exchange failed. */
  read(): Promise<Uint8Array | null>;
  cancel(): void;
};

/** Bytes that a program gave as a body, and the content type that goes with their kind. */
export type Extracted = {
  bytes: Uint8Array<ArrayBuffer> | null;
  pieces: AsyncIterable<unknown> | null;
  type: string | null;
};

/** ReadableStream of bytes (reading only), and what Request and Response share. */
export function installBody(kit: GuestKit, forms: ReturnType<typeof installForms>) {
  const { concatenated, bytesOf, multipart } = forms;

  function extract(init: unknown): Extracted {
    if (init === undefined || init === null) return { bytes: null, pieces: null, type: null };
    if (typeof init === 'object') {
      if (init instanceof FormData) return { ...multipart(init), pieces: null };
      if (init instanceof Blob) return { bytes: bytesOf(init), pieces: null, type: init.type || null };
      if (init instanceof URLSearchParams) {
        return {
          bytes: kit.encode(init.toString()),
          pieces: null,
          type: 'application/x-www-form-urlencoded;charset=UTF-8',
        };
      }
      if (init instanceof ArrayBuffer || ArrayBuffer.isView(init))
        return { bytes: bytesOf(init), pieces: null, type: null };
      const iterate: unknown = Reflect.get(init, Symbol.asyncIterator);
      if (typeof iterate === 'function') {
        return { bytes: null, pieces: { [Symbol.asyncIterator]: () => Reflect.apply(iterate, init, []) }, type: null };
      }
    }
    return { bytes: kit.encode(String(init)), pieces: null, type: 'text/plain;charset=UTF-8' };
  }

  /** All bytes of what `extract` gave: pieces of an async iterable are gathered before the request leaves. */
  async function gathered({ bytes, pieces }: Extracted): Promise<Uint8Array<ArrayBuffer> | null> {
    if (pieces === null) return bytes;
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(bytesOf(piece));
    return concatenated(all);
  }

  class ReadableStream {
    readonly #source: GuestSource;
    #locked = false;
    constructor(source: GuestSource) {
      if (typeof source?.read !== 'function') throw new TypeError('ReadableStream cannot be constructed here');
      this.#source = source;
    }
    get locked(): boolean {
      return this.#locked;
    }
    getReader() {
      if (this.#locked) throw new TypeError('Invalid state: ReadableStream is locked');
      this.#locked = true;
      const source = this.#source;
      const unlock = () => {
        this.#locked = false;
      };
      return {
        async read(): Promise<{ value: Uint8Array | undefined; done: boolean }> {
          const value = await source.read();
          return value === null ? { value: undefined, done: true } : { value, done: false };
        },
        async cancel(): Promise<void> {
          source.cancel();
        },
        releaseLock: unlock,
      };
    }
    async cancel(): Promise<void> {
      if (this.#locked) throw new TypeError('Invalid state: ReadableStream is locked');
      this.#source.cancel();
    }
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      const reader = this.getReader();
      let isDone = false;
      try {
        for (;;) {
          const { value, done } = await reader.read();
          isDone = done;
          if (value === undefined) return;
          yield value;
        }
      } finally {
        if (!isDone) await reader.cancel();
        reader.releaseLock();
      }
    }
  }

  function sourceOf(bytes: Uint8Array): GuestSource {
    let rest: Uint8Array | null = bytes;
    return {
      async read() {
        const piece = rest;
        rest = null;
        return piece;
      },
      cancel() {
        rest = null;
      },
    };
  }

  /** Two sources that give the same bytes; what one has read and the other has not waits in the guest's memory. */
  function forked(source: GuestSource): [GuestSource, GuestSource] {
    const queues: [(Uint8Array | null)[], (Uint8Array | null)[]] = [[], []];
    let cancelled = 0;
    let reading: Promise<void> | null = null;
    const branch = (own: (Uint8Array | null)[]): GuestSource => ({
      async read() {
        while (own.length === 0) {
          reading ??= source.read().then(
            (piece) => {
              reading = null;
              for (const queue of queues) queue.push(piece === null ? null : new Uint8Array(piece));
            },
            (error) => {
              reading = null;
              throw error;
            },
          );
          await reading;
        }
        return own[0] === null ? null : (own.shift() ?? null);
      },
      cancel() {
        own.length = 0;
        own.push(null);
        cancelled += 1;
        if (cancelled === 2) source.cancel();
      },
    });
    return [branch(queues[0]), branch(queues[1])];
  }

  class Body {
    #stream: ReadableStream | null;
    #source: GuestSource | null;
    #used = false;
    constructor(source: GuestSource | null) {
      this.#source = source;
      this.#stream = source === null ? null : new ReadableStream(source);
    }
    get body(): ReadableStream | null {
      return this.#stream;
    }
    get bodyUsed(): boolean {
      return this.#used;
    }
    /** The source for a copy of this body; this one goes on with the other half. */
    protected forkSource(): GuestSource | null {
      if (this.#used || this.#stream?.locked) throw new TypeError('Body is unusable: it has been read already');
      if (this.#source === null) return null;
      const [mine, other] = forked(this.#source);
      this.#source = mine;
      this.#stream = new ReadableStream(mine);
      return other;
    }
    async bytes(): Promise<Uint8Array<ArrayBuffer>> {
      if (this.#used || this.#stream?.locked) throw new TypeError('Body is unusable: it has been read already');
      if (this.#stream === null) return new Uint8Array(0);
      this.#used = true;
      const pieces: Uint8Array[] = [];
      for await (const piece of this.#stream) pieces.push(piece);
      return concatenated(pieces);
    }
    async arrayBuffer(): Promise<ArrayBuffer> {
      return (await this.bytes()).buffer;
    }
    async text(): Promise<string> {
      return kit.decode(await this.bytes());
    }
    async json(): Promise<unknown> {
      return JSON.parse(await this.text());
    }
    async blob(): Promise<Blob> {
      const headers: unknown = Reflect.get(this, 'headers');
      return new Blob([await this.bytes()], {
        type: headers instanceof Headers ? (headers.get('content-type') ?? '') : '',
      });
    }
  }

  kit.define('ReadableStream', ReadableStream);
  return { Body, extract, gathered, sourceOf };
}
