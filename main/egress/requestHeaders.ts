import type { HeaderPair } from '../core/door.ts';
import { canonicalHost, HostSyntaxError } from '../core/host.ts';
import type { CanonicalUrl } from '../net/url.ts';
import { Refusal } from './refusal.ts';

const maxCount = 128;
const maxBytes = 65_536;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
// RFC 9110, section 5.5, minus what would be cut to another character when written as one byte (ATTACKS B38).
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** RFC 9110, section 7.6.1, and what belongs to a proxy: never passed on in either direction. */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

// Ours to say: framing and coding. A range would cut an echoed secret into pieces that no redaction knows (DESIGN).
const ours: ReadonlySet<string> = new Set(['accept-encoding', 'content-length', 'expect', 'host', 'if-range', 'range']);

const single: ReadonlySet<string> = new Set(['authorization', 'content-length', 'content-type', 'host', 'user-agent']);

/** Names listed in the values of `Connection`, lower case. */
export function connectionNames(headers: readonly HeaderPair[]): ReadonlySet<string> {
  return new Set(
    headers
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(',').map((part) => part.trim().toLowerCase())),
  );
}

function checkShape(headers: readonly HeaderPair[]): void {
  const size = headers.reduce((total, [name, value]) => total + name.length + value.length, 0);
  if (headers.length > maxCount || size > maxBytes) throw new Refusal('headers_too_large');
  for (const [name, value] of headers) {
    if (!token.test(name)) throw new Refusal('header_invalid');
    if (!fieldValue.test(value)) throw new Refusal('header_invalid', name.toLowerCase());
  }
}

/** What the code wrote as Host has to be what the URL says; we send our own anyway (ATTACKS B29, B32). */
function checkHost(value: string, url: CanonicalUrl): void {
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::([1-9][0-9]{0,4}))?$/.exec(value) ?? [];
  const statedPort = port === undefined ? (url.secure ? 443 : 80) : Number(port);
  let statedHost = '';
  try {
    statedHost = canonicalHost(name);
  } catch (error) {
    if (!(error instanceof HostSyntaxError)) throw error;
  }
  if (statedHost !== url.host || statedPort !== url.port) throw new Refusal('host_mismatch');
}

/**
 * The headers that go on, lower case, each once: shape checked, hop-by-hop and framing dropped, repeated ones joined
 * (RFC 9110, section 5.3). Host and coding are not in it. Throws Refusal.
 */
export function outgoingHeaders(headers: readonly HeaderPair[], url: CanonicalUrl): Map<string, string> {
  checkShape(headers);
  const listed = connectionNames(headers);
  const outgoing = new Map<string, string>();
  const seen = new Set<string>();
  for (const [rawName, rawValue] of headers) {
    const name = rawName.toLowerCase();
    const value = rawValue.replace(/^[\t ]+|[\t ]+$/g, '');
    if (name === 'upgrade') throw new Refusal('upgrade_refused');
    if (single.has(name) && seen.has(name)) throw new Refusal('header_invalid', name);
    seen.add(name);
    if (name === 'host') checkHost(value, url);
    if (hopByHop.has(name) || listed.has(name) || ours.has(name)) continue;
    const earlier = outgoing.get(name);
    outgoing.set(name, earlier === undefined ? value : `${earlier}${name === 'cookie' ? '; ' : ', '}${value}`);
  }
  return outgoing;
}
