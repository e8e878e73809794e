import type { DoorRequest } from '../core/door.ts';
import type { EgressLimits } from '../core/egressSpec.ts';
import type { FilledBody } from './bodySubstitution.ts';
import type { ExchangeLog } from './exchangeLog.ts';
import type { PlaceholderSet } from './placeholderSet.ts';
import { Refusal } from './refusal.ts';

/** Counts the bytes of all exchanges of a run and stops the one that takes too many. */
export class Meter {
  readonly #limits: Pick<EgressLimits, 'maxBytesIn' | 'maxBytesOut'>;
  readonly #placeholders: PlaceholderSet;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(limits: Pick<EgressLimits, 'maxBytesIn' | 'maxBytesOut'>, placeholders: PlaceholderSet) {
    this.#limits = limits;
    this.#placeholders = placeholders;
  }

  /** Counts unpacked bytes of an answer. Throws Refusal `download_limit`. */
  received(bytes: number): void {
    this.#bytesIn += bytes;
    if (this.#bytesIn > this.#limits.maxBytesIn) throw new Refusal('download_limit');
  }

  /** The body as it goes out, counted and looked at on the way. Throws Refusal `upload_limit`, at once for a whole body. */
  outgoing(body: DoorRequest['body'], log: ExchangeLog): DoorRequest['body'] {
    const watch = this.#placeholders.watch();
    const take = (chunk: Uint8Array): void => {
      this.#send(chunk.length, log);
      // A model quotes its environment in what it sends: the stand-in goes out as it is, and we say so (ATTACKS E108).
      log.placeholderInBody = watch(chunk);
    };
    if (body === null) return null;
    if (body instanceof Uint8Array) {
      take(body);
      return body;
    }
    return (async function* () {
      for await (const chunk of body) {
        take(chunk);
        yield chunk;
      }
    })();
  }

  /**
   * A body whose fields were filled. Counted as the code wrote it, since the length of what went out would tell that of
   * the secret (ATTACKS E103); what still is a stand-in there goes out as text. Throws Refusal `upload_limit`.
   */
  filled({ bytes, size }: Pick<FilledBody, 'bytes' | 'size'>, log: ExchangeLog): Uint8Array {
    this.#send(size, log);
    log.placeholderInBody = this.#placeholders.watch()(bytes);
    return bytes;
  }

  /** Counts what passes through a WebSocket, both ways. The counters throw Refusal, and note it. */
  relayed(log: ExchangeLog): Readonly<{ sent: (bytes: number) => void; received: (bytes: number) => void }> {
    return {
      sent: (bytes) => this.#send(bytes, log),
      received: (bytes) => {
        log.bytesIn += bytes;
        try {
          this.received(bytes);
        } catch (error) {
          log.refuse('download_limit');
          throw error;
        }
      },
    };
  }

  #send(bytes: number, log: ExchangeLog): void {
    if (this.#bytesOut + bytes > this.#limits.maxBytesOut) {
      // Noted here, because the way from a body in pieces to the answer knows only that the body broke off.
      log.refuse('upload_limit');
      throw new Refusal('upload_limit');
    }
    this.#bytesOut += bytes;
    log.bytesOut += bytes;
  }
}
