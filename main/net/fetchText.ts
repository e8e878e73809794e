import { type LocalServices, noLocalServices } from './localServices.ts';
import { ResolveError, type Resolver, resolveTarget } from './resolve.ts';
import type { Upstream, UpstreamResponse } from './upstream.ts';
import { UpstreamError } from './upstreamError.ts';
import { authorityOf, type CanonicalUrl, canonicalUrl, UrlSyntaxError } from './url.ts';

export type FetchTextErrorCode =
  | 'url_invalid'
  | 'not_https'
  | 'address_refused'
  | 'dns_failed'
  | 'too_many_redirects'
  | 'bad_status'
  | 'too_large'
  | 'encoding_refused'
  | 'timeout'
  | 'unreachable';

/** The file could not be fetched. `message` says which URL and why, in our words. */
export class FetchTextError extends Error {
  readonly code: FetchTextErrorCode;
  readonly url: string;

  constructor(code: FetchTextErrorCode, url: string, reason: string) {
    super(`Cannot fetch ${url.slice(0, 300)}: ${reason}`);
    this.name = 'FetchTextError';
    this.code = code;
    this.url = url;
  }
}

export type FetchTextContext = Readonly<{
  upstream: Upstream;
  resolver?: Resolver;
  /** Names that may be private although an agent chose the URL. Default: none. */
  localServices?: LocalServices;
  ownAddresses?: () => readonly string[];
}>;

export type FetchTextOptions = Readonly<{
  /** Default 1 MiB. */
  maxBytes?: number;
  /** For all redirects together, default 10,000 ms. */
  timeoutMs?: number;
  signal?: AbortSignal;
}>;

export type FetchedText = Readonly<{ bytes: Uint8Array; finalUrl: string }>;

const maxRedirects = 3;

function readUrl(text: string): CanonicalUrl {
  try {
    const url = canonicalUrl(text);
    if (!url.secure) throw new FetchTextError('not_https', text, 'only https is fetched');
    return url;
  } catch (error) {
    if (error instanceof UrlSyntaxError) throw new FetchTextError('url_invalid', text, error.reason);
    throw error;
  }
}

function headerOf(response: UpstreamResponse, name: string): string | undefined {
  return response.headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

function toFetchTextError(error: unknown, url: string): unknown {
  if (error instanceof ResolveError) return new FetchTextError(error.code, url, error.message);
  if (!(error instanceof UpstreamError)) return error;
  if (error.code === 'upstream_too_large') return new FetchTextError('too_large', url, error.message);
  if (error.code === 'upstream_timeout') return new FetchTextError('timeout', url, error.message);
  return new FetchTextError('unreachable', url, error.message);
}

async function get(
  text: string,
  context: FetchTextContext,
  limits: Readonly<{ maxBytes: number; remainingMs: number; signal?: AbortSignal }>,
): Promise<UpstreamResponse> {
  const url = readUrl(text);
  if (limits.remainingMs <= 0) throw new FetchTextError('timeout', text, 'it took too long');
  const target = await resolveTarget(url.host, url.port, {
    localServices: context.localServices ?? noLocalServices,
    ...(context.resolver === undefined ? {} : { resolver: context.resolver }),
    ...(context.ownAddresses === undefined ? {} : { ownAddresses: context.ownAddresses }),
    timeoutMs: limits.remainingMs,
  });
  return context.upstream.exchange({
    secure: true,
    host: url.host,
    target,
    method: 'GET',
    path: url.path + url.query,
    headers: new Map([
      ['host', authorityOf(url)],
      ['accept', 'text/plain, */*'],
      ['accept-encoding', 'identity'],
      ['user-agent', 'oauth3'],
    ]),
    body: null,
    totalTimeoutMs: limits.remainingMs,
    maxResponseBytes: limits.maxBytes,
    ...(limits.signal === undefined ? {} : { signal: limits.signal }),
  });
}

/** Where a redirect leads, as text to be judged like a new URL; undefined when the answer is none. */
function redirectOf(response: UpstreamResponse, from: string): string | undefined {
  if (![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  const location = headerOf(response, 'location');
  if (location === undefined || !URL.canParse(location, from)) {
    throw new FetchTextError('bad_status', from, 'it redirects to nowhere');
  }
  return new URL(location, from).href;
}

async function readAll(response: UpstreamResponse, url: string): Promise<Uint8Array> {
  if (response.status !== 200)
    throw new FetchTextError('bad_status', url, `it answered with status ${response.status}`);
  const encoding = headerOf(response, 'content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity')
    throw new FetchTextError('encoding_refused', url, 'it came compressed although we asked for plain');
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * Gets a small public file over https: no private address at any hop, at most 3 redirects and each judged as a new URL,
 * 1 MiB, 10 s. Throws FetchTextError.
 */
export async function fetchText(
  text: string,
  context: FetchTextContext,
  options: FetchTextOptions = {},
): Promise<FetchedText> {
  const endsAt = performance.now() + (options.timeoutMs ?? 10_000);
  const maxBytes = options.maxBytes ?? 1_048_576;
  let url = text;
  try {
    for (let hop = 0; hop <= maxRedirects; hop += 1) {
      const remainingMs = Math.ceil(endsAt - performance.now());
      const signal = options.signal === undefined ? {} : { signal: options.signal };
      const response = await get(url, context, { maxBytes, remainingMs, ...signal });
      try {
        const next = redirectOf(response, url);
        if (next === undefined) return { bytes: await readAll(response, url), finalUrl: url };
        url = next;
      } finally {
        response.close();
      }
    }
    throw new FetchTextError('too_many_redirects', text, `it redirects more than ${maxRedirects} times`);
  } catch (error) {
    throw toFetchTextError(error, url);
  }
}
