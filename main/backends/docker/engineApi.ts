import http from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { EngineEndpoint } from './endpoint.ts';

/** One call of the Docker Engine API. `path` begins with `/` and has no version. */
export type EngineCall = Readonly<{
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, as a tar archive. */
  archive?: Readable;
  /** Until the head of the answer, and for `json` and `send` until its end, ms. Default 30 000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}>;

/** The engine said no (`status` 400 and up) or cannot be reached (`status` 0); `message` is for the owner. */
export class EngineError extends Error {
  readonly code = 'engine';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'EngineError';
    this.status = status;
  }
}

/** The newest version of the API that this code was written against; an older engine is spoken to in its own. */
const knownApi = '1.47';
const defaultTimeoutMs = 30_000;
const maxAnswerBytes = 32 * 1024 * 1024;
const maxLineBytes = 1024 * 1024;

const engineMessage = z.looseObject({ message: z.string() });

/**
 * The Docker Engine API over its socket: calls, streams of JSON lines, and the raw stream of an attach. Every answer is
 * parsed by the caller's schema. Methods throw EngineError.
 */
export class EngineApi {
  readonly #target: http.RequestOptions;
  readonly #agent = new http.Agent({ keepAlive: true, maxFreeSockets: 4 });
  #version: Promise<string> | null = null;

  constructor(endpoint: Exclude<EngineEndpoint, { kind: 'unsupported' }>) {
    this.#target =
      endpoint.kind === 'local' ? { socketPath: endpoint.socketPath } : { host: endpoint.host, port: endpoint.port };
  }

  async json<Schema extends z.ZodType>(call: EngineCall, schema: Schema): Promise<z.infer<Schema>> {
    const text = await this.#whole(call);
    const parsed = schema.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new EngineError(0, `The container engine answered ${call.path} in a way that is not understood`);
  }

  /** For calls whose answer says nothing. */
  async send(call: EngineCall): Promise<void> {
    await this.#whole(call);
  }

  /** The JSON lines of an answer as they come (builds, pulls, loads). Lines that are no JSON are left out. */
  async *lines(call: EngineCall): AsyncGenerator<unknown> {
    const response = await this.#answer(call);
    response.setEncoding('utf8');
    let rest = '';
    try {
      for await (const piece of response) {
        const lines = `${rest}${String(piece)}`.split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > maxLineBytes) throw new Error('it sent a line without an end');
        for (const line of lines) {
          const value = parseJson(line);
          if (value !== undefined) yield value;
        }
      }
    } catch (error) {
      throw unreachable(error instanceof Error ? error : new Error('unknown'));
    }
    const last = parseJson(rest);
    if (last !== undefined) yield last;
  }

  /** The bytes of an answer (an exported archive). */
  bytes(call: EngineCall): Promise<Readable> {
    return this.#answer(call);
  }

  /** Turns the connection of a call into a raw stream of both ways (attach); the caller ends it. */
  async hijack(call: EngineCall): Promise<Duplex> {
    const options = await this.#options(call);
    return new Promise((resolve, reject) => {
      const request = http.request({
        ...options,
        // A connection of its own: it never goes back to the pool.
        agent: false,
        headers: { ...options.headers, connection: 'Upgrade', upgrade: 'tcp', 'content-length': '0' },
      });
      request.once('upgrade', (_response, socket, head) => {
        if (head.length > 0) socket.unshift(head);
        socket.setTimeout(0);
        resolve(socket);
      });
      request.once('response', (response) => {
        readAll(response).then(
          (text) => reject(refusal(response.statusCode ?? 0, text)),
          (error: Error) => reject(unreachable(error)),
        );
      });
      request.once('timeout', () => request.destroy(new Error('no answer in time')));
      request.once('error', (error) => reject(unreachable(error)));
      request.end();
    });
  }

  /** Ends idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  /** Forgets the negotiated version, after the engine was away: another one may answer now. */
  forget(): void {
    this.#version = null;
  }

  /** All of an answer. An engine that stalls in the middle of it is as silent as one that does not begin. */
  async #whole(call: EngineCall): Promise<string> {
    const limitMs = call.timeoutMs ?? defaultTimeoutMs;
    const startedMs = performance.now();
    const response = await this.#answer(call);
    return readAll(response, Math.max(0, limitMs - (performance.now() - startedMs)));
  }

  async #answer(call: EngineCall): Promise<http.IncomingMessage> {
    const response = await this.#exchange(await this.#options(call), call);
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    throw refusal(status, await readAll(response, call.timeoutMs));
  }

  async #options(call: EngineCall): Promise<http.RequestOptions> {
    this.#version ??= this.#negotiate();
    const version = await this.#version.catch((error: unknown) => {
      this.#version = null;
      throw error;
    });
    const query = new URLSearchParams(call.query ?? {}).toString();
    return {
      ...this.#target,
      agent: this.#agent,
      method: call.method,
      path: `/v${version}${call.path}${query === '' ? '' : `?${query}`}`,
      headers: { host: 'docker' },
      timeout: call.timeoutMs ?? defaultTimeoutMs,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
  }

  async #negotiate(): Promise<string> {
    const options = { ...this.#target, agent: this.#agent, method: 'GET', path: '/_ping', timeout: defaultTimeoutMs };
    const response = await this.#exchange({ ...options, headers: { host: 'docker' } }, null);
    await readAll(response);
    const theirs = String(response.headers['api-version'] ?? '');
    if (!/^[0-9]+\.[0-9]+$/.test(theirs)) throw new EngineError(0, 'What answers there is not a container engine');
    return isOlder(theirs, knownApi) ? theirs : knownApi;
  }

  #exchange(options: http.RequestOptions, call: EngineCall | null): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      const body = call?.json === undefined ? null : JSON.stringify(call.json);
      const type = call?.archive === undefined ? 'application/json' : 'application/x-tar';
      const hasBody = body !== null || call?.archive !== undefined;
      const request = http.request({
        ...options,
        headers: {
          ...options.headers,
          ...(hasBody ? { 'content-type': type } : {}),
          ...(body === null ? {} : { 'content-length': Buffer.byteLength(body) }),
        },
      });
      request.once('response', (response) => {
        // From here on the stream is as long as it is; its reader decides.
        request.setTimeout(0);
        resolve(response);
      });
      request.once('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', (error) => reject(unreachable(error)));
      if (call?.archive === undefined) {
        request.end(body ?? undefined);
        return;
      }
      // The engine may answer and hang up before it has read everything.
      pipeline(call.archive, request).catch((error: Error) => reject(unreachable(error)));
    });
  }
}

function isOlder(left: string, right: string): boolean {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor < rightMajor || (leftMajor === rightMajor && leftMinor < rightMinor);
}

/** `limitMs`: how long the rest of the answer may take. */
async function readAll(response: http.IncomingMessage, limitMs = defaultTimeoutMs): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  const limit = setTimeout(() => response.destroy(new Error('no answer in time')), limitMs);
  try {
    for await (const piece of response) {
      const bytes = Buffer.from(piece);
      size += bytes.length;
      if (size > maxAnswerBytes) throw new Error('its answer is too long');
      pieces.push(bytes);
    }
  } catch (error) {
    throw unreachable(error instanceof Error ? error : new Error('unknown'));
  } finally {
    clearTimeout(limit);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return text.trim() === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(status: number, text: string): EngineError {
  const parsed = engineMessage.safeParse(parseJson(text));
  return new EngineError(status, parsed.success ? parsed.data.message : `The container engine answered ${status}`);
}

function unreachable(error: Error): EngineError {
  if (error instanceof EngineError) return error;
  const code = 'code' in error ? String(error.code) : '';
  const why: Readonly<Record<string, string>> = {
    ENOENT: 'no container engine is running',
    ECONNREFUSED: 'no container engine is running',
    EACCES: 'this user may not use the container engine (on Linux: add the user to the group docker)',
  };
  return new EngineError(0, `The container engine does not answer: ${why[code] ?? error.message}`);
}
