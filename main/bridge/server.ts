import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { CodedError } from '../../contract/errors.ts';
import { refuse, refuseSocket } from './envelope.ts';
import { type AcceptedNames, judge } from './guard.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** In ms. */
export type ServerTimeouts = Readonly<{
  /** For the request line and headers together. */
  headersTimeout: number;
  /** For the whole request, body included; an answer may take as long as it likes. */
  requestTimeout: number;
  keepAliveTimeout: number;
  connectionsCheckingInterval: number;
}>;

const usualTimeouts: ServerTimeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 1_000,
};
const maxHeaderBytes = 16_384;
const maxConnections = 1000;

/**
 * An HTTP server on which nothing passes the guard: ordinary requests, CONNECT, Expect, and what is no HTTP at all get
 * the same checks and the same envelope. Upgrades are ordinary requests here, so no protocol is ever switched.
 */
export function createGuardedServer(
  handler: RequestHandler,
  names: AcceptedNames,
  timeouts: ServerTimeouts = usualTimeouts,
): Server {
  const refused = ({ url = '', rawHeaders, socket }: IncomingMessage): CodedError | null =>
    judge({ url, rawHeaders, localPort: socket.localPort ?? 0 }, names);
  const guarded: RequestHandler = (request, response) => {
    noteOwed(request, response);
    const error = refused(request);
    if (error === null) handler(request, response);
    else refuse(response, error);
  };
  const server = createServer(
    {
      ...timeouts,
      maxHeaderSize: maxHeaderBytes,
      insecureHTTPParser: false,
      // A missing Host is refused by the guard, in our words.
      requireHostHeader: false,
    },
    guarded,
  );
  // Each connection is a descriptor of this process; without a bound, callers could use up what sandboxes need.
  server.maxConnections = maxConnections;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    noteOwed(request, response);
    const error = refused(request);
    if (error !== null) {
      refuse(response, error);
      return;
    }
    response.writeContinue();
    handler(request, response);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    noteOwed(request, response);
    refuse(response, refused(request) ?? new CodedError('invalid_request', 'Only Expect: 100-continue is known'));
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    // Without a listener the client's reset would end the process.
    socket.on('error', () => socket.destroy());
    // The target of CONNECT is an authority, never a path, so the guard always has something to say.
    refuseSocket(socket, refused(request) ?? new CodedError('not_found', 'This is not a proxy'));
  });
  return server;
}

type Exchange = Readonly<{ request: IncomingMessage; response: ServerResponse }>;

// Exchanges of a connection whose answers are still owed.
const owed = new WeakMap<Duplex, Set<Exchange>>();

function noteOwed(request: IncomingMessage, response: ServerResponse): void {
  const exchange = { request, response };
  const exchanges = owed.get(request.socket) ?? new Set();
  owed.set(request.socket, exchanges.add(exchange));
  response.once('close', () => exchanges.delete(exchange));
}

/** True when an error in the bytes of this connection can only be about a request that has not begun to be answered. */
function mayAnswer(socket: Duplex): boolean {
  const [exchange, ...more] = owed.get(socket) ?? [];
  if (exchange === undefined) return true;
  return more.length === 0 && !exchange.request.complete && !exchange.response.headersSent;
}

/** What Node could not read as HTTP, or what did not come in time. */
export function answerClientError(error: Error & { code?: string }, socket: Duplex): void {
  // Ours would be taken for the answer to an earlier request, which may well have been carried out.
  if (mayAnswer(socket)) refuseSocket(socket, clientError(error.code));
  else socket.destroy();
}

function clientError(code: string | undefined): CodedError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new CodedError('too_large', `Headers: at most ${maxHeaderBytes / 1024} KiB`);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new CodedError('too_large', 'Chunk extensions are too long');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new CodedError('invalid_request', 'The request did not arrive in time');
    default:
      return new CodedError('invalid_request', 'This is not a valid HTTP/1.1 request');
  }
}
