import { matchesAny, matchesHostRule } from '../core/host.ts';
import { wellKnownHeaders } from '../core/wellKnown.ts';
import type { CanonicalUrl } from '../net/url.ts';
import type { PlaceholderSet } from './placeholderSet.ts';
import { Refusal } from './refusal.ts';
import type { EgressSecret, EgressTripwire } from './spec.ts';

/** A placeholder outside the headers that may carry it. */
export class Misplaced extends Refusal {
  readonly secrets: readonly EgressSecret[];
  readonly where: EgressTripwire['where'];
  readonly header: string | null;

  constructor(secrets: readonly EgressSecret[], where: EgressTripwire['where'], header: string | null) {
    super('placeholder_misplaced', header);
    this.secrets = secrets;
    this.where = where;
    this.header = header;
  }
}

export type SwapContext = Readonly<{
  url: CanonicalUrl;
  placeholders: PlaceholderSet;
  /** True when the owner declared the host as a local service. */
  local: boolean;
}>;

// What `checkSecretValue` lets in for placeholder delivery; asked again here, where it would do harm.
const headerSafe = /^[\x20-\x7e\xa0-\xff]+$/;
const basicCredentials = /^(basic +)([A-Za-z0-9+/]+={0,2})$/i;

/** `Basic` credentials decoded, one character per byte, or null for anything else and for broken base64. */
function decodeBasic(value: string): Readonly<{ scheme: string; credentials: string }> | null {
  const [, scheme = '', base64 = ''] = basicCredentials.exec(value) ?? [];
  if (base64 === '' || base64.replace(/=+$/, '').length % 4 === 1) return null;
  return { scheme, credentials: Buffer.from(base64, 'base64').toString('latin1') };
}

function mayCarry(secret: EgressSecret, header: string, host: string): boolean {
  return (
    header === 'authorization' ||
    wellKnownHeaders(host).includes(header) ||
    secret.headers.some((name) => name.toLowerCase() === header)
  );
}

/** Throws Misplaced for the first header that holds a placeholder without being a place for it. */
function checkPlaces(headers: ReadonlyMap<string, string>, { url, placeholders }: SwapContext): void {
  for (const [name, value] of headers) {
    const inName = placeholders.hiddenIn(name);
    if (inName.length > 0) throw new Misplaced(inName, 'header', null);
    const wrong = placeholders.hiddenIn(value).filter((secret) => !mayCarry(secret, name, url.host));
    if (wrong.length > 0) throw new Misplaced(wrong, 'header', name);
  }
}

/** Throws Refusal unless this secret may go to this host in this way. */
function checkBinding(secret: EgressSecret, { url, local }: SwapContext): void {
  if (!matchesAny(secret.hosts, url.host, url.port)) throw new Refusal('secret_not_bound', secret.name);
  // Plain http carries a secret only where the owner named the local service with its port (ATTACKS E93).
  const named = secret.hosts.some((rule) => rule.host === url.host && matchesHostRule(rule, url.host, url.port));
  if (!url.secure && !(local && named)) throw new Refusal('tls_required', secret.name);
}

/**
 * Puts the real values into the headers that may carry them, over TLS, towards bound hosts only. Returns the names of
 * the secrets that went in. Throws Misplaced for a placeholder in the URL or in another header, Refusal otherwise.
 */
export function substitute(
  headers: ReadonlyMap<string, string>,
  context: SwapContext,
): Readonly<{ headers: ReadonlyMap<string, string>; used: readonly string[] }> {
  const { url, placeholders } = context;
  const inUrl = placeholders.hiddenIn(`${url.host}${url.path}${url.query}`);
  if (inUrl.length > 0) throw new Misplaced(inUrl, 'url', null);
  checkPlaces(headers, context);

  const used = new Set<string>();
  const swapped = new Map<string, string>();
  for (const [name, value] of headers) {
    const basic = name === 'authorization' ? decodeBasic(value) : null;
    const text = basic?.credentials ?? value;
    const standing = placeholders.standingIn(text);
    for (const secret of standing) {
      checkBinding(secret, context);
      if (!headerSafe.test(secret.value)) throw new Refusal('secret_unusable', secret.name);
      used.add(secret.name);
    }
    if (basic === null || standing.length === 0) {
      swapped.set(
        name,
        placeholders.swap(value, (secret) => secret.value),
      );
    } else {
      // RFC 7617: UTF-8 is the only charset that a server can ask for.
      const utf8 = (secret: EgressSecret): string => Buffer.from(secret.value).toString('latin1');
      const credentials = Buffer.from(placeholders.swap(basic.credentials, utf8), 'latin1');
      swapped.set(name, `${basic.scheme}${credentials.toString('base64')}`);
    }
  }
  return { headers: swapped, used: [...used].sort() };
}
