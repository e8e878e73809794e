import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { runnerProtocol } from '../../contract/runnerProtocol.ts';

/**
 * Ends a connection with a status. Never without: a client that meets a bare end while it waits for the answer to
 * CONNECT may try again for ever (undici did so four thousand times a second).
 */
export const refuse = (socket: Socket, status: '502 Bad Gateway' | '503 Service Unavailable'): void => {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
};

const openStream = (session: ClientHttp2Session, signal: AbortSignal): ClientHttp2Stream | null => {
  try {
    return session.request({ ':method': 'POST', ':path': runnerProtocol.paths.egress }, { signal });
  } catch {
    return null;
  }
};

/**
 * Carries one connection of the job over one stream until both are closed. Each direction ends by itself; a reset on
 * one side is a reset on the other, so that what was cut never looks complete.
 */
export const carry = (session: ClientHttp2Session, socket: Socket, onClosed: () => void): void => {
  let open = 2;
  const closed = (): void => {
    open -= 1;
    if (open === 0) onClosed();
  };
  // Not `stream.close(code)`: it sends the regular end first, and the reset after it.
  const reset = new AbortController();
  const stream = openStream(session, reset.signal);
  if (stream === null) {
    open = 1;
    socket.once('close', closed);
    refuse(socket, '502 Bad Gateway');
    return;
  }
  let accepted = false;
  stream.once('response', (headers) => {
    accepted = headers[':status'] === 200;
    if (accepted) stream.pipe(socket);
    else reset.abort();
  });
  // Both tell it again with 'close'.
  stream.on('error', () => undefined);
  socket.on('error', () => undefined);
  stream.once('close', () => {
    if (!accepted) refuse(socket, '502 Bad Gateway');
    else if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || !socket.writableEnded) socket.resetAndDestroy();
    closed();
  });
  socket.once('close', (hadError) => {
    if (hadError || !socket.readableEnded) reset.abort();
    closed();
  });
  socket.pipe(stream);
};
