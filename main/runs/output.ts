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
  #ended = false;

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
    this.#ended = true;
    return this.reader()();
  }

  /**
   * Follows what is kept from its beginning: each call returns what came since the last one, and all of them together are
   * what `end` returns. Bytes that the redaction still holds back are not among it, nor is half a character.
   */
  reader(): () => string {
    const decoder = new TextDecoder();
    let read = 0;
    return () => {
      const bytes = this.#bytes.subarray(read, this.#kept);
      read = this.#kept;
      // Where the cap cut into a character, the half that was kept is never shown.
      return decoder.decode(bytes, { stream: !this.#ended || this.#truncated });
    };
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
