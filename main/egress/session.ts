import { STATUS_CODES } from 'node:http';
import type { Clock } from '../core/clock.ts';
import type { DoorRequest, DoorResponse, EarlyRefusal, TunnelVerdict, WebSocketVerdict } from '../core/door.ts';
import type { EgressSpec, ExchangeRecord, RunEgress } from '../core/egressSpec.ts';
import { matchesAny } from '../core/host.ts';
import type { Log } from '../core/log.ts';
import type { LocalServices } from '../net/localServices.ts';
import { ResolveError, type Resolver, resolveTarget } from '../net/resolve.ts';
import { TlsSessions } from '../net/tlsSessions.ts';
import type { Upstream, UpstreamResponse } from '../net/upstream.ts';
import { UpstreamConnections } from '../net/upstreamConnections.ts';
import { UpstreamError } from '../net/upstreamError.ts';
import type { CanonicalUrl } from '../net/url.ts';
import { type AnswerEncoding, answerBody, encodingOf } from './answerBody.ts';
import { answerHeaders } from './answerHeaders.ts';
import { type FilledBody, fillBody } from './bodySubstitution.ts';
import { ExchangeLog } from './exchangeLog.ts';
import { type Judged, judge, type Policy, readTarget, readTunnel, readUrl } from './judge.ts';
import { Meter } from './meter.ts';
import { PlaceholderSet } from './placeholderSet.ts';
import { EgressStreamError, Refusal, refusalResponse, refusalStatus } from './refusal.ts';
import { Slots } from './slots.ts';
import { Misplaced } from './substitution.ts';
import { type JudgedWebSocket, judgeWebSocket } from './webSocketHandshake.ts';
import { answerToWebSocket, relay } from './webSocketRelay.ts';

/** What a session uses of the house. `localServices` is the owner's list as it was when the session opened. */
export type SessionContext = Readonly<{
  upstream: Upstream;
  localServices: LocalServices;
  resolver?: Resolver;
  ownAddresses?: () => readonly string[];
  ownPorts?: () => readonly number[];
  log: Log;
  clock: Clock;
}>;

/** One exchange that is not recorded yet. */
type Open = Readonly<{ log: ExchangeLog; finish: () => void }>;

const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Why something failed, as one of our codes. */
function refusalFrom(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof ResolveError) return new Refusal(error.code, error.message);
  if (!(error instanceof UpstreamError)) return new Refusal('internal');
  if (error.code === 'upstream_too_large') return new Refusal('download_limit');
  return new Refusal(error.code, error.message);
}

/**
 * The way out of one run. Every request is judged by itself; a refusal is an ordinary answer and `request` never
 * rejects. Reading the body of an answer may throw EgressStreamError.
 */
export class EgressSession implements RunEgress {
  readonly #spec: EgressSpec;
  readonly #context: SessionContext;
  readonly #policy: Policy;
  readonly #slots: Slots;
  readonly #meter: Meter;
  readonly #closing = new AbortController();
  readonly #tlsSessions = new TlsSessions();
  readonly #connections = new UpstreamConnections();
  readonly #open = new Set<Open>();
  readonly #records: ExchangeRecord[] = [];
  #requests = 0;

  constructor(spec: EgressSpec, context: SessionContext) {
    this.#spec = spec;
    this.#context = context;
    this.#policy = {
      rules: structuredClone(spec.rules),
      placeholders: new PlaceholderSet(structuredClone(spec.secrets)),
      localServices: context.localServices,
      boundHosts: structuredClone(spec.boundHosts),
    };
    this.#slots = new Slots(spec.limits.maxConcurrent);
    this.#meter = new Meter(spec.limits, this.#policy.placeholders);
  }

  /** Finished and refused exchanges so far, in the order in which they ended. */
  get records(): readonly ExchangeRecord[] {
    return this.#records;
  }

  /** Ends the session: open exchanges are cut and recorded, and placeholders mean nothing any more. */
  close(): void {
    this.#closing.abort();
    this.#tlsSessions.close();
    this.#connections.close();
    for (const { log, finish } of [...this.#open]) {
      log.refuse('session_closed');
      finish();
    }
  }

  request(request: DoorRequest): Promise<DoorResponse> {
    return this.#admit(
      request.method,
      (open) => this.#forward(request, this.#judge(judge, request, open.log), open),
      (answer) => answer,
    );
  }

  webSocket(request: DoorRequest): Promise<WebSocketVerdict> {
    return this.#admit(
      request.method,
      (open) => this.#openWebSocket(request, this.#judge(judgeWebSocket, request, open.log), open),
      (answer) => ({ ok: false, answer }),
    );
  }

  /** Counts and tracks one exchange; whatever stops it becomes a refusal. */
  async #admit<Answer>(
    method: string,
    carry: (open: Open) => Promise<Answer>,
    refuse: (answer: DoorResponse) => Answer,
  ): Promise<Answer> {
    this.#requests += 1;
    const { maxRequests } = this.#spec.limits;
    // Only the first one too many is recorded, or refusals would fill the disk.
    if (this.#requests > maxRequests + 1) return refuse(refusalResponse(new Refusal('request_limit'), ''));
    const open = this.#track(method);
    try {
      if (this.#closing.signal.aborted) throw new Refusal('session_closed');
      if (this.#requests > maxRequests) throw new Refusal('request_limit');
      return await carry(open);
    } catch (error) {
      const refusal = this.#explain(error, open.log);
      open.finish();
      return refuse(refusalResponse(refusal, open.log.host));
    }
  }

  tunnel(authority: string): TunnelVerdict {
    const log = new ExchangeLog('CONNECT', this.#context.clock);
    try {
      const target = readTunnel(authority);
      log.setTarget(target, this.#policy.placeholders, this.#spec.redactor);
      if (this.#closing.signal.aborted) throw new Refusal('session_closed');
      if (!matchesAny(this.#policy.rules, target.host, target.port)) throw new Refusal('host_not_allowed');
      return { ok: true, host: target.host, port: target.port };
    } catch (error) {
      return { ok: false, refusal: this.#refuseTunnel(error, log) };
    }
  }

  /** Counted and recorded like a refused request: whoever asks in a loop shall not fill the disk either. */
  #refuseTunnel(error: unknown, log: ExchangeLog): DoorResponse {
    this.#requests += 1;
    const { maxRequests } = this.#spec.limits;
    if (this.#requests > maxRequests + 1) return refusalResponse(new Refusal('request_limit'), '');
    const refusal = this.#explain(this.#requests > maxRequests ? new Refusal('request_limit') : error, log);
    this.#records.push(log.finish());
    return refusalResponse(refusal, log.host);
  }

  refusedEarly({ code, status, method, url }: EarlyRefusal): void {
    this.#requests += 1;
    const { maxRequests } = this.#spec.limits;
    if (this.#requests > maxRequests + 1) return;
    const log = new ExchangeLog(method, this.#context.clock);
    const target = readTarget(url);
    if (target !== null) log.setTarget(target, this.#policy.placeholders, this.#spec.redactor);
    this.#records.push({ ...log.finish(), status, refused: this.#requests > maxRequests ? 'request_limit' : code });
  }

  #track(method: string): Open {
    const log = new ExchangeLog(method, this.#context.clock);
    const finish = (): void => {
      if (!this.#open.delete(open)) return;
      this.#records.push(log.finish());
    };
    const open: Open = { log, finish };
    this.#open.add(open);
    return open;
  }

  #judge<Verdict extends Readonly<{ foreign: boolean }>>(
    judgeBy: (request: DoorRequest, url: CanonicalUrl, policy: Policy) => Verdict,
    request: DoorRequest,
    log: ExchangeLog,
  ): Verdict {
    const url = readUrl(request.url);
    log.setTarget(url, this.#policy.placeholders, this.#spec.redactor);
    try {
      const judged = judgeBy(request, url, this.#policy);
      if (judged.foreign) {
        const fields = { runId: this.#spec.runId, host: log.host };
        this.#context.log.warn(fields, 'Code sent a placeholder that is not of its run');
      }
      return judged;
    } catch (error) {
      if (error instanceof Misplaced) this.#trip(error, request.method, url.port, log);
      throw error;
    }
  }

  #trip({ secrets, where, header }: Misplaced, method: string, port: number, log: ExchangeLog): void {
    // Whoever is told stops the run; until then, and whatever happens there, nothing more gets out.
    this.#closing.abort();
    const named = secrets.map(({ secretId, name }) => ({ secretId, name }));
    this.#spec.onTripwire({ secrets: named, method, host: log.host, port, where, header });
  }

  #explain(error: unknown, log: ExchangeLog): Refusal {
    const cut = error instanceof UpstreamError && this.#closing.signal.aborted;
    const caused = cut ? new Refusal('session_closed') : refusalFrom(error);
    // A cause that was noted on the way (the session closed, the upload grew too large) is the real one.
    const refusal = log.refused === null ? caused : new Refusal(log.refused);
    if (refusal.code === 'internal') {
      const name = error instanceof Error ? error.name : typeof error;
      this.#context.log.error({ runId: this.#spec.runId, host: log.host, error: name }, 'The egress gateway failed');
    }
    log.refuse(refusal.code);
    log.status = refusalStatus(refusal.code);
    return refusal;
  }

  /** Ends with the run or with the signal of the request, whichever comes first. */
  #signalOf({ signal }: DoorRequest): AbortSignal {
    return AbortSignal.any([this.#closing.signal, ...(signal === undefined ? [] : [signal])]);
  }

  async #forward(request: DoorRequest, { url, headers, target, used }: Judged, open: Open): Promise<DoorResponse> {
    const { limits } = this.#spec;
    const { log } = open;
    const signal = this.#signalOf(request);
    const release = await this.#slots.take(limits.requestTimeoutMs, signal);
    let response: UpstreamResponse | null = null;
    try {
      const address = await resolveTarget(url.host, url.port, this.#context);
      const filled = await this.#fill(request, { url, headers }, signal);
      const body = filled === null ? this.#meter.outgoing(request.body, log) : this.#meter.filled(filled, log);
      log.secrets = filled === null ? used : [...new Set([...used, ...filled.used])].sort();
      response = await this.#context.upstream.exchange({
        secure: url.secure,
        host: url.host,
        target: address,
        method: request.method,
        path: target,
        headers,
        body,
        ...(request.bodyLength === undefined ? {} : { bodyLength: request.bodyLength }),
        signal,
        tlsSessions: this.#tlsSessions,
        connections: this.#connections,
        secrets: log.secrets,
        totalTimeoutMs: limits.requestTimeoutMs,
        maxResponseBytes: limits.maxBytesIn,
        onEnd: (error) => {
          release();
          this.#ended(error, open);
        },
      });
      return this.#answer(request.method, response, open);
    } catch (error) {
      release();
      response?.close();
      throw error;
    }
  }

  async #openWebSocket(
    request: DoorRequest,
    { url, headers, target, key }: JudgedWebSocket,
    { log, finish }: Open,
  ): Promise<WebSocketVerdict> {
    const signal = this.#signalOf(request);
    const release = await this.#slots.take(this.#spec.limits.requestTimeoutMs, signal);
    try {
      const address = await resolveTarget(url.host, url.port, this.#context);
      const asked = { host: url.host, target: address, path: target, headers, signal };
      const { socket, protocol } = await this.#context.upstream.webSocket(asked);
      log.status = 101;
      const cut = (): void => void socket.destroy();
      signal.addEventListener('abort', cut, { once: true });
      socket.once('close', () => {
        signal.removeEventListener('abort', cut);
        release();
        finish();
      });
      if (signal.aborted) cut();
      const counts = this.#meter.relayed(log);
      return { ok: true, headers: answerToWebSocket(key, protocol), relay: (code) => relay(code, socket, counts) };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The body with the secrets in it, read whole; null when none may stand in a body like this towards this host. */
  #fill(
    request: DoorRequest,
    judged: Pick<Judged, 'url' | 'headers'>,
    signal: AbortSignal,
  ): Promise<FilledBody | null> {
    const { placeholders, localServices } = this.#policy;
    const context = { ...judged, placeholders, local: localServices.has(judged.url.host) };
    return fillBody(request, context, { signal, timeoutMs: this.#spec.limits.requestTimeoutMs });
  }

  /** The connection is gone. Without an answer yet, or when all went well, somebody else finishes the record. */
  #ended(error: UpstreamError | null, { log, finish }: Open): void {
    if (log.status === 0 || error === null) return;
    log.refuse(this.#closing.signal.aborted ? 'session_closed' : refusalFrom(error).code);
    finish();
  }

  #answer(method: string, response: UpstreamResponse, open: Open): DoorResponse {
    const { status } = response;
    const { log, finish } = open;
    const empty = method === 'HEAD' || bodiless.has(status);
    const encoding = empty ? 'identity' : encodingOf(response.headers);
    // How long an answer is that could hold a secret would tell how long the secret is (ATTACKS E103).
    const keepLength = method === 'HEAD' && log.secrets.length === 0;
    const headers = answerHeaders(response.headers, this.#spec.redactor, keepLength);
    const head = { status, statusText: STATUS_CODES[status] ?? '', headers };
    log.status = status;
    if (!empty) return { ...head, body: this.#incomingBody(response, encoding, open) };
    response.close();
    finish();
    return { ...head, body: nothing() };
  }

  async *#incomingBody(response: UpstreamResponse, encoding: AnswerEncoding, open: Open): AsyncGenerator<Uint8Array> {
    const { log, finish } = open;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of response.body) {
        log.bytesIn += chunk.length;
        yield chunk;
      }
    }
    try {
      yield* answerBody(counted(), encoding, this.#spec.redactor, (bytes) => this.#meter.received(bytes));
    } catch (error) {
      const refusal = refusalFrom(error);
      // What is left is the unpacker: the bytes are not what Content-Encoding says.
      log.refuse(refusal.code === 'internal' ? 'upstream_protocol' : refusal.code);
      throw new EgressStreamError(log.refused ?? refusal.code);
    } finally {
      response.close();
      finish();
    }
  }
}
