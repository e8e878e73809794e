import { sandboxLimits } from '../../contract/sandboxLimits.ts';
import type { ChildMessage } from '../../contract/sandboxMessages.ts';
import { list, Refusal, text, whole } from './operations.ts';

/** The requests that a program has open, within the limits that the host ends a run for going over. */
export class GuestRequests {
  readonly #bodyBytes = new Map<number, number>();
  readonly #send: (message: ChildMessage) => void;

  constructor(send: (message: ChildMessage) => void) {
    this.#send = send;
  }

  open(argument: unknown, body: Uint8Array | null): void {
    const [givenId, givenMethod, givenUrl, givenHeaders] = list(argument);
    const id = whole(givenId);
    const url = text(givenUrl);
    const headers = list(givenHeaders).map((pair): [string, string] => {
      const [name, value] = list(pair);
      return [text(name), text(value)];
    });
    this.#checkHead(text(givenMethod), url, headers);
    this.#checkBody(body);
    if (this.#bodyBytes.has(id)) throw new Refusal('TypeError', 'fetch failed: the id is in use');
    this.#bodyBytes.set(id, body?.byteLength ?? 0);
    this.#send({ type: 'fetch', id, method: text(givenMethod), url, headers, bodyBytes: body?.byteLength ?? null });
    for (let at = 0; body !== null && at < body.byteLength; at += sandboxLimits.bodyPieceBytes) {
      this.#send({ type: 'body', id, bytes: body.subarray(at, at + sandboxLimits.bodyPieceBytes) });
    }
  }

  /** The program has read `count` bytes: the host may send as many more. */
  credit(argument: unknown): void {
    const [id, count] = list(argument);
    if (this.#bodyBytes.has(whole(id))) this.#send({ type: 'credit', id: whole(id), count: whole(count) });
  }

  cancel(id: number): void {
    if (this.#bodyBytes.delete(id)) this.#send({ type: 'cancel', id });
  }

  /** The host has ended this one. */
  closed(id: number): void {
    this.#bodyBytes.delete(id);
  }

  #checkHead(method: string, url: string, headers: readonly (readonly [string, string])[]): void {
    const length = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    if (this.#bodyBytes.size >= sandboxLimits.openRequests)
      throw new Refusal('TypeError', 'fetch failed: too many open requests');
    if (method.length > 64) throw new Refusal('TypeError', 'fetch failed: the method is too long');
    if (url.length > sandboxLimits.urlLength) throw new Refusal('TypeError', 'fetch failed: the URL is too long');
    if (headers.length > sandboxLimits.headerPairs || length > sandboxLimits.headersLength) {
      throw new Refusal('TypeError', 'fetch failed: the headers are too large');
    }
  }

  #checkBody(body: Uint8Array | null): void {
    const onTheWay = [...this.#bodyBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
    const size = body?.byteLength ?? 0;
    if (size > sandboxLimits.requestBodyBytes || onTheWay + size > sandboxLimits.requestBodiesBytes) {
      throw new Refusal(
        'TypeError',
        `fetch failed: request bodies may have ${sandboxLimits.requestBodyBytes} bytes each and ${sandboxLimits.requestBodiesBytes} together`,
      );
    }
  }
}
