import type { DoorRequest } from '../core/door.ts';
import { type HostRule, matchesAny } from '../core/host.ts';
import type { LocalServices } from '../net/localServices.ts';
import { authorityOf, type CanonicalUrl, canonicalAuthority, canonicalUrl, UrlSyntaxError } from '../net/url.ts';
import type { PlaceholderSet } from './placeholderSet.ts';
import { Refusal } from './refusal.ts';
import { outgoingHeaders } from './requestHeaders.ts';
import { substitute } from './substitution.ts';

/** What a request is judged by: all of it fixed when the session opened. */
export type Policy = Readonly<{
  rules: readonly HostRule[];
  placeholders: PlaceholderSet;
  /** Hosts that a secret of the run is bound to. */
  boundHosts: readonly HostRule[];
  localServices: LocalServices;
}>;

/** A request that may go out, with the real values in it. */
export type Judged = Readonly<{
  url: CanonicalUrl;
  headers: ReadonlyMap<string, string>;
  /** Path and query as they go out. */
  target: string;
  /** Names of the secrets that were put in. */
  used: readonly string[];
  /** True when a stand-in of another run was seen; it goes out as the text that it is (ATTACKS E91). */
  foreign: boolean;
}>;

// CONNECT would make a tunnel, TRACE echoes Authorization (ATTACKS B34); extension methods are nobody's need yet.
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function inOurWords<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (error instanceof UrlSyntaxError) throw new Refusal('url_invalid', error.reason);
    throw error;
  }
}

/** Reads the URL, or refuses it in our words. */
export const readUrl = (text: string): CanonicalUrl => inOurWords(() => canonicalUrl(text));

/** Whom a URL is for, without its path; null when it has no canonical form. */
export function readTarget(text: string): CanonicalUrl | null {
  try {
    return { ...canonicalUrl(text), path: '', query: '' };
  } catch (error) {
    if (error instanceof UrlSyntaxError) return null;
    throw error;
  }
}

/** Reads the target of a tunnel as the URL of nothing on it yet, or refuses it in our words. */
export const readTunnel = (authority: string): CanonicalUrl =>
  inOurWords(() => ({ secure: true, ...canonicalAuthority(authority), path: '', query: '' }));

/** Headers that are ours to say, around those of the code. Some services refuse a request without User-Agent. */
export function withOurs(headers: ReadonlyMap<string, string>, url: CanonicalUrl): ReadonlyMap<string, string> {
  const defaults = [
    ['accept', '*/*'],
    ['user-agent', 'oauth3'],
  ] as const;
  return new Map([['host', authorityOf(url)], ...defaults, ...headers, ['accept-encoding', 'identity']]);
}

/** True when URL or headers hold a stand-in that is not of this run. */
export function isForeignIn(
  { path, query }: CanonicalUrl,
  headers: ReadonlyMap<string, string>,
  placeholders: PlaceholderSet,
): boolean {
  return [path, query, ...headers.values()].some((text) => placeholders.foreignIn(text).length > 0);
}

/**
 * Everything that can be decided about one request without leaving the machine. Values are put in last. Throws Refusal,
 * and Misplaced for a placeholder where none belongs.
 */
export function judge(request: DoorRequest, url: CanonicalUrl, policy: Policy): Judged {
  const { rules, placeholders, localServices } = policy;
  if (!methods.has(request.method)) throw new Refusal('method_not_allowed');
  const headers = outgoingHeaders(request.headers, url);
  if (!url.secure && url.port === 443) throw new Refusal('scheme_not_allowed');
  if (!matchesAny(rules, url.host, url.port)) throw new Refusal('host_not_allowed');
  const swapped = substitute(headers, { url, placeholders, local: localServices.has(url.host) });
  const foreign = isForeignIn(url, headers, placeholders);
  return { ...swapped, url, headers: withOurs(swapped.headers, url), foreign };
}
