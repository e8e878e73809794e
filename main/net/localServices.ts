import { isIP } from 'node:net';
import { commaList } from '../core/commaList.ts';
import { canonicalHost, HostSyntaxError } from '../core/host.ts';

/** Where a name of the owner's own network really is. Without a port the port of the URL is dialled. */
export type LocalService = Readonly<{ address: string; port: number | null }>;

/** Canonical host name -> service. The only names that may lead to a private address. */
export type LocalServices = ReadonlyMap<string, LocalService>;

export const noLocalServices: LocalServices = new Map();

/** The text is not `name=address[:port]`. */
export class LocalServiceSyntaxError extends Error {
  readonly code = 'invalid_local_service';
  readonly input: string;

  constructor(input: string, reason: string) {
    super(
      `Invalid local service ${JSON.stringify(input.slice(0, 300))}: ${reason}. Write name=address or name=address:port`,
    );
    this.name = 'LocalServiceSyntaxError';
    this.input = input;
  }
}

function parseName(input: string, text: string): string {
  try {
    return canonicalHost(text);
  } catch (error) {
    if (error instanceof HostSyntaxError) throw new LocalServiceSyntaxError(input, error.reason);
    throw error;
  }
}

function parseTarget(input: string, text: string): LocalService {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::([1-9][0-9]{0,4}))?$/.exec(text);
  // An IPv6 address without brackets cannot carry a port.
  const address = parts?.[1] ?? parts?.[2] ?? text;
  const port = parts?.[3] === undefined ? null : Number(parts[3]);
  if (isIP(address) === 0 || address.includes('%'))
    throw new LocalServiceSyntaxError(input, 'the address is not an IP address');
  if (port !== null && port > 65535) throw new LocalServiceSyntaxError(input, 'the port is above 65535');
  return { address, port };
}

/** Reads one `name=address[:port]` (IPv6 with a port in brackets). Throws LocalServiceSyntaxError. */
export function parseLocalService(text: string): readonly [name: string, service: LocalService] {
  const equals = text.indexOf('=');
  if (equals <= 0) throw new LocalServiceSyntaxError(text, 'the name or the "=" is missing');
  return [parseName(text, text.slice(0, equals)), parseTarget(text, text.slice(equals + 1))];
}

/** Reads the comma list of `OAUTH3_EGRESS_HOSTS`. Throws LocalServiceSyntaxError, also for a name given twice. */
export function parseLocalServices(text: string): LocalServices {
  const services = new Map<string, LocalService>();
  for (const entry of commaList(text)) {
    const [name, service] = parseLocalService(entry);
    if (services.has(name)) throw new LocalServiceSyntaxError(entry, 'the name is given twice');
    services.set(name, service);
  }
  return services;
}
