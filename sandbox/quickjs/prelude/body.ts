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

/** ReadableStream of bytes (reading only), Blob, FormData, and the methods that Request and Response share. */
export function installBody(kit: GuestKit) {
  type Pair = [string, unknown];

  function concatenated(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.byteLength;
    }
    return all;
  }

  function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
    if (value instanceof Blob) return blobBytes(value);
    if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
    if (ArrayBuffer.isView(value))
      return concatenated([new Uint8Array(value.buffer, value.byteOffset, value.byteLength)]);
    return kit.encode(String(value));
  }

  let blobBytes: (blob: Blob) => Uint8Array<ArrayBuffer> = () => new Uint8Array(0);

  class Blob {
    static {
      blobBytes = (blob) => blob.#bytes;
    }
    readonly #bytes: Uint8Array<ArrayBuffer>;
    readonly type: string;
    constructor(parts: Iterable<unknown> = [], options: { type?: unknown } = {}) {
      this.#bytes = concatenated(Array.from(parts, bytesOf));
      this.type = String(options.type ?? '').toLowerCase();
    }
    get size(): number {
      return this.#bytes.byteLength;
    }
    slice(start?: number, end?: number, type: unknown = ''): Blob {
      return new Blob([this.#bytes.slice(start, end)], { type });
    }
    async bytes(): Promise<Uint8Array> {
      return this.#bytes.slice();
    }
    async arrayBuffer(): Promise<ArrayBuffer> {
      return this.#bytes.slice().buffer;
    }
    async text(): Promise<string> {
      return kit.decode(this.#bytes);
    }
  }

  class File extends Blob {
    readonly name: string;
    readonly lastModified = Date.now();
    constructor(parts: Iterable<unknown>, name: unknown, options: { type?: unknown } = {}) {
      super(parts, options);
      this.name = String(name);
    }
  }

  class FormData {
    #entries: Pair[] = [];
    append(name: unknown, value: unknown, filename?: unknown): void {
      const isFile = value instanceof File && filename === undefined;
      const held =
        value instanceof Blob && !isFile
          ? new File([value], filename ?? 'blob', { type: value.type })
          : isFile
            ? value
            : String(value);
      this.#entries.push([String(name), held]);
    }
    set(name: unknown, value: unknown, filename?: unknown): void {
      this.delete(name);
      this.append(name, value, filename);
    }
    delete(name: unknown): void {
      this.#entries = this.#entries.filter(([key]) => key !== String(name));
    }
    get(name: unknown): unknown {
      return this.#entries.find(([key]) => key === String(name))?.[1] ?? null;
    }
    getAll(name: unknown): unknown[] {
      return this.#entries.filter(([key]) => key === String(name)).map(([, value]) => value);
    }
    has(name: unknown): boolean {
      return this.#entries.some(([key]) => key === String(name));
    }
    *entries(): Generator<Pair> {
      for (const [name, value] of this.#entries) yield [name, value];
    }
    [Symbol.iterator](): Generator<Pair> {
      return this.entries();
    }
  }

  function multipart(form: FormData): Extracted {
    const boundary = `----oauth3-${kit.askText('uuid')}`;
    const escaped = (text: string) => text.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
    const pieces: Uint8Array[] = [];
    for (const [name, value] of form) {
      const isFile = value instanceof File;
      const file = isFile
        ? `; filename="${escaped(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}`
        : '';
      pieces.push(
        kit.encode(`--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"${file}\r\n\r\n`),
      );
      pieces.push(isFile ? blobBytes(value) : kit.encode(String(value).replace(/\r?\n/g, '\r\n')), kit.encode('\r\n'));
    }
    pieces.push(kit.encode(`--${boundary}--\r\n`));
    return { bytes: concatenated(pieces), pieces: null, type: `multipart/form-data; boundary=${boundary}` };
  }

  function extract(init: unknown): Extracted {
    if (init === undefined || init === null) return { bytes: null, pieces: null, type: null };
    if (typeof init === 'object') {
      if (init instanceof FormData) return multipart(init);
      if (init instanceof Blob) return { bytes: blobBytes(init), pieces: null, type: init.type || null };
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

  for (const [name, value] of Object.entries({ Blob, File, FormData, ReadableStream })) kit.define(name, value);
  return { Body, extract, gathered, sourceOf };
}
