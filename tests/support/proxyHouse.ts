import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { EgressDoor, ProxyFrontEnd } from '../../main/core/door.ts';
import { silentLog } from '../../main/core/log.ts';
import { makeProxyFrontEnd, type ProxyFrontEndOptions } from '../../main/egress/proxy/frontEnd.ts';

/**
 * A front end with a loopback proxy before it, as in a sandbox: each TCP connection is a stream of an HTTP/2 session
 * (`tunnel`), or is handed over as it is (`direct`).
 */
export type ProxyHouse = Readonly<{
  frontEnd: ProxyFrontEnd;
  port: number;
  /** A plain connection to the proxy. */
  connect(): Promise<Client>;
  /** A CONNECT that was answered with 200; fails otherwise. */
  tunnel(authority: string): Promise<Client>;
  /** TLS in a tunnel, for `host:port` or a bare host on 443. */
  secure(authority: string, options?: tls.ConnectionOptions): Promise<Client>;
  close(): Promise<void>;
}>;

export type Carriage = 'tunnel' | 'direct';

/** One complete HTTP answer as a client reads it. */
export type HttpAnswer = Readonly<{
  status: number;
  /** Head as text, with the status line. */
  head: string;
  body: string;
  /** The bytes of the body. */
  raw: Buffer;
  /** False when the stream ended before the answer did. */
  whole: boolean;
  /** Error code of one of our refusals. */
  error: string | null;
}>;

/** A client that reads bytes by its own simple rules, so that no library hides what is on the wire. */
export class Client {
  readonly socket: Duplex;
  #buffer = Buffer.alloc(0);
  #ended = false;
  #wake = (): void => {};

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', end).on('close', end);
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return true;
  }

  async #until(found: () => number): Promise<number> {
    for (;;) {
      const end = found();
      if (end >= 0) return end;
      if (!(await this.#more())) return -1;
    }
  }

  #take(end: number): Buffer {
    const taken = this.#buffer.subarray(0, end);
    this.#buffer = this.#buffer.subarray(end);
    return taken;
  }

  /** Reads one answer. `bodiless` for the answer to HEAD or CONNECT; `connect` when a refusal may have a body. */
  async answer(bodiless: boolean | 'connect' = false): Promise<HttpAnswer> {
    const headEnd = await this.#until(() => this.#buffer.indexOf('\r\n\r\n'));
    if (headEnd < 0)
      return { status: 0, head: '', body: this.#buffer.toString(), raw: this.#buffer, whole: false, error: null };
    const head = this.#take(headEnd + 4).toString('latin1');
    const status = Number(head.split(' ')[1]);
    if (
      bodiless === true ||
      (bodiless === 'connect' && status === 200) ||
      status === 204 ||
      status === 304 ||
      status < 200
    ) {
      return { status, head, body: '', raw: Buffer.alloc(0), whole: true, error: null };
    }
    const length = /^content-length: (\d+)\r$/im.exec(head)?.[1];
    const { raw, whole } = length === undefined ? await this.#chunked() : await this.#sized(Number(length));
    const body = raw.toString();
    return { status, head, body, raw, whole, error: /^\{"error":"(\w+)"/.exec(body)?.[1] ?? null };
  }

  async #sized(length: number): Promise<{ raw: Buffer; whole: boolean }> {
    const end = await this.#until(() => (this.#buffer.length >= length ? length : -1));
    return { raw: this.#take(end < 0 ? this.#buffer.length : end), whole: end >= 0 };
  }

  async #chunked(): Promise<{ raw: Buffer; whole: boolean }> {
    const parts: Buffer[] = [];
    for (;;) {
      const line = await this.#until(() => this.#buffer.indexOf('\r\n'));
      if (line < 0) return { raw: Buffer.concat(parts), whole: false };
      const size = Number.parseInt(this.#take(line + 2).toString(), 16);
      const end = await this.#until(() => (this.#buffer.length >= size + 2 ? size : -1));
      if (end < 0) return { raw: Buffer.concat(parts), whole: false };
      parts.push(Buffer.from(this.#take(size)));
      this.#take(2);
      if (size === 0) return { raw: Buffer.concat(parts), whole: true };
    }
  }

  /** Sends a request and reads its answer. `headers` are whole lines besides Host. */
  ask(method: string, target: string, host: string, headers: readonly string[] = [], body = ''): Promise<HttpAnswer> {
    const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...headers];
    this.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    return this.answer(method === 'HEAD');
  }

  /** Reads at least one byte and at most so many; none only when the other side is gone. */
  async bytes(most: number): Promise<Buffer> {
    const end = await this.#until(() => (this.#buffer.length > 0 ? Math.min(most, this.#buffer.length) : -1));
    if (end < 0) throw new Error('the connection ended');
    return this.#take(end);
  }

  /** Resolves with what was not read yet, when the other side is gone. */
  async rest(): Promise<string> {
    await this.#until(() => -1);
    return this.#buffer.toString('latin1');
  }
}

/** Streams of one HTTP/2 session: what the runner opens, and what the host gets. */
async function startSession(serve: (stream: Duplex) => void): Promise<{
  open: () => Duplex;
  close: () => void;
}> {
  const settings = { initialWindowSize: 1 << 20, maxConcurrentStreams: 1_000 };
  const server = http2.createServer({ settings });
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    serve(stream);
  });
  server.on('session', (session) => {
    session.setLocalWindowSize(4 << 20);
    session.on('error', () => {});
  });
  const listener = net.createServer({ noDelay: true }, (socket) => server.emit('connection', socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const session = http2.connect(`http://127.0.0.1:${address.port}`, { settings });
  session.on('error', () => {});
  await once(session, 'connect');
  session.setLocalWindowSize(4 << 20);
  return {
    open: () => session.request({ ':method': 'POST', ':path': '/egress' }, { endStream: false }),
    close: () => {
      session.destroy();
      listener.close();
    },
  };
}

/** Bytes both ways; an end is passed on as an end, a break as a break. */
function join(left: Duplex, right: Duplex): void {
  for (const [from, to] of [
    [left, right],
    [right, left],
  ] as const) {
    from.on('error', () => to.destroy());
    from.pipe(to);
    from.once('close', () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}

export async function startProxyHouse(
  door: EgressDoor | null,
  options: Partial<ProxyFrontEndOptions> & Readonly<{ carriage?: Carriage }> = {},
): Promise<ProxyHouse> {
  const { carriage = 'tunnel', ...given } = options;
  const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
  const frontEnd = await makeProxyFrontEnd({ log: silentLog, clock, ...given });
  if (door !== null) frontEnd.open(door);
  const session = carriage === 'tunnel' ? await startSession((stream) => frontEnd.serve(stream)) : null;
  const sockets = new Set<net.Socket>();
  const listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    if (session === null) frontEnd.serve(socket);
    else join(socket, session.open());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { port } = address;

  const connect = async (): Promise<Client> => {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    sockets.add(socket);
    const client = new Client(socket);
    await once(socket, 'connect');
    return client;
  };
  const tunnel = async (authority: string): Promise<Client> => {
    const client = await connect();
    client.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    const { status, body } = await client.answer(true);
    if (status !== 200) throw new Error(`CONNECT ${authority} was answered with ${status} ${body}`);
    return client;
  };
  return {
    frontEnd,
    port,
    connect,
    tunnel,
    async secure(authority, tlsOptions = {}) {
      const target = /:\d+$/.test(authority) ? authority : `${authority}:443`;
      const { socket } = await tunnel(target);
      socket.removeAllListeners('data');
      const secured = tls.connect({
        socket,
        servername: target.replace(/:\d+$/, ''),
        ca: frontEnd.authorityPem,
        ALPNProtocols: ['http/1.1'],
        ...tlsOptions,
      });
      await once(secured, 'secureConnect');
      return new Client(secured);
    },
    async close() {
      frontEnd.close();
      for (const socket of sockets) socket.destroy();
      session?.close();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}
