import { sandboxLimits } from '../../contract/sandboxLimits.ts';
import type { ChildMessage } from '../../contract/sandboxMessages.ts';

/**
 * What a program prints, in pieces. What the host has not taken yet is counted for each stream, and what goes over is
 * dropped: a loop that prints without end would fill the memory of whoever holds the messages, and a synchronous
 * guest cannot be made to wait.
 */
export class GuestOutput {
  readonly #untaken = { 1: 0, 2: 0 };
  readonly #send: (message: ChildMessage) => void;

  constructor(send: (message: ChildMessage) => void) {
    this.#send = send;
  }

  /** False when it was dropped. */
  print(fd: 1 | 2, shown: string): boolean {
    const bytes = new TextEncoder().encode(shown);
    if (this.#untaken[fd] + bytes.byteLength > sandboxLimits.outputWindowBytes) return false;
    this.#untaken[fd] += bytes.byteLength;
    for (let at = 0; at < bytes.byteLength; at += sandboxLimits.outputPieceBytes) {
      this.#send({ type: 'output', fd, bytes: bytes.subarray(at, at + sandboxLimits.outputPieceBytes) });
    }
    return true;
  }

  taken(fd: 1 | 2, bytes: number): void {
    this.#untaken[fd] -= bytes;
  }
}
