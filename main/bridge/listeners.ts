import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../core/log.ts';

/** Somebody else listens on our port: agents would hand their tokens to a stranger, so we do not start. */
export class PortInUseError extends Error {
  readonly code = 'port_in_use';
  readonly address: string;
  readonly port: number;

  constructor(address: string, port: number) {
    super(`Port ${port} on ${address} is taken by another program; stop it, or set PORT to another number`);
    this.name = 'PortInUseError';
    this.address = address;
    this.port = port;
  }
}

/** The address or port cannot be used at all. */
export class BindError extends Error {
  readonly code = 'cannot_listen';

  constructor(address: string, port: number, reason: string) {
    super(`Cannot listen on ${address} port ${port}: ${reason}`);
    this.name = 'BindError';
  }
}

const firstRetryMs = 1_000;
const maxRetryMs = 30_000;

/** One server for each address. An address that this machine does not have yet (VPN, docker0) is tried again. */
export class Listeners {
  readonly #makeServer: () => Server;
  readonly #log: Log;
  readonly #servers: Server[] = [];
  readonly #retries = new Set<NodeJS.Timeout>();
  #port: number;
  #closed = false;

  constructor(makeServer: () => Server, port: number, log: Log) {
    this.#makeServer = makeServer;
    this.#port = port;
    this.#log = log;
  }

  /**
   * Resolves with the URL of the first address that works, once each was tried; waits for one to come up if there is
   * none. Throws PortInUseError or BindError.
   */
  async open(addresses: readonly string[]): Promise<string> {
    let first: string | null = null;
    const missing: string[] = [];
    for (const address of addresses) {
      if (!(await this.#listen(address))) missing.push(address);
      else first ??= address;
    }
    const firstUp = new Promise<string>((up) => {
      for (const address of missing) this.#retry(address, firstRetryMs, up);
    });
    return this.#url(first ?? (await firstUp));
  }

  get servers(): readonly Server[] {
    return this.#servers;
  }

  /** No new connections and no more tries; open connections are the caller's. */
  async stop(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#retries) clearTimeout(timer);
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }

  #url(address: string): string {
    return `http://${address.includes(':') ? `[${address}]` : address}:${this.#port}`;
  }

  /** False when the address is not there yet. */
  async #listen(address: string): Promise<boolean> {
    const server = this.#makeServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: address, port: this.#port, exclusive: true }, () => {
          server.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      if (isCode(error, 'EADDRNOTAVAIL')) return false;
      if (isCode(error, 'EADDRINUSE')) throw new PortInUseError(address, this.#port);
      throw new BindError(address, this.#port, error instanceof Error ? error.message : String(error));
    }
    server.on('error', (error) => this.#log.error({ address, error: error.message }, 'the server reported an error'));
    const bound = server.address();
    if (isAddressInfo(bound)) this.#port = bound.port;
    this.#servers.push(server);
    return true;
  }

  #retry(address: string, delayMs: number, up: (address: string) => void): void {
    if (this.#closed) return;
    this.#log.warn({ address, retryMs: delayMs }, 'this address is not up yet; it is tried again');
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      const again = (): void => this.#retry(address, Math.min(delayMs * 2, maxRetryMs), up);
      this.#listen(address).then(
        (listening) => {
          if (!listening) again();
          else if (this.#closed) this.#servers.at(-1)?.close();
          else {
            this.#log.info({ address }, 'listening on an address that came up');
            up(address);
          }
        },
        (error: unknown) => {
          this.#log.error({ address, error: String(error) }, 'cannot listen on this address');
          again();
        },
      );
    }, delayMs);
    this.#retries.add(timer);
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return address !== null && typeof address === 'object';
}
