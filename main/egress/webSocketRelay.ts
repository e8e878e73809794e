import type { Duplex } from 'node:stream';
import type { HeaderPair } from '../core/door.ts';
import { webSocketAccept } from '../net/webSocket.ts';

/** Called with the size of each piece before it is passed on; it throws to end the connection. */
export type RelayCounts = Readonly<{ sent: (bytes: number) => void; received: (bytes: number) => void }>;

/** How long what is left may take to leave when the other side has ended. */
const lingerMs = 5_000;

/** The headers of the 101 for a client that asked with this key. */
export function answerToWebSocket(key: string, protocol: string | null): readonly HeaderPair[] {
  const chosen: readonly HeaderPair[] = protocol === null ? [] : [['sec-websocket-protocol', protocol]];
  return [
    ['upgrade', 'websocket'],
    ['connection', 'Upgrade'],
    ['sec-websocket-accept', webSocketAccept(key)],
    ...chosen,
  ];
}

/**
 * Passes bytes one way. An end is passed on as an end, so that the last frames arrive; a break takes the other side with
 * it. Resolves when `from` is closed.
 */
function pass(from: Duplex, to: Duplex, count: (bytes: number) => void): Promise<void> {
  from.on('error', () => {});
  from.on('data', (chunk: Uint8Array) => {
    try {
      count(chunk.length);
    } catch {
      from.destroy();
      to.destroy();
    }
    if (!to.writable || to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
  from.once('end', () => to.end());
  return new Promise((resolve) => {
    const onClose = (): void => {
      resolve();
      if (to.closed) return;
      if (!from.readableEnded || to.destroyed) to.destroy();
      else {
        const linger = setTimeout(() => to.destroy(), lingerMs);
        to.once('close', () => clearTimeout(linger));
      }
    };
    if (from.closed) onClose();
    else from.once('close', onClose);
  });
}

/** Carries an open WebSocket, frames and all, until both ends are closed; one end closes the other. Never rejects. */
export async function relay(code: Duplex, host: Duplex, { sent, received }: RelayCounts): Promise<void> {
  await Promise.all([pass(code, host, sent), pass(host, code, received)]);
}
