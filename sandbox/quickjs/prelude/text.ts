import type { GuestKit } from './kit.ts';

/** TextEncoder, TextDecoder (UTF-8 and Latin-1), atob and btoa. The child does the converting, a piece at a time. */
export function installText(kit: GuestKit): void {
  const pieceBytes = 256 * 1024;
  const pieceLength = 64 * 1024;

  function bytesOf(source: unknown): Uint8Array {
    if (source === undefined) return new Uint8Array(0);
    if (source instanceof ArrayBuffer) return new Uint8Array(source);
    if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    throw new TypeError('expected an ArrayBuffer or a view of one');
  }

  function exactBuffer(bytes: Uint8Array): ArrayBuffer {
    const copy = new Uint8Array(bytes.byteLength);
    copy.set(bytes);
    return copy.buffer;
  }

  function encode(text: string): Uint8Array<ArrayBuffer> {
    if (text.length <= pieceLength) return new Uint8Array(kit.askBytes('encode', text));
    const pieces: Uint8Array[] = [];
    let total = 0;
    for (let start = 0; start < text.length; ) {
      let end = start + pieceLength;
      const last = text.charCodeAt(end - 1);
      if (last >= 0xd800 && last < 0xdc00) end += 1;
      const piece = new Uint8Array(kit.askBytes('encode', text.slice(start, end)));
      pieces.push(piece);
      total += piece.byteLength;
      start = end;
    }
    const all = new Uint8Array(total);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.byteLength;
    }
    return all;
  }

  /** Where a sequence that begins before `end` and is not complete there begins, else `end` (RFC 3629, section 3). */
  function wholeSequencesEnd(bytes: Uint8Array, end: number): number {
    for (let back = 1; back <= 3 && back <= end; back += 1) {
      const byte = bytes[end - back] ?? 0;
      if (byte < 0x80) return end;
      if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? end - back : end;
    }
    return end;
  }

  function decode(bytes: Uint8Array, label: string, fatal: boolean): string {
    let text = '';
    for (let start = 0; start < bytes.byteLength; ) {
      let end = Math.min(start + pieceBytes, bytes.byteLength);
      if (end < bytes.byteLength && label === 'utf-8') end = wholeSequencesEnd(bytes, end);
      text += kit.askText('decode', [label, fatal], exactBuffer(bytes.subarray(start, end)));
      start = end;
    }
    return text;
  }

  class TextEncoder {
    get encoding(): string {
      return 'utf-8';
    }
    encode(text: unknown = ''): Uint8Array {
      return encode(String(text));
    }
    encodeInto(text: unknown, target: Uint8Array): { read: number; written: number } {
      let read = 0;
      let written = 0;
      for (const character of String(text)) {
        const bytes = encode(character);
        if (written + bytes.byteLength > target.byteLength) break;
        target.set(bytes, written);
        written += bytes.byteLength;
        read += character.length;
      }
      return { read, written };
    }
  }

  class TextDecoder {
    readonly #label: string;
    readonly #fatal: boolean;
    readonly #keepMark: boolean;
    #carry = new Uint8Array(0);
    #started = false;

    constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
      const name = String(label).trim().toLowerCase();
      if (['utf-8', 'utf8', 'unicode-1-1-utf-8'].includes(name)) this.#label = 'utf-8';
      else if (['latin1', 'iso-8859-1', 'windows-1252', 'ascii', 'us-ascii'].includes(name))
        this.#label = 'windows-1252';
      else throw new RangeError(`TextDecoder: '${name}' is not supported here; use utf-8 or latin1`);
      this.#fatal = Boolean(options.fatal);
      this.#keepMark = Boolean(options.ignoreBOM);
    }
    get encoding(): string {
      return this.#label;
    }
    get fatal(): boolean {
      return this.#fatal;
    }
    get ignoreBOM(): boolean {
      return this.#keepMark;
    }
    decode(source?: unknown, options: { stream?: boolean } = {}): string {
      const fresh = bytesOf(source);
      let bytes = fresh;
      if (this.#carry.byteLength > 0) {
        bytes = new Uint8Array(this.#carry.byteLength + fresh.byteLength);
        bytes.set(this.#carry);
        bytes.set(fresh, this.#carry.byteLength);
      }
      const cut =
        options.stream && this.#label === 'utf-8' ? wholeSequencesEnd(bytes, bytes.byteLength) : bytes.byteLength;
      this.#carry = new Uint8Array(bytes.subarray(cut));
      let text = decode(bytes.subarray(0, cut), this.#label, this.#fatal);
      if (!this.#started && text.length > 0) {
        this.#started = true;
        if (!this.#keepMark && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
      }
      if (!options.stream) this.#started = false;
      return text;
    }
  }

  kit.encode = encode;
  kit.decode = (bytes) => new TextDecoder().decode(bytes);
  kit.define('TextEncoder', TextEncoder);
  kit.define('TextDecoder', TextDecoder);
  kit.define('atob', (text: unknown) => kit.askText('atob', String(text)));
  kit.define('btoa', (text: unknown) => kit.askText('btoa', String(text)));
}
