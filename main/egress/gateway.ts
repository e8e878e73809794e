import type { Clock } from '../core/clock.ts';
import type { EgressSpec } from '../core/egressSpec.ts';
import type { Log } from '../core/log.ts';
import type { LocalServices } from '../net/localServices.ts';
import type { Resolver } from '../net/resolve.ts';
import type { Upstream } from '../net/upstream.ts';
import { EgressSession } from './session.ts';

export type EgressGatewayParts = Readonly<{
  upstream: Upstream;
  /** The owner's local services now; a session keeps what it saw when it opened. */
  localServices: () => LocalServices;
  /** Default: the system's resolver. */
  resolver?: Resolver;
  /** Default: addresses of this machine's interfaces. */
  ownAddresses?: () => readonly string[];
  /** Ports that this app listens on. */
  ownPorts?: () => readonly number[];
  log: Log;
  clock: Clock;
}>;

/** The only way out of a sandbox: opens one session per run. */
export class EgressGateway {
  readonly #parts: EgressGatewayParts;

  constructor(parts: EgressGatewayParts) {
    this.#parts = parts;
  }

  /** Opens the way out for one run. The caller closes it when the run is over. */
  open(spec: EgressSpec): EgressSession {
    const { localServices, ...parts } = this.#parts;
    return new EgressSession(spec, { ...parts, localServices: new Map(localServices()) });
  }
}
