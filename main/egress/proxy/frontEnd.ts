import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import type { EarlyRefusal, EgressDoor, ProxyFrontEnd } from '../../core/door.ts';
import type { Log } from '../../core/log.ts';
import type { RunAuthority } from './authority.ts';
import { bytesOnly } from './bytesOnly.ts';
import { Connection } from './connection.ts';
import { type Exchange, headerPairs, runExchange } from './exchange.ts';
import { type ProxyLimits, proxyLimits } from './limits.ts';
import { Line } from './line.ts';
import {
  headTooLarge,
  noHost,
  notHttp,
  notItsTurn,
  notTls,
  oldVersion,
  packedForTheWay,
  tooManyConnections,
  tooSlow,
} from './ownRefusal.ts';
import { refusalBytes } from './plainAnswer.ts';
import { isTlsRefusal, listenFirst, secure } from './tunnel.ts';
import { runUpgrade, type Upgrade } from './upgrade.ts';

export type ProxyFrontEndOptions = Readonly<{
  log: Log;
  clock: Clock;
  /** Default: `proxyLimits`. */
  limits?: Partial<ProxyLimits>;
}>;

const maxHeaders = 256;

const established = 'HTTP/1.1 200 Connection established\r\n\r\n';

type Target = Readonly<{ host: string; port: number }>;

const cutTunnel = (code: EarlyRefusal['code'], { host, port }: Target): EarlyRefusal => ({
  code,
  status: 0,
  method: 'CONNECT',
  url: `https://${host}:${port}`,
});

/** A sandbox may stand ready for days; its authority is never older than this when the run begins. */
const renewAfterMs = 6 * 3_600_000;

/**
 * Makes the front end of one sandbox, with keys of its own, before it is known what will run in it. The caller closes
 * it. Costs a few milliseconds once the certificate library is loaded, which is why the first call loads it.
 */
export async function makeProxyFrontEnd({ log, clock, limits }: ProxyFrontEndOptions): Promise<ProxyFrontEnd> {
  const { RunAuthority } = await import('./authority.ts');
  return new ContainerFrontEnd(await RunAuthority.create(clock), { ...proxyLimits, ...limits }, log);
}

/**
 * Node's HTTP server without a port, given streams: connections of the sandbox, what is in their tunnels, and TLS upon
 * those. It only translates; every decision is the door's.
 */
class ContainerFrontEnd implements ProxyFrontEnd {
  readonly #authority: RunAuthority;
  readonly #limits: ProxyLimits;
  readonly #log: Log;
  readonly #server: Server;
  readonly #renewal: NodeJS.Timeout;
  readonly #connections = new Set<Connection>();
  /** By the stream that the HTTP server reads. */
  readonly #lines = new WeakMap<Duplex, Line>();
  #door: EgressDoor | null = null;
  #closed = false;
  #toldAboutFlood = false;

  constructor(authority: RunAuthority, limits: ProxyLimits, log: Log) {
    this.#authority = authority;
    this.#limits = limits;
    this.#log = log;
    this.#server = this.#makeServer();
    this.#renewal = setInterval(() => void this.#renew(), renewAfterMs);
    this.#renewal.unref();
  }

  get authorityPem(): string {
    return this.#authority.pem;
  }

  open(door: EgressDoor): void {
    clearInterval(this.#renewal);
    this.#door = door;
  }

  serve(stream: Duplex): void {
    const connection = new Connection(stream, () => this.#connections.delete(connection));
    const door = this.#closed ? null : this.#door;
    if (door === null) {
      connection.cut();
      return;
    }
    bytesOnly(stream);
    connection.wait(this.#limits.firstHeadMs);
    const line = this.#lineOn(stream, connection, null, door);
    this.#connections.add(connection);
    if (this.#connections.size <= this.#limits.maxConnections) this.#server.emit('connection', stream);
    else this.#turnAway(line);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#renewal);
    for (const connection of [...this.#connections]) connection.cut();
  }

  async #renew(): Promise<void> {
    try {
      await this.#authority.renew();
    } catch {
      this.#log.error({}, 'The certificate of a waiting sandbox could not be renewed');
    }
  }

  /** Even a connection too many gets an answer: a client that gets none tries again for ever (undici 7.29). */
  #turnAway(line: Line): void {
    if (!this.#toldAboutFlood) this.#log.warn({}, 'Code opened more connections than it may');
    this.#toldAboutFlood = true;
    line.refuse(tooManyConnections);
  }

  #makeServer(): Server {
    const server = createServer({
      insecureHTTPParser: false,
      maxHeaderSize: this.#limits.maxHeadBytes,
      keepAliveTimeout: 0,
      // Node's own refusal of a request without Host closes the connection only after taking what else came with it.
      requireHostHeader: false,
    });
    // More than the session lets pass, so whatever Node leaves out beyond belongs to a request that is refused; and few
    // enough that heads which wait hold little memory.
    server.maxHeadersCount = maxHeaders;
    const take = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
      this.#take({ request, response, expectsContinue });
    };
    server.on('request', take(false)).on('checkContinue', take(true)).on('checkExpectation', take(false));
    server.on('connect', (request, stream, head) => this.#connect(request, stream, head));
    server.on('upgrade', (request, stream, head) => this.#upgrade({ request, stream, head }));
    server.on('clientError', (error, stream) => this.#broken(error, stream));
    return server;
  }

  /** What came is no request, or nothing comes any more. */
  #broken(error: Error, stream: Duplex): void {
    const line = this.#lines.get(stream);
    const code = 'code' in error ? String(error.code) : '';
    if (line === undefined) stream.destroy();
    else if (line.isOver) return;
    else if (isTlsRefusal(error, stream)) line.cut(notTls);
    else if (code === 'HPE_HEADER_OVERFLOW') line.refuse(headTooLarge);
    else if (!code.startsWith('HPE_')) stream.destroy();
    else if (code !== 'HPE_INVALID_EOF_STATE') line.refuse(notHttp);
    else if (line.connection.isLate) line.cut(tooSlow);
    // A request that is under way was given up, which the session writes down; or the run is over.
    else if (line.busy || !stream.writable) stream.destroy();
    else line.refuse(notHttp);
  }

  #lineOn(stream: Duplex, connection: Connection, origin: string | null, door: EgressDoor): Line {
    const limits = this.#limits;
    const run = (exchange: Exchange): Promise<void> => runExchange(exchange, origin, door, limits);
    const line = new Line({
      connection,
      stream,
      origin,
      limits,
      run,
      onRefused: (refusal) => door.refusedEarly(refusal),
    });
    this.#lines.set(stream, line);
    return line;
  }

  #take(exchange: Exchange): void {
    const { request } = exchange;
    const { httpVersion, headers, socket } = request;
    const line = this.#lines.get(socket);
    // An answer to an older client ends with its connection, so one that broke off would look whole.
    if (httpVersion !== '1.1') line?.refuse(oldVersion, request);
    // RFC 9112, section 3.2.
    else if (headers.host === undefined) line?.refuse(noHost, request);
    // RFC 9112, section 6.1: the parser takes the chunks off and leaves what else was done to the body.
    else if ((headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked')
      line?.refuse(packedForTheWay, request);
    else line?.take(exchange);
  }

  #upgrade(upgrade: Upgrade): void {
    const line = this.#lines.get(upgrade.stream);
    const door = this.#door;
    if (line === undefined || door === null) upgrade.stream.destroy();
    else if (line.busy) line.cut(notItsTurn, upgrade.request);
    else if (line.isOver) upgrade.stream.resume();
    else if (upgrade.request.httpVersion !== '1.1') line.refuse(oldVersion, upgrade.request);
    else void runUpgrade(upgrade, line, door);
  }

  #connect(request: IncomingMessage, stream: Duplex, head: Uint8Array): void {
    const line = this.#lines.get(stream);
    const door = this.#door;
    if (line === undefined || door === null) stream.destroy();
    else if (line.busy) line.cut(notItsTurn, request);
    else if (line.isOver) stream.resume();
    else if (line.origin !== null) void this.#refuseInner(request, line, line.origin, door);
    else void this.#openTunnel(request.url ?? '', head, line, door);
  }

  /** A tunnel in a tunnel: the session says no and writes it down (ATTACKS B34). */
  async #refuseInner(request: IncomingMessage, line: Line, origin: string, door: EgressDoor): Promise<void> {
    const headers = headerPairs(request);
    line.end(await refusalBytes(await door.request({ method: 'CONNECT', url: `${origin}/`, headers, body: null })));
  }

  async #openTunnel(authority: string, head: Uint8Array, line: Line, door: EgressDoor): Promise<void> {
    const { connection } = line;
    const { stream } = connection;
    const verdict = door.tunnel(authority);
    if (!verdict.ok) {
      line.end(await refusalBytes(verdict.refusal));
      return;
    }
    connection.wait(this.#limits.firstHeadMs);
    if (head.length > 0) stream.unshift(head);
    stream.write(established);
    const { host, port } = verdict;
    const speech = await listenFirst(stream);
    if (speech === 'http') this.#serveTunnel(stream, connection, `http://${host}:${port}`, door);
    else if (speech === 'tls') await this.#serveSecured(stream, connection, verdict, door);
    else {
      if (speech === 'other') door.refusedEarly(cutTunnel('tunnel_protocol', verdict));
      connection.cut();
    }
  }

  async #serveSecured(stream: Duplex, connection: Connection, { host, port }: Target, door: EgressDoor): Promise<void> {
    try {
      const context = await this.#authority.contextFor(host);
      if (!stream.destroyed)
        this.#serveTunnel(secure(stream, host, context), connection, `https://${host}:${port}`, door);
    } catch (error) {
      this.#log.error({ error: error instanceof Error ? error.name : typeof error }, 'A tunnel could not be secured');
      door.refusedEarly(cutTunnel('internal', { host, port }));
      connection.cut();
    }
  }

  #serveTunnel(stream: Duplex, connection: Connection, origin: string, door: EgressDoor): void {
    this.#lineOn(stream, connection, origin, door);
    this.#server.emit('connection', stream);
  }
}
