import type { GuestSource } from './body.ts';
import type { GuestEvent, GuestKit } from './kit.ts';

export type Opened = { status: number; statusText: string; headers: Headers; source: GuestSource };

/** One request to the door and its answer. At most `openRequests` are under way; the rest wait in the guest. */
export function makeExchange(kit: GuestKit, openRequests: number) {
  type Exchange = {
    opened(message: GuestEvent): void;
    piece(bytes: Uint8Array): void;
    ended(): void;
    failed(reason: unknown): void;
  };
  const exchanges = new Map<number, Exchange>();
  const queue: (() => void)[] = [];
  let lastId = 0;
  let open = 0;

  async function slot(): Promise<void> {
    while (open >= openRequests) {
      await new Promise<void>((resolve) => {
        queue.push(resolve);
      });
    }
    open += 1;
  }

  function leave(): void {
    open -= 1;
    queue.shift()?.();
  }

  /** One request through the door; resolves with the head of the answer. */
  async function exchange(
    method: string,
    url: string,
    headers: Headers,
    bytes: Uint8Array<ArrayBuffer> | null,
    signal: AbortSignal | null,
  ): Promise<Opened> {
    signal?.throwIfAborted();
    await slot();
    if (signal?.aborted) {
      leave();
      throw signal.reason;
    }
    lastId += 1;
    const id = lastId;
    const pieces: Uint8Array[] = [];
    let isOver = false;
    let failure: { reason: unknown } | null = null;
    const sleepers: (() => void)[] = [];

    const over = () => {
      if (isOver) return;
      isOver = true;
      exchanges.delete(id);
      leave();
    };
    const woken = () => {
      kit.waits -= sleepers.length;
      for (const wake of sleepers.splice(0)) wake();
    };
    const source: GuestSource = {
      async read() {
        while (pieces.length === 0 && !isOver) {
          await new Promise<void>((resolve) => {
            kit.waits += 1;
            sleepers.push(resolve);
          });
        }
        const piece = pieces.shift();
        if (piece !== undefined) {
          if (!isOver) kit.ask('credit', [id, piece.byteLength]);
          return piece;
        }
        if (failure !== null) throw failure.reason;
        return null;
      },
      cancel() {
        pieces.length = 0;
        if (isOver) return;
        kit.ask('cancel', id);
        over();
        woken();
      },
    };

    try {
      kit.ask('fetch', [id, method, url, [...headers]], bytes === null ? undefined : exactBuffer(bytes));
    } catch (error) {
      over();
      throw error;
    }
    kit.waits += 1;
    return await new Promise<Opened>((resolve, reject) => {
      let isWaiting = true;
      const answered = () => {
        if (isWaiting) kit.waits -= 1;
        isWaiting = false;
      };
      const fail = (reason: unknown) => {
        failure ??= { reason };
        over();
        answered();
        woken();
        reject(reason);
      };
      exchanges.set(id, {
        opened(message) {
          answered();
          const received = new Headers();
          for (const [name, value] of Array.isArray(message.headers) ? message.headers : []) {
            try {
              received.append(name, value);
            } catch {} // A header that no Headers object can hold is dropped, as browsers do.
          }
          resolve({
            status: Number(message.status),
            statusText: String(message.statusText),
            headers: received,
            source,
          });
        },
        piece(piece) {
          pieces.push(piece);
          woken();
        },
        ended() {
          over();
          woken();
        },
        failed: fail,
      });
      signal?.addEventListener(
        'abort',
        () => {
          if (isOver) return;
          kit.ask('cancel', id);
          pieces.length = 0;
          fail(signal.reason);
        },
        { once: true },
      );
    });
  }

  function exactBuffer(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  }

  kit.on('response', (message) => exchanges.get(Number(message.id))?.opened(message));
  kit.on('chunk', (message, bytes) => {
    if (bytes !== undefined) exchanges.get(Number(message.id))?.piece(new Uint8Array(bytes));
  });
  kit.on('end', (message) => exchanges.get(Number(message.id))?.ended());
  kit.on('failed', (message) => exchanges.get(Number(message.id))?.failed(new TypeError(String(message.message))));
  return exchange;
}
