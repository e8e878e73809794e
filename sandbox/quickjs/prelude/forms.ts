import type { GuestKit } from './kit.ts';

/** Blob, File and FormData, and the bytes of whatever a program may give as data. */
export function installForms(kit: GuestKit) {
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

  function multipart(form: Iterable<Pair>): { bytes: Uint8Array<ArrayBuffer>; type: string } {
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
    return { bytes: concatenated(pieces), type: `multipart/form-data; boundary=${boundary}` };
  }

  for (const [name, value] of Object.entries({ Blob, File, FormData })) kit.define(name, value);
  return { concatenated, bytesOf, multipart };
}
