import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { isIpLiteral } from '../core/host.ts';
import { classifyAddress, sameAddress } from './address.ts';
import type { LocalServices } from './localServices.ts';

/** Asks for every address of a canonical host name. Rejects when there is none. */
export type Resolver = (host: string) => Promise<readonly string[]>;

/** Addresses that were checked, and the port to dial there. Whoever connects dials one of these and nothing else. */
export type DialTarget = Readonly<{ addresses: readonly string[]; port: number }>;

export type ResolveErrorCode = 'dns_failed' | 'address_refused';

/** The name leads nowhere that we connect to. */
export class ResolveError extends Error {
  readonly code: ResolveErrorCode;
  readonly host: string;

  constructor(code: ResolveErrorCode, host: string, message: string) {
    super(message);
    this.name = 'ResolveError';
    this.code = code;
    this.host = host;
  }
}

export type ResolveContext = Readonly<{
  localServices: LocalServices;
  /** Default: the system's resolver. */
  resolver?: Resolver;
  /** Default: addresses of this machine's interfaces at the time of asking. */
  ownAddresses?: () => readonly string[];
  /** Ports that this app listens on: no local service leads there, whatever address it was declared with. */
  ownPorts?: () => readonly number[];
  /** Longest wait for an answer, default 5,000 ms. */
  timeoutMs?: number;
}>;

// A name with more addresses than this is a game (ATTACKS D73); large services answer with eight or so.
const maxAddresses = 32;
const plainName = /^[a-z0-9.-]+$/;

/** The system's resolver: /etc/hosts, search order and all, one call per connection. */
export const systemResolver: Resolver = async (host) => {
  // Node 20 cuts a name at NUL (ATTACKS A4); callers pass canonical names, and this holds even if one forgets.
  if (!plainName.test(host)) throw new Error('not a canonical host name');
  const answers = await lookup(host, { all: true, verbatim: true });
  return answers.map((answer) => answer.address);
};

/** Addresses of this machine's interfaces. */
export function interfaceAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address));
}

async function answerInTime(host: string, resolver: Resolver, timeoutMs: number): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new ResolveError('dns_failed', host, `No DNS answer for ${host} in ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([resolver(host), late]);
  } catch (error) {
    if (error instanceof ResolveError) throw error;
    throw new ResolveError('dns_failed', host, `The name ${host} has no address; check its spelling and the network`);
  } finally {
    clearTimeout(timer);
  }
}

/** Whole answer or nothing: one internal address among public ones is how rebinding looks (ATTACKS D70). */
function checkedAddresses(host: string, answer: readonly string[], own: readonly string[]): readonly string[] {
  if (answer.length === 0) throw new ResolveError('dns_failed', host, `The name ${host} has no address`);
  if (answer.length > maxAddresses) {
    throw new ResolveError('dns_failed', host, `The name ${host} has more than ${maxAddresses} addresses`);
  }
  return answer.map((text) => {
    const verdict = classifyAddress(text);
    if (verdict.kind === 'internal') {
      throw new ResolveError(
        'address_refused',
        host,
        `${host} leads to an address that is not public (${verdict.reason})`,
      );
    }
    if (own.some((address) => sameAddress(address, verdict.text))) {
      throw new ResolveError('address_refused', host, `${host} leads to this machine`);
    }
    return verdict.text;
  });
}

/** The owner may name a service on this machine, but code has no business with this app itself (ATTACKS N238). */
function refuseOurselves(host: string, address: string, port: number, context: ResolveContext): void {
  const { ownAddresses = interfaceAddresses, ownPorts = () => [] } = context;
  if (!ownPorts().includes(port)) return;
  const verdict = classifyAddress(address);
  const isLocal = verdict.kind === 'internal' && ['loopback', 'unspecified'].includes(verdict.reason);
  if (isLocal || ownAddresses().some((own) => sameAddress(own, address))) {
    throw new ResolveError('address_refused', host, `${host} leads to this app`);
  }
}

/**
 * Turns a canonical host and port into checked addresses, with one look-up (RFC 1034 chains are the resolver's; the
 * final addresses count). Throws ResolveError. Call it only after a rule allowed the host: a look-up is a message too.
 */
export async function resolveTarget(host: string, port: number, context: ResolveContext): Promise<DialTarget> {
  const service = context.localServices.get(host);
  if (service !== undefined) {
    const target = { addresses: [service.address], port: service.port ?? port };
    refuseOurselves(host, service.address, target.port, context);
    return target;
  }
  const own = (context.ownAddresses ?? interfaceAddresses)();
  const literal = isIpLiteral(host) ? host.replace(/^\[|\]$/g, '') : null;
  const answer =
    literal === null
      ? await answerInTime(host, context.resolver ?? systemResolver, context.timeoutMs ?? 5_000)
      : [literal];
  return { addresses: checkedAddresses(host, answer, own), port };
}
