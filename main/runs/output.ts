import type { RedactionStream } from '../core/redaction.ts';

export const maxOutputBytes = 1024 * 1024;
const firstRoom = 4096;
const sliceBytes = 64 * 1024;
/** Beyond this the code is only flooding us: it is stopped. */
const maxRawBytes = 64 * 1024 * 1024;

/**
 * One output stream of a run: redacted byte by byte first, capped after it, decoded last, so that neither a cut nor odd
 * bytes can hide part of a secret from the redaction.
 */
export class RunOutput {
  readonly #redaction: RedactionStream;
  readonly #onFlood: () => void;
  /** One buffer: code that writes byte by byte must not have an object of ours for each. */
  #bytes: Buffer = Buffer.alloc(firstRoom);
  #kept = 0;
  #raw = 0;
  #truncated = false;

  constructor(redaction: RedactionStream, onFlood: () => void) {
    this.#redaction = redaction;
    this.#onFlood = onFlood;
  }

  get truncated(): boolean {
    return this.#truncated;
  }

  get redactions(): number {
    return this.#redaction.count;
  }

  push(chunk: Uint8Array): void {
    this.#raw += chunk.length;
    if (this.#raw > maxRawBytes) this.#onFlood();
    // Once nothing more can be kept, the rest is drained and not looked at.
    for (let start = 0; start < chunk.length && !this.#truncated; start += sliceBytes) {
      this.#keep(this.#redaction.push(chunk.subarray(start, start + sliceBytes)));
    }
  }

  /** All that is kept, as text. Call once, after the last chunk. */
  end(): string {
    if (!this.#truncated) this.#keep(this.#redaction.end());
    const bytes = this.#bytes.subarray(0, this.#kept);
    return new TextDecoder().decode(this.#truncated ? wholeCharacters(bytes) : bytes);
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.min(maxOutputBytes, Math.max(length, 2 * this.#bytes.length)));
    this.#bytes.copy(larger, 0, 0, this.#kept);
    this.#bytes = larger;
  }

  #keep(bytes: Uint8Array): void {
    const room = maxOutputBytes - this.#kept;
    if (bytes.length > room) this.#truncated = true;
    const kept = bytes.length > room ? bytes.subarray(0, room) : bytes;
    this.#reserve(this.#kept + kept.length);
    this.#bytes.set(kept, this.#kept);
    this.#kept += kept.length;
  }
}

/** The cap may fall into the middle of a UTF-8 character: up to three bytes at the end go. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < length ? bytes.subarray(0, bytes.length - back) : bytes;
    }
  }
  return bytes;
}
