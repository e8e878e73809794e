import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type CodedError, errorBody, errorStatus } from '../../contract/errors.ts';

/** Headers of every answer. There is no CORS header, ever. */
export const answerHeaders: Readonly<Record<string, string>> = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** Headers, status and body of a refusal, the same on every path that an error can take. */
export function refusal(
  error: CodedError,
): Readonly<{ status: number; headers: Record<string, string>; body: string }> {
  const { retryAfterSeconds } = error.extras;
  return {
    status: errorStatus[error.code],
    headers: {
      ...answerHeaders,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
      ...(error.code === 'unauthorized' && { 'www-authenticate': 'Bearer' }),
    },
    body: JSON.stringify(errorBody(error)),
  };
}

/** Answers where Fastify was never reached. */
export function refuse(response: ServerResponse, error: CodedError): void {
  const { status, headers, body } = refusal(error);
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Answers where Node gives us no response object but the bare connection, and ends it. */
export function refuseSocket(socket: Duplex, error: CodedError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = refusal(error);
  const all = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`, () =>
    socket.destroy(),
  );
}
