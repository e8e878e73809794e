import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { SecureContext } from 'node:tls';
import type { HeaderPair } from '../core/door.ts';
import { dial } from './dial.ts';
import type { DialTarget } from './resolve.ts';
import { sendBody, type UpstreamBody } from './sendBody.ts';
import type { TlsSessions } from './tlsSessions.ts';
import { UpstreamConnection, type UpstreamConnections } from './upstreamConnections.ts';
import { abortReason, errorCodeOf, UpstreamError } from './upstreamError.ts';
import { type OpenWebSocket, openWebSocket, type WebSocketRequest } from './webSocket.ts';

export type UpstreamRequest = Readonly<{
  secure: boolean;
  /** Canonical host, the name that the certificate must carry. */
  host: string;
  target: DialTarget;
  method: string;
  /** Canonical path and query. */
  path: string;
  /** Lower-case names without framing (`content-length`, `transfer-encoding`, `connection`): that is ours. */
  headers: ReadonlyMap<string, string>;
  body: UpstreamBody;
  /** Bytes of a body in pieces; it then goes out with its length instead of in chunks, and breaks off when it differs. */
  bodyLength?: number;
  signal?: AbortSignal;
  /** Makes the next TLS handshake with the same peer a short one; default: every handshake is a full one. */
  tlsSessions?: TlsSessions;
  /** Connections of the run to take one from and to leave one in; default: one connection for this exchange alone. */
  connections?: UpstreamConnections;
  /** Names of the secrets in the request, sorted. */
  secrets?: readonly string[];
  /** From the call to the last byte of the answer. */
  totalTimeoutMs: number;
  /** Bytes of answer body before `upstream_too_large`. */
  maxResponseBytes?: number;
  /** Called once, when nothing of the exchange is left: null when the body was read or left, else why it broke. */
  onEnd?: (error: UpstreamError | null) => void;
}>;

export type UpstreamResponse = Readonly<{
  status: number;
  /** As sent: names in the upstream's case, repeated names kept apart. */
  headers: readonly HeaderPair[];
  /** One pass. Reading pulls from the upstream; leaving early closes the connection. Throws UpstreamError. */
  body: AsyncIterable<Uint8Array>;
  /** Ends the exchange for whoever does not want the body. */
  close(): void;
}>;

/** TCP and TLS together. */
const connectTimeoutMs = 10_000;
const maxHeaderBytes = 65_536;
const maxInformational = 8;

// RFC 9110, section 9.2.1: asked twice, they do what they do once.
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The one way of this app to an upstream: HTTP/1.1, one exchange at a time on a connection, never a redirect followed. */
export class Upstream {
  readonly #trust: SecureContext;

  constructor(trust: SecureContext) {
    this.#trust = trust;
  }

  /** Sends one request and resolves with the head of its answer. Rejects with UpstreamError only. */
  async exchange(request: UpstreamRequest): Promise<UpstreamResponse> {
    const exchange = new Exchange(request);
    try {
      return await exchange.start(request.secure ? this.#trust : null);
    } catch (error) {
      throw exchange.end(error) ?? allWell;
    }
  }

  /** Opens a WebSocket, always over TLS. Rejects with UpstreamError only. */
  webSocket(request: WebSocketRequest): Promise<OpenWebSocket> {
    return openWebSocket(request, this.#trust);
  }
}

const allWell = new UpstreamError('aborted', 'The exchange is over');
const endedWell = (signal: AbortSignal): boolean => signal.reason === allWell;

/** Owns the connection and the timers of one request; `end` releases all of them, once. */
class Exchange {
  readonly #request: UpstreamRequest;
  readonly #stop = new AbortController();
  readonly #total: NodeJS.Timeout;
  #connection: UpstreamConnection | null = null;
  #isClean: () => boolean = () => false;

  constructor(request: UpstreamRequest) {
    this.#request = request;
    this.#total = this.#deadline(request.totalTimeoutMs, 'The exchange');
    request.signal?.addEventListener('abort', this.#onCallerAbort, { once: true });
    if (request.signal?.aborted === true) this.#onCallerAbort();
  }

  readonly #onCallerAbort = (): void => {
    this.end(new UpstreamError('aborted', 'The request was aborted'));
  };

  #deadline(ms: number, what: string): NodeJS.Timeout {
    const error = new UpstreamError('upstream_timeout', `${what} with ${this.#request.host} took over ${ms} ms`);
    return setTimeout(() => this.end(error), ms);
  }

  /** Releases everything and returns why it ended: the first cause counts, not the noise of closing. Null: all well. */
  end(error: unknown): UpstreamError | null {
    if (this.#stop.signal.aborted) return endedWell(this.#stop.signal) ? null : abortReason(this.#stop.signal);
    const cause =
      error === null || error instanceof UpstreamError
        ? error
        : new UpstreamError('upstream_protocol', `${this.#request.host} broke off (${errorCodeOf(error)})`);
    clearTimeout(this.#total);
    this.#request.signal?.removeEventListener('abort', this.#onCallerAbort);
    this.#stop.abort(cause ?? allWell);
    // A clean one is Node's to hand back: `UpstreamConnections` keeps it, or Node closes it.
    if (cause !== null || !this.#isClean()) this.#connection?.socket.destroy();
    this.#request.onEnd?.(cause);
    return cause;
  }

  async start(trust: SecureContext | null): Promise<UpstreamResponse> {
    const message = (await this.#tryKept()) ?? (await this.#send(await this.#dialled(trust)));
    const status = message.statusCode ?? 0;
    if (status < 200 || status > 599)
      throw new UpstreamError('upstream_protocol', `${this.#request.host} answered with status ${status}`);
    return { status, headers: headerPairs(message), body: this.#read(message), close: () => this.#leave(message) };
  }

  #purpose() {
    const { secure, host, target, secrets = [] } = this.#request;
    return { secure, host, port: target.port, secrets };
  }

  /**
   * The answer over a connection that was kept; null when there is none, or when the upstream had closed it meanwhile, as
   * it may (RFC 9112, section 9.3.1). Only what can be sent again without harm is sent that way.
   */
  async #tryKept(): Promise<IncomingMessage | null> {
    const { connections, method, body, target } = this.#request;
    if (this.#stop.signal.aborted || body !== null || !safeMethods.has(method)) return null;
    const kept = connections?.take(this.#purpose(), target) ?? null;
    if (kept === null) return null;
    try {
      return await this.#send(kept);
    } catch (error) {
      if (this.#stop.signal.aborted || kept.heard) throw error;
      kept.socket.destroy();
      return null;
    }
  }

  async #dialled(trust: SecureContext | null): Promise<UpstreamConnection> {
    const { host, target, tlsSessions, connections } = this.#request;
    const resumed = tlsSessions === undefined ? {} : { sessions: tlsSessions };
    const connecting = this.#deadline(connectTimeoutMs, 'Connecting');
    try {
      const socket = await dial({ host, target, trust, ...resumed, signal: this.#stop.signal });
      if (this.#stop.signal.aborted) socket.destroy();
      return new UpstreamConnection(socket, this.#purpose(), connections?.keep ?? (() => false));
    } finally {
      clearTimeout(connecting);
    }
  }

  #open(connection: UpstreamConnection): ClientRequest {
    const { method, path, headers } = this.#request;
    if (connection.socket.destroyed) throw new UpstreamError('upstream_unreachable', 'The connection closed at once');
    this.#connection = connection;
    return httpRequest({
      agent: connection,
      method,
      path,
      headers: { ...Object.fromEntries(headers), ...framing(this.#request) },
      setHost: false,
      insecureHTTPParser: false,
      maxHeaderSize: maxHeaderBytes,
    });
  }

  #send(connection: UpstreamConnection): Promise<IncomingMessage> {
    const outgoing = this.#open(connection);
    return new Promise((resolve, reject) => {
      let informational = 0;
      let answered = false;
      outgoing.on('error', reject);
      // Also how an upstream ends that switches protocols: with nobody listening for `upgrade`, Node cuts it off.
      outgoing.on('close', () => {
        if (!answered) reject(new UpstreamError('upstream_protocol', 'The connection closed without an answer'));
      });
      outgoing.on('information', () => {
        informational += 1;
        if (informational > maxInformational) reject(new UpstreamError('upstream_protocol', 'Too many 1xx answers'));
      });
      outgoing.on('response', (message) => {
        answered = true;
        message.on('error', () => {});
        this.#isClean = () => message.complete && message.readableEnded && outgoing.writableFinished;
        resolve(message);
      });
      sendBody(outgoing, this.#request, this.#stop.signal).catch((error: UpstreamError) => {
        this.end(error);
        reject(error);
      });
    });
  }

  /** Nobody wants the body. Where there is none, the connection is as good as after reading it. */
  #leave(message: IncomingMessage): void {
    if (this.#request.connections === undefined || !message.complete || message.readableLength > 0) this.end(null);
    else message.once('end', () => this.end(null)).resume();
  }

  async *#read(message: IncomingMessage): AsyncGenerator<Uint8Array> {
    const limit = this.#request.maxResponseBytes ?? Number.POSITIVE_INFINITY;
    const chunks: AsyncIterator<Uint8Array> = message[Symbol.asyncIterator]();
    let received = 0;
    try {
      for (;;) {
        const next = await chunks.next();
        if (next.done === true) break;
        received += next.value.length;
        if (received > limit) {
          throw new UpstreamError('upstream_too_large', `${this.#request.host} sent more than ${limit} bytes`);
        }
        yield next.value;
      }
    } catch (error) {
      throw this.end(error) ?? allWell;
    } finally {
      this.end(null);
    }
  }
}

type Framed = Pick<UpstreamRequest, 'method' | 'body' | 'bodyLength' | 'connections'>;

function framing({ method, body, bodyLength, connections }: Framed): Readonly<Record<string, string>> {
  const common = { connection: connections === undefined ? 'close' : 'keep-alive' };
  if (body === null) return ['POST', 'PUT', 'PATCH'].includes(method) ? { ...common, 'content-length': '0' } : common;
  if (body instanceof Uint8Array) return { ...common, 'content-length': String(body.length) };
  if (bodyLength !== undefined) return { ...common, 'content-length': String(bodyLength) };
  return { ...common, 'transfer-encoding': 'chunked' };
}

function headerPairs(message: IncomingMessage): readonly HeaderPair[] {
  const { rawHeaders } = message;
  return Array.from({ length: rawHeaders.length / 2 }, (_, index): HeaderPair => {
    return [rawHeaders[index * 2] ?? '', rawHeaders[index * 2 + 1] ?? ''];
  });
}
