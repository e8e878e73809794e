import { canonicalHost, HostSyntaxError } from '../core/host.ts';

/** A URL in the one form that both our checks and the connection use. */
export type CanonicalUrl = Readonly<{
  secure: boolean;
  /** Canonical host (see `canonicalHost`). */
  host: string;
  port: number;
  /** Normalised path, percent-encoded, without query. */
  path: string;
  /** `?...` or empty. */
  query: string;
}>;

/** The text can be read as different URLs by different parsers, or is none. `reason` is a plain sentence. */
export class UrlSyntaxError extends Error {
  readonly code = 'url_invalid';
  readonly reason: string;

  constructor(reason: string) {
    super(`Invalid URL: ${reason}`);
    this.name = 'UrlSyntaxError';
    this.reason = reason;
  }
}

const maxLength = 16_384;
const shape = /^(https?):\/\/([^/?#]*)([^?#]*)(?:\?[^#]*)?(?:#.*)?$/i;
const authorityShape = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/;
// WHATWG URL drops these silently (tab, line breaks) or trims them (C0, space at the ends).
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const dropped = /[\u0000-\u001f\u007f]|^ | $/;

function parsePort(text: string | undefined, secure: boolean): number {
  if (text === undefined) return secure ? 443 : 80;
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new UrlSyntaxError('the port must be a number from 1 to 65535');
  return port;
}

function parseHost(text: string): string {
  try {
    return canonicalHost(text);
  } catch (error) {
    if (error instanceof HostSyntaxError) throw new UrlSyntaxError(`the host is not usable: ${error.reason}`);
    throw error;
  }
}

/**
 * Reads an absolute http or https URL and refuses whatever is not written the plain way: backslashes, missing slashes,
 * user names, odd ports and hosts (ATTACKS A). The fragment is dropped. Throws UrlSyntaxError.
 */
export function canonicalUrl(text: string): CanonicalUrl {
  if (text.length > maxLength) throw new UrlSyntaxError(`it is longer than ${maxLength} characters`);
  if (dropped.test(text)) throw new UrlSyntaxError('it holds control characters or begins or ends with a space');
  const [, scheme = '', authority = '', rawPath = ''] = shape.exec(text) ?? [];
  if (scheme === '') throw new UrlSyntaxError('write it as https://host/path');
  if (rawPath.includes('\\')) throw new UrlSyntaxError('it holds a backslash');
  if (authority.includes('@')) throw new UrlSyntaxError('it holds a user name or an @ before the path');
  const [, hostText = '', portText] = authorityShape.exec(authority) ?? [];
  const secure = scheme.toLowerCase() === 'https';
  const host = parseHost(hostText);
  const port = parsePort(portText, secure);
  const url = URL.canParse(text) ? new URL(text) : null;
  // Two readers, one meaning: the parser that everybody else uses has to see the same host and port.
  const seenHost = url?.hostname.replace(/\.$/, '');
  const seenPort = url?.port === '' ? (secure ? 443 : 80) : Number(url?.port);
  if (url === null || seenHost !== host || seenPort !== port) throw new UrlSyntaxError('its host or port is ambiguous');
  return { secure, host, port, path: url.pathname, query: url.search };
}

/** Authority as it stands in a Host header: the port only when it is not the scheme's own. */
export function authorityOf(url: Pick<CanonicalUrl, 'secure' | 'host' | 'port'>): string {
  return url.port === (url.secure ? 443 : 80) ? url.host : `${url.host}:${url.port}`;
}

// A host and a port and nothing else: what could hide a user name, a path or a second port is refused before it is read.
const tunnelShape = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\\[\]]+):[1-9][0-9]{0,4}$/;

/** Reads the authority of a CONNECT (RFC 9110, section 9.3.6): `host:port`, the port always there. Throws UrlSyntaxError. */
export function canonicalAuthority(text: string): Pick<CanonicalUrl, 'host' | 'port'> {
  if (text.length > maxLength || !tunnelShape.test(text)) throw new UrlSyntaxError('write the target as host:port');
  const { host, port } = canonicalUrl(`https://${text}/`);
  return { host, port };
}
