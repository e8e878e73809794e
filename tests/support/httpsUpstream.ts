import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type IssuedCertificate, makeAuthority } from './certificates.ts';

/** One request as it arrived: headers in order and case as sent, body byte by byte. */
export type ReceivedRequest = Readonly<{
  method: string;
  /** Request target exactly as on the wire. */
  path: string;
  /** Last value of each header, names in lower case. */
  headers: Readonly<Record<string, string>>;
  rawHeaders: readonly (readonly [name: string, value: string])[];
  body: Buffer;
  /** SNI of the connection, empty without TLS or without SNI. */
  servername: string;
}>;

/** Answers a request. May write raw bytes to `response.socket` to misbehave on purpose. */
export type Answer = (request: ReceivedRequest, response: http.ServerResponse) => void | Promise<void>;

export type Upgrade = (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;

export type UpstreamServer = Readonly<{
  port: number;
  /** Every complete request so far, oldest first. */
  received: readonly ReceivedRequest[];
  /** Bytes of each connection as they came in (after TLS), oldest connection first. */
  wire(): readonly Buffer[];
  connections(): number;
  setAnswer(answer: Answer): void;
  /** Takes over requests for an upgrade, and gets the bare connection; null (as at first) answers them like others. */
  setUpgrade(upgrade: Upgrade | null): void;
  close(): Promise<void>;
}>;

/** Shows the caller its own request as JSON: the worst API for a secret. */
export const echo: Answer = (request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      method: request.method,
      path: request.path,
      headers: request.headers,
      body: request.body.toString('utf8'),
    }),
  );
};

function headerPairs(rawHeaders: readonly string[]): (readonly [string, string])[] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[index * 2] ?? '',
    rawHeaders[index * 2 + 1] ?? '',
  ]);
}

/** Starts a server on 127.0.0.1 and a free port: TLS with the given certificate, plain HTTP with `null`. Close it after the test. */
export async function startUpstream(
  certificate: IssuedCertificate | null,
  options: Readonly<{ answer?: Answer }> = {},
): Promise<UpstreamServer> {
  const received: ReceivedRequest[] = [];
  const wire: Buffer[][] = [];
  let answer = options.answer ?? echo;

  const onRequest: http.RequestListener = async (message, response) => {
    message.on('error', () => {});
    response.on('error', () => {});
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of message) chunks.push(chunk);
    } catch {
      return;
    }
    const servername = 'servername' in message.socket ? message.socket.servername : '';
    const request: ReceivedRequest = {
      method: message.method ?? '',
      path: message.url ?? '',
      headers: Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)])),
      rawHeaders: headerPairs(message.rawHeaders),
      body: Buffer.concat(chunks),
      servername: typeof servername === 'string' ? servername : '',
    };
    received.push(request);
    await answer(request, response);
  };

  const server =
    certificate === null
      ? http.createServer(onRequest)
      : https.createServer({ ...certificate, ALPNProtocols: ['http/1.1'] }, onRequest);
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('tlsClientError', () => {});
  server.on(certificate === null ? 'connection' : 'secureConnection', (socket: Socket) => {
    const bytes: Buffer[] = [];
    wire.push(bytes);
    socket.on('error', () => {});
    // `on('data')` makes Node's HTTP server parse what the listener saw, so both see the same bytes.
    socket.on('data', (chunk: Buffer) => bytes.push(Buffer.from(chunk)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');

  return {
    port: address.port,
    received,
    wire: () => wire.map((chunks) => Buffer.concat(chunks)),
    connections: () => wire.length,
    setAnswer(next) {
      answer = next;
    },
    setUpgrade(next) {
      server.removeAllListeners('upgrade');
      if (next !== null) server.on('upgrade', next);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A TLS server for these names with an authority of its own, for tests that need only one. */
export async function startHttpsUpstream(
  names: readonly string[],
  options: Readonly<{ answer?: Answer }> = {},
): Promise<UpstreamServer & Readonly<{ authorityPem: string }>> {
  const authority = await makeAuthority();
  const server = await startUpstream(await authority.issue(names), options);
  return { ...server, authorityPem: authority.certPem };
}
