import http from 'node:http';
import https from 'node:https';
import { sandboxLimits } from '../../contract/sandboxLimits.ts';
import type { ChildMessage, HostMessage } from '../../contract/sandboxMessages.ts';

type FetchMessage = Extract<ChildMessage, { type: 'fetch' }>;

/** Framing and connection (RFC 9110, section 7.6.1) are of each connection, not of the message that is carried. */
const ofTheConnection: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * One request of the guest on its way out through Node's own agents, which keep to the proxy and the authority of the
 * environment. The answer flows only as far as the guest has room for it.
 */
export class OutgoingRequest {
  readonly #message: FetchMessage;
  readonly #send: (message: HostMessage) => void;
  readonly #onOver: () => void;
  readonly #abort = new AbortController();
  readonly #body: Uint8Array | null;
  #received = 0;
  #credit: number = sandboxLimits.responseWindowBytes;
  #onCredit: (() => void) | null = null;

  constructor(message: FetchMessage, send: (message: HostMessage) => void, onOver: () => void) {
    this.#message = message;
    this.#send = send;
    this.#onOver = onOver;
    this.#body = message.bodyBytes === null ? null : new Uint8Array(message.bodyBytes);
  }

  /** Goes out, at once or when the body is complete. */
  start(): void {
    if (this.#received === (this.#body?.byteLength ?? 0)) void this.#carry();
  }

  addBody(bytes: Uint8Array): void {
    this.#body?.set(bytes, this.#received);
    this.#received += bytes.byteLength;
    this.start();
  }

  addCredit(count: number): void {
    this.#credit += count;
    this.#onCredit?.();
  }

  cancel(): void {
    this.#abort.abort();
    this.#onCredit?.();
  }

  async #carry(): Promise<void> {
    const { id } = this.#message;
    try {
      const response = await this.#answer();
      const { statusCode = 0, statusMessage = '' } = response;
      this.#tell({ type: 'response', id, status: statusCode, statusText: statusMessage, headers: headersOf(response) });
      for await (const piece of response) {
        await this.#deliver(piece);
        if (this.#abort.signal.aborted) return;
      }
      this.#tell({ type: 'end', id });
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#onOver();
    }
  }

  #answer(): Promise<http.IncomingMessage> {
    const { method, url, headers } = this.#message;
    const target = new URL(url);
    const { request } = target.protocol === 'https:' ? https : http;
    const ours = Object.fromEntries(headers.filter(([name]) => !ofTheConnection.has(name.toLowerCase())));
    return new Promise((resolve, reject) => {
      const outgoing = request(target, { method, headers: ours, signal: this.#abort.signal });
      outgoing.once('response', resolve);
      outgoing.on('error', reject);
      outgoing.end(this.#body ?? undefined);
    });
  }

  async #deliver(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      while (this.#credit === 0 && !this.#abort.signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#onCredit = resolve;
        });
      }
      if (this.#abort.signal.aborted) return;
      const end = Math.min(bytes.byteLength, at + Math.min(this.#credit, sandboxLimits.bodyPieceBytes));
      this.#credit -= end - at;
      // A copy: a view would take everything around it along to the other thread.
      this.#tell({ type: 'chunk', id: this.#message.id, bytes: new Uint8Array(bytes.subarray(at, end)) });
      at = end;
    }
  }

  /** A tunnel that the gateway refuses is an answer, as it is in the embedded sandbox; Node keeps only its status. */
  #fail(error: unknown): void {
    const { id, url } = this.#message;
    const status = tunnelStatus(error);
    if (status === null) {
      this.#tell({ type: 'failed', id, message: failureText(error) });
      return;
    }
    const body = new TextEncoder().encode(JSON.stringify({ error: 'tunnel_refused', host: new URL(url).hostname }));
    const headers = [['content-type', 'application/json'] as const];
    this.#tell({ type: 'response', id, status, statusText: http.STATUS_CODES[status] ?? '', headers });
    this.#tell({ type: 'chunk', id, bytes: body });
    this.#tell({ type: 'end', id });
  }

  #tell(message: HostMessage): void {
    if (!this.#abort.signal.aborted) this.#send(message);
  }
}

function headersOf({ rawHeaders }: http.IncomingMessage): readonly (readonly [string, string])[] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index): readonly [string, string] => [
    rawHeaders[2 * index] ?? '',
    rawHeaders[2 * index + 1] ?? '',
  ]).filter(([name]) => name.toLowerCase() === 'content-length' || !ofTheConnection.has(name.toLowerCase()));
}

function tunnelStatus(error: unknown): number | null {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_PROXY_TUNNEL')) return null;
  return 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : null;
}

/** The same words as in the embedded sandbox. */
function failureText(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^\w{1,40}$/.test(code) ? `fetch failed (${code})` : 'fetch failed';
}
