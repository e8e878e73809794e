import type { EgressSecret, Tripwire } from '../core/egressSpec.ts';
import { matchesAny, matchesHostRule } from '../core/host.ts';
import { wellKnownHeaders } from '../core/wellKnown.ts';
import type { CanonicalUrl } from '../net/url.ts';
import { type PlaceholderSet, percentDecoded } from './placeholderSet.ts';
import { Refusal } from './refusal.ts';

/** A placeholder outside the places that may carry it. */
export class Misplaced extends Refusal {
  readonly secrets: readonly EgressSecret[];
  readonly where: Tripwire['where'];
  readonly header: string | null;

  constructor(secrets: readonly EgressSecret[], where: Tripwire['where'], header: string | null) {
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

export type Swapped = Readonly<{
  headers: ReadonlyMap<string, string>;
  /** Path and query with the values in them. */
  target: string;
  /** Names of the secrets that went in, sorted. */
  used: readonly string[];
}>;

export type Release = (secret: EgressSecret) => string;

// What `checkSecretValue` lets in for placeholder delivery; asked again here, where it would do harm.
const headerSafe = /^[\x20-\x7e\xa0-\xff]+$/;
const basicCredentials = /^(basic +)([A-Za-z0-9+/]+={0,2})$/i;

/** `Basic` credentials decoded, one character per byte, or null for anything else and for broken base64. */
export function decodeBasic(value: string): Readonly<{ scheme: string; credentials: string }> | null {
  const [, scheme = '', base64 = ''] = basicCredentials.exec(value) ?? [];
  if (base64 === '' || base64.replace(/=+$/, '').length % 4 === 1) return null;
  return { scheme, credentials: Buffer.from(base64, 'base64').toString('latin1') };
}

/** RFC 3986 `pchar`: what may stand in a path as it is, such as the colon of a bot token. */
function encodeSegment(value: string): string {
  return encodeURIComponent(value).replace(/%(3A|40|24|26|2B|2C|3B|3D)/g, percentDecoded);
}

/** Throws Misplaced when the text holds, in any spelling, a placeholder of a secret that has no place there. */
function checkPlace(
  text: string,
  hasPlace: (secret: EgressSecret) => boolean,
  { placeholders }: SwapContext,
  where: Tripwire['where'],
  header: string | null = null,
): void {
  const wrong = placeholders.hiddenIn(text).filter((secret) => !hasPlace(secret));
  if (wrong.length > 0) throw new Misplaced(wrong, where, header);
}

function checkPlaces(headers: ReadonlyMap<string, string>, context: SwapContext): void {
  const { url } = context;
  checkPlace(url.host, () => false, context, 'url');
  checkPlace(url.path, (secret) => secret.path, context, 'url');
  for (const parameter of parametersOf(url)) {
    checkPlace(parameter.name, () => false, context, 'url');
    // Some servers end a parameter at a semicolon too: what stands behind it may be another parameter to them.
    const isOne = !parameter.value.includes(';');
    const hasPlace = (secret: EgressSecret): boolean => isOne && secret.query.includes(percentDecoded(parameter.name));
    checkPlace(parameter.value, hasPlace, context, 'url');
  }
  for (const [name, value] of headers) {
    checkPlace(name, () => false, context, 'header');
    const known = name === 'authorization' || wellKnownHeaders(url.host).includes(name);
    const hasPlace = (secret: EgressSecret): boolean =>
      known || secret.headers.some((declared) => declared.toLowerCase() === name);
    checkPlace(value, hasPlace, context, 'header', name);
  }
}

function parametersOf(url: CanonicalUrl): readonly Readonly<{ name: string; value: string }>[] {
  if (url.query === '') return [];
  return url.query
    .slice(1)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=');
      // Without `=` all of it is the name; a stand-in has no place there.
      return equals < 0 ? { name: pair, value: '' } : { name: pair.slice(0, equals), value: pair.slice(equals + 1) };
    });
}

/** Throws Refusal unless this secret may go to this host in this way. */
function checkBinding(secret: EgressSecret, { url, local }: SwapContext): void {
  if (!matchesAny(secret.hosts, url.host, url.port)) throw new Refusal('secret_not_bound', secret.name);
  // Plain http carries a secret only where the owner named the local service with its port (ATTACKS E93).
  const named = secret.hosts.some((rule) => rule.host === url.host && matchesHostRule(rule, url.host, url.port));
  if (!url.secure && !(local && named)) throw new Refusal('tls_required', secret.name);
}

function swapHeader(name: string, value: string, placeholders: PlaceholderSet, release: Release): string {
  const basic = name === 'authorization' ? decodeBasic(value) : null;
  if (basic === null || placeholders.standingIn(basic.credentials).length === 0)
    return placeholders.swap(value, release);
  // RFC 7617: UTF-8 is the only charset that a server can ask for.
  const utf8: Release = (secret) => Buffer.from(release(secret)).toString('latin1');
  const credentials = Buffer.from(placeholders.swap(basic.credentials, utf8), 'latin1');
  return `${basic.scheme}${credentials.toString('base64')}`;
}

/** Hands out the values of secrets that may go where the request goes, and notes their names in `used`. Throws Refusal. */
export function releasing(context: SwapContext): Readonly<{ release: Release; used: ReadonlySet<string> }> {
  const used = new Set<string>();
  const release: Release = (secret) => {
    checkBinding(secret, context);
    if (!headerSafe.test(secret.value)) throw new Refusal('secret_unusable', secret.name);
    used.add(secret.name);
    return secret.value;
  };
  return { release, used };
}

/**
 * Puts the real values where they may stand, over TLS, towards bound hosts only. Throws Misplaced for a placeholder
 * anywhere else in the URL or the headers, Refusal when the secret may not go there at all.
 */
export function substitute(headers: ReadonlyMap<string, string>, context: SwapContext): Swapped {
  const { url, placeholders } = context;
  checkPlaces(headers, context);
  const { release, used } = releasing(context);
  const swapped = [...headers].map(([name, value]) => [name, swapHeader(name, value, placeholders, release)] as const);
  const path = placeholders.swap(url.path, (secret) => encodeSegment(release(secret)));
  const query = placeholders.swap(url.query, (secret) => encodeURIComponent(release(secret)));
  return { headers: new Map(swapped), target: path + query, used: [...used].sort() };
}
