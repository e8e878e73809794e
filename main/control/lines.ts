/** Cuts a byte stream into lines. `overflow` is called once when a line grows beyond the limit; nothing follows it. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  readonly #onOverflow: () => void;
  #parts: Buffer[] = [];
  #size = 0;
  #broken = false;

  constructor(maxBytes: number, onLine: (line: string) => void, onOverflow: () => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onOverflow = onOverflow;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (!this.#broken) {
      const end = rest.indexOf(0x0a);
      this.#take(end === -1 ? rest : rest.subarray(0, end));
      if (end === -1 || this.#broken) return;
      const line = Buffer.concat(this.#parts).toString('utf8');
      this.#parts = [];
      this.#size = 0;
      if (line !== '') this.#onLine(line);
      rest = rest.subarray(end + 1);
    }
  }

  #take(bytes: Buffer): void {
    this.#size += bytes.length;
    if (this.#size > this.#maxBytes) {
      this.#broken = true;
      this.#parts = [];
      this.#onOverflow();
      return;
    }
    if (bytes.length > 0) this.#parts.push(bytes);
  }
}
