import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { EgressDoor } from '../../core/door.ts';
import { framingOf, headerPairs, urlOf } from './exchange.ts';
import type { Line } from './line.ts';
import { refusalBytes, switchingBytes } from './plainAnswer.ts';

/** A request with `Connection: upgrade`, after which Node's HTTP server reads no more of its stream. */
export type Upgrade = Readonly<{ request: IncomingMessage; stream: Duplex; head: Uint8Array }>;

/**
 * Takes a request for an upgrade through the door and, where it says yes, all that follows on the connection. What it
 * refuses ends the connection (ATTACKS B34, B49). Never rejects.
 */
export async function runUpgrade({ request, stream, head }: Upgrade, line: Line, door: EgressDoor): Promise<void> {
  line.connection.busy();
  const gone = new AbortController();
  stream.once('close', () => gone.abort());
  if (stream.destroyed) gone.abort();
  const verdict = await door.webSocket({
    method: request.method ?? '',
    url: urlOf(request, line.origin),
    headers: headerPairs(request),
    // Whatever it holds: a handshake has none, and is refused with one.
    body: framingOf(request).hasBody ? new Uint8Array(0) : null,
    signal: gone.signal,
  });
  if (!verdict.ok) {
    line.end(await refusalBytes(verdict.answer));
    return;
  }
  if (head.length > 0) stream.unshift(head);
  stream.write(switchingBytes(verdict.headers));
  await verdict.relay(stream);
}
