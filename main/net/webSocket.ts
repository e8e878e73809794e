import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { dial } from './dial.ts';
import type { DialTarget } from './resolve.ts';
import { abortReason, errorCodeOf, UpstreamError } from './upstreamError.ts';

export type WebSocketRequest = Readonly<{
  /** Canonical host, the name that the certificate must carry. */
  host: string;
  target: DialTarget;
  /** Canonical path and query. */
  path: string;
  /** Lower-case names, without those of the handshake but `sec-websocket-protocol`: they are ours. */
  headers: ReadonlyMap<string, string>;
  /** Ends the opening. What is open belongs to the caller. */
  signal: AbortSignal;
}>;

/** An open connection: bytes as they pass, frames and all. */
export type OpenWebSocket = Readonly<{ socket: Duplex; protocol: string | null }>;

const openTimeoutMs = 20_000;
const maxHeaderBytes = 65_536;
// RFC 6455, section 1.3.
const acceptSalt = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What a server says to a client that asked with this key (RFC 6455, section 4.2.2). */
export const webSocketAccept = (key: string): string =>
  createHash('sha1').update(`${key}${acceptSalt}`).digest('base64');

/** The names in a comma list. */
const listed = (text: string): readonly string[] => text.split(',').map((part) => part.trim());

/**
 * Opens a WebSocket over TLS with a key of our own, and believes that it is one only when the server proves it: 101,
 * the right accept, no extension, a protocol that was offered (RFC 6455, section 4.1). Throws UpstreamError.
 */
export async function openWebSocket(request: WebSocketRequest, trust: SecureContext): Promise<OpenWebSocket> {
  const { host, target, path, headers } = request;
  const stop = new AbortController();
  const late = new UpstreamError('upstream_timeout', `${host} opened no WebSocket in ${openTimeoutMs} ms`);
  const timer = setTimeout(() => stop.abort(late), openTimeoutMs);
  const signal = AbortSignal.any([stop.signal, request.signal]);
  const key = randomBytes(16).toString('base64');
  let socket: Socket | null = null;
  try {
    socket = await dial({ host, target, trust, signal });
    const answer = await handshake(socket, { path, headers, key, signal });
    const protocol = checked(answer, host, key, headers.get('sec-websocket-protocol') ?? '');
    return { socket, protocol };
  } catch (error) {
    socket?.destroy();
    if (signal.aborted) throw abortReason(signal);
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError('upstream_protocol', `${host} opened no WebSocket (${errorCodeOf(error)})`);
  } finally {
    clearTimeout(timer);
  }
}

type Handshake = Pick<WebSocketRequest, 'path' | 'headers' | 'signal'> & Readonly<{ key: string }>;

/** Resolves with the head of the answer, whatever its status; bytes that came after it are put back. */
function handshake(socket: Socket, { path, headers, key, signal }: Handshake): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    const outgoing = httpRequest({
      createConnection: () => socket,
      path,
      headers: {
        ...Object.fromEntries(headers),
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': key,
      },
      setHost: false,
      insecureHTTPParser: false,
      maxHeaderSize: maxHeaderBytes,
    });
    outgoing.on('error', reject);
    outgoing.on('response', resolve);
    outgoing.on('upgrade', (answer, _socket, head) => {
      socket.on('error', () => {});
      if (head.length > 0) socket.unshift(head);
      resolve(answer);
    });
    outgoing.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      reject(new UpstreamError('upstream_protocol', 'The connection closed without an answer'));
    });
    outgoing.end();
    if (signal.aborted) onAbort();
  });
}

/** The protocol that the server chose, or null. Throws UpstreamError when this is no WebSocket as we asked for it. */
function checked({ statusCode = 0, headers }: IncomingMessage, host: string, key: string, offered: string) {
  const wrong = (what: string): UpstreamError => new UpstreamError('upstream_protocol', `${host} ${what}`);
  if (statusCode !== 101) throw wrong(`answered a WebSocket with status ${statusCode}`);
  if (headers.upgrade?.toLowerCase() !== 'websocket') throw wrong('switched to another protocol');
  if (headers['sec-websocket-accept'] !== webSocketAccept(key)) throw wrong('did not prove that it is a WebSocket');
  if (headers['sec-websocket-extensions'] !== undefined) throw wrong('uses an extension that nobody offered');
  const protocol = headers['sec-websocket-protocol'];
  if (protocol === undefined) return null;
  if (!listed(offered).includes(protocol)) throw wrong('chose a protocol that nobody offered');
  return protocol;
}
