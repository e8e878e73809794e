import { CodedError } from '../../contract/errors.ts';

/** The parts of a request that the guard looks at: exactly as received, repeated headers included. */
export type GuardedRequest = Readonly<{ url: string; rawHeaders: readonly string[]; localPort: number }>;

/** Names under which we are reached; IPv6 addresses in brackets, lower case, without port. */
export type AcceptedNames = ReadonlySet<string>;

/** Our own names, the addresses we listen on, and those that the owner added. */
export function acceptedNames(bind: readonly string[], allowedHosts: readonly string[]): AcceptedNames {
  const addresses = bind.map((address) => (address.includes(':') ? `[${address}]` : address));
  return new Set(['127.0.0.1', 'localhost', '[::1]', ...addresses, ...allowedHosts]);
}

/**
 * Judges a request before anything else happens to it (ATTACKS N): browsers are no callers, and the name must be ours,
 * so that neither a web page nor a rebound DNS name reaches a route. null: go on.
 */
export function judge(request: GuardedRequest, names: AcceptedNames): CodedError | null {
  const headers = collect(request.rawHeaders);
  const site = headers.get('sec-fetch-site');
  // Every request of a web page has one of these, whatever its mode; no program has a reason to send them.
  if (headers.has('origin') || headers.has('referer') || site?.some((value) => value !== 'none') === true) {
    return new CodedError('forbidden_origin', 'Requests of web pages are refused', {
      hint: 'Call from a program that sends no Origin, Referer or Sec-Fetch-Site header.',
    });
  }
  if (!isOurs(headers.get('host'), names, request.localPort)) {
    return new CodedError('forbidden_host', 'The Host header is not a name of this service', {
      hint: 'Use the address that the ready line shows, or add the name to OAUTH3_ALLOWED_HOSTS.',
    });
  }
  if (!request.url.startsWith('/')) return new CodedError('invalid_request', 'The request target must be a path');
  return null;
}

function isOurs(hosts: readonly string[] | undefined, names: AcceptedNames, port: number): boolean {
  const [host] = hosts ?? [];
  if (host === undefined || hosts?.length !== 1) return false;
  const name = host.toLowerCase();
  // RFC 9110 7.2: the default port may be left out.
  if (port === 80 && names.has(name)) return true;
  const suffix = `:${port}`;
  return name.endsWith(suffix) && names.has(name.slice(0, -suffix.length));
}

function collect(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const values = headers.get(name);
    const value = rawHeaders[index + 1] ?? '';
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return headers;
}
