import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { sameAddress } from './address.ts';
import type { DialTarget } from './resolve.ts';

/** What two requests must have in common to go over one connection. */
export type ConnectionPurpose = Readonly<{
  secure: boolean;
  host: string;
  port: number;
  /** Names of the secrets that go over it, sorted: a connection that carried one serves nobody who does not (ATTACKS B43). */
  secrets: readonly string[];
}>;

const idleMs = 4_000;
const maxIdle = 8;
const maxIdlePerPurpose = 2;

const keyOf = ({ secure, host, port, secrets }: ConnectionPurpose): string =>
  JSON.stringify([secure, host, port, secrets]);

/**
 * One connection to an upstream. It is Node's agent of a single socket, because Node tells only an agent that an exchange
 * left the socket clean: request sent, answer read to its end, and neither side wants to close.
 */
export class UpstreamConnection extends Agent {
  readonly socket: Socket;
  readonly key: string;
  readonly #onClean: (connection: UpstreamConnection) => boolean;
  #idle: NodeJS.Timeout | null = null;
  #heard = false;

  /** `onClean` is asked whether to keep it whenever an exchange left it clean. */
  constructor(socket: Socket, purpose: ConnectionPurpose, onClean: (connection: UpstreamConnection) => boolean) {
    super({ keepAlive: true, maxSockets: 1 });
    this.socket = socket;
    this.key = keyOf(purpose);
    this.#onClean = onClean;
    socket.on('error', () => {}).once('close', () => this.wake());
  }

  /** Whether the upstream sent anything since the connection was taken up again. */
  get heard(): boolean {
    return this.#heard;
  }

  override createConnection(): Socket {
    return this.socket;
  }

  override keepSocketAlive(): boolean {
    return this.#onClean(this);
  }

  /** Nobody speaks now: whatever the upstream says, nobody asked for, and it ends the connection. So does `idleMs`. */
  rest(): void {
    this.#idle = setTimeout(() => this.socket.destroy(), idleMs);
    this.socket.off('data', this.#onData).on('data', this.#onData);
  }

  wake(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    this.#heard = false;
  }

  readonly #onData = (): void => {
    if (this.#idle === null) this.#heard = true;
    else this.socket.destroy();
  };
}

/** Connections of one run that wait for its next request. Never shared between runs (ATTACKS B43). */
export class UpstreamConnections {
  readonly #idle = new Set<UpstreamConnection>();
  #closed = false;

  /** The one that rested the shortest of those for this purpose that lead to a checked address; it is the caller's. */
  take(purpose: ConnectionPurpose, { addresses }: DialTarget): UpstreamConnection | null {
    const key = keyOf(purpose);
    const found = [...this.#idle].findLast(
      (one) =>
        one.key === key &&
        one.socket.writable &&
        addresses.some((address) => sameAddress(one.socket.remoteAddress ?? '', address)),
    );
    if (found === undefined) return null;
    this.#idle.delete(found);
    found.wake();
    return found;
  }

  /** Keeps a connection that an exchange left clean; false when it must be closed. The oldest makes room. */
  readonly keep = (connection: UpstreamConnection): boolean => {
    if (this.#closed || connection.socket.destroyed) return false;
    for (const one of this.#idle) if (one.socket.destroyed) this.#idle.delete(one);
    const same = [...this.#idle].filter(({ key }) => key === connection.key);
    if (same.length >= maxIdlePerPurpose) same[0]?.socket.destroy();
    else if (this.#idle.size >= maxIdle) [...this.#idle][0]?.socket.destroy();
    this.#idle.add(connection);
    connection.rest();
    return true;
  };

  /** Closes those that wait, and keeps none any more. */
  close(): void {
    this.#closed = true;
    for (const { socket } of this.#idle) socket.destroy();
  }
}
