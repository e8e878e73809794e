import { sandboxLimits } from '../../contract/sandboxLimits.ts';
import type { ChildMessage } from '../../contract/sandboxMessages.ts';

/**
 * What a program prints, in pieces. What the host has not taken yet is counted: a loop that prints without end would
 * fill the memory of whoever holds the messages, and a synchronous guest cannot be made to wait.
 */
export class GuestOutput {
  #untakenBytes = 0;
  readonly #send: (message: ChildMessage) => void;

  constructor(send: (message: ChildMessage) => void) {
    this.#send = send;
  }

  /** False when too much is on the way; then nothing more is sent and the program has to end. */
  print(fd: 1 | 2, shown: string): boolean {
    const bytes = new TextEncoder().encode(shown);
    if (this.#untakenBytes + bytes.byteLength > sandboxLimits.outputWindowBytes) return false;
    this.#untakenBytes += bytes.byteLength;
    for (let at = 0; at < bytes.byteLength; at += sandboxLimits.outputPieceBytes) {
      this.#send({ type: 'output', fd, bytes: bytes.subarray(at, at + sandboxLimits.outputPieceBytes) });
    }
    return true;
  }

  taken(bytes: number): void {
    this.#untakenBytes = Math.max(0, this.#untakenBytes - bytes);
  }
}
