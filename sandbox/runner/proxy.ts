import type { ClientHttp2Session } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import { runnerProtocol } from '../../contract/runnerProtocol.ts';
import { carry, refuse } from './connection.ts';

const BACKLOG = 512;

/** The job's only way out: a listener on loopback. It understands nothing of what it carries. */
export class JobProxy {
  readonly #waiting: Socket[] = [];
  #session: ClientHttp2Session | null = null;
  #carried = 0;

  /** Listens; from now on nobody else can have the port. Rejects when it is taken. */
  static listen(): Promise<JobProxy> {
    const proxy = new JobProxy();
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) =>
      proxy.#accept(socket),
    );
    const { host, port } = runnerProtocol.proxy;
    return new Promise((resolve, reject) => {
      // Later ones are of single connections that could not be accepted: no file was left.
      server.on('error', reject);
      server.listen({ host, port, backlog: BACKLOG }, () => resolve(proxy));
    });
  }

  /** Carries connections over the session from now on; earlier ones were refused. */
  open(session: ClientHttp2Session): void {
    this.#session = session;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#session === null) refuse(socket, '502 Bad Gateway');
    else if (this.#carried < runnerProtocol.maxConnections) this.#carry(this.#session, socket);
    else if (this.#waiting.length < runnerProtocol.maxWaitingConnections) this.#waiting.push(socket);
    else refuse(socket, '503 Service Unavailable');
  }

  #carry(session: ClientHttp2Session, socket: Socket): void {
    this.#carried += 1;
    carry(session, socket, () => {
      this.#carried -= 1;
      const next = this.#waiting.shift();
      if (next) this.#carry(session, next);
    });
  }
}
