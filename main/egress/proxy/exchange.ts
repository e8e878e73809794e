import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DoorRequest, DoorResponse, EgressDoor, HeaderPair } from '../../core/door.ts';
import type { ProxyLimits } from './limits.ts';
import { RequestBody } from './requestBody.ts';

/** One request of the sandbox with the place for its answer. */
export type Exchange = Readonly<{
  request: IncomingMessage;
  response: ServerResponse;
  /** The client waits for `100 Continue` before it sends the body. */
  expectsContinue: boolean;
}>;

/** The headers as they came: in order, repeated ones apart. */
export function headerPairs({ rawHeaders }: IncomingMessage): readonly HeaderPair[] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index): HeaderPair => {
    return [rawHeaders[index * 2] ?? '', rawHeaders[index * 2 + 1] ?? ''];
  });
}

/** RFC 9112, section 6.3: a request has a body when it says how it is framed. The parser has checked both headers. */
export function framingOf({ headers }: IncomingMessage): Readonly<{ hasBody: boolean; length: number | null }> {
  if (headers['transfer-encoding'] !== undefined) return { hasBody: true, length: null };
  const length = Number(headers['content-length'] ?? '0');
  return { hasBody: length > 0, length };
}

/**
 * The URL as the session shall judge it. On the proxy itself it is what the code wrote. In a tunnel its origin is the
 * tunnel's, whatever the request says, and only the form `/path` is left (ATTACKS B31, B34); all else is no URL at all.
 */
export function urlOf({ url = '' }: IncomingMessage, origin: string | null): string {
  if (origin === null) return url;
  return url.startsWith('/') ? `${origin}${url}` : '';
}

/** Resolves when more may be written, or nothing can be any more. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
    if (response.destroyed) done();
  });
}

async function sendAnswer(answer: DoorResponse, { request, response }: Exchange): Promise<void> {
  // What the client still sends of a refused or unread body must not be read as a request.
  const last = answer.refused === true || !request.complete;
  const headers = answer.headers.flat();
  response.writeHead(answer.status, answer.statusText, last ? [...headers, 'connection', 'close'] : headers);
  for await (const chunk of answer.body) {
    if (response.destroyed) return;
    if (chunk.length > 0 && !response.write(chunk)) await drained(response);
  }
}

/**
 * Takes one request through the door and its answer back. Resolves when nothing of it is left; never rejects. An answer
 * that breaks off takes the connection with it, so that the client cannot take it for a whole one.
 */
export async function runExchange(
  exchange: Exchange,
  origin: string | null,
  door: EgressDoor,
  limits: ProxyLimits,
): Promise<void> {
  const { request, response, expectsContinue } = exchange;
  const givenUp = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) givenUp.abort();
  });
  request.on('error', () => {});
  response.on('error', () => {});
  const { hasBody, length } = framingOf(request);
  const body = new RequestBody(request, () => {
    if (expectsContinue && !response.headersSent) response.writeContinue();
  });
  const asked: DoorRequest = {
    method: request.method ?? '',
    url: urlOf(request, origin),
    headers: headerPairs(request),
    body: hasBody ? body : null,
    ...(hasBody && length !== null ? { bodyLength: length } : {}),
    signal: givenUp.signal,
  };
  try {
    await sendAnswer(await door.request(asked), exchange);
    if (!request.readableEnded) await body.discard(limits.lingerBytes, limits.lingerMs);
    if (response.destroyed) return;
    response.end();
    if (!response.writableFinished) await Promise.race([once(response, 'finish'), once(response, 'close')]);
  } catch {
    request.socket.destroy();
  }
}
