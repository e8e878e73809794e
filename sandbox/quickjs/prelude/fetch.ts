import type { Extracted, GuestSource, installBody } from './body.ts';
import type { makeExchange } from './exchange.ts';
import type { GuestKit } from './kit.ts';

/**
 * Request, Response and fetch. The door never follows a redirect, so each hop is a request of its own that the
 * gateway judges. A refusal by policy comes as an ordinary 403.
 */
export function installFetch(
  kit: GuestKit,
  body: ReturnType<typeof installBody>,
  exchange: ReturnType<typeof makeExchange>,
): void {
  const { Body, extract, gathered, sourceOf } = body;
  type Init = Readonly<Record<string, unknown>>;
  const mostHops = 10;

  // `Headers` is the guest's own, which takes anything and checks it.
  const headersOf = (init: unknown): Headers => Reflect.construct(Headers, [init]);

  function settings(init: unknown): Init {
    return typeof init === 'object' && init !== null ? { ...init } : {};
  }

  let parts: (request: Request) => { text: string; extracted: Extracted } = () => ({
    text: '',
    extracted: extract(null),
  });

  class Request extends Body {
    readonly method: string;
    readonly url: string;
    readonly headers: Headers;
    readonly redirect: string;
    readonly signal: AbortSignal | null;
    static {
      parts = (request) => ({ text: request.#text, extracted: request.#extracted });
    }
    /** The URL as the program wrote it: what the gateway judges. */
    readonly #text: string;
    readonly #extracted: Extracted;

    constructor(input: unknown, init?: unknown) {
      const given = settings(init);
      const base = input instanceof Request ? input : null;
      const extracted = 'body' in given || base === null ? extract(given.body) : parts(base).extracted;
      super(extracted.bytes === null ? null : sourceOf(extracted.bytes));
      this.#extracted = extracted;
      this.#text = base === null ? String(input) : parts(base).text;
      const url = new URL(this.#text);
      if (url.username !== '' || url.password !== '') {
        throw new TypeError('Request cannot be constructed from a URL that includes credentials');
      }
      this.url = url.href;
      const method = String(given.method ?? base?.method ?? 'GET');
      const upper = method.toUpperCase();
      this.method = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].includes(upper) ? upper : method;
      if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method) || ['CONNECT', 'TRACE', 'TRACK'].includes(upper)) {
        throw new TypeError(`'${method}' HTTP method is unsupported.`);
      }
      const hasBody = extracted.bytes !== null || extracted.pieces !== null;
      if (hasBody && (this.method === 'GET' || this.method === 'HEAD')) {
        throw new TypeError('Request with GET/HEAD method cannot have body.');
      }
      this.headers = headersOf(given.headers ?? base?.headers);
      if (extracted.type !== null && !this.headers.has('content-type'))
        this.headers.set('content-type', extracted.type);
      this.redirect = String(given.redirect ?? base?.redirect ?? 'follow');
      if (!['follow', 'manual', 'error'].includes(this.redirect))
        throw new TypeError(`redirect '${this.redirect}' is unknown`);
      const signal = given.signal ?? base?.signal ?? null;
      if (signal !== null && !(signal instanceof AbortSignal)) throw new TypeError('signal is no AbortSignal');
      this.signal = signal;
    }
    clone(): Request {
      return new Request(this);
    }
  }

  /** Sources that a Response may be made of; keyed by an object that no program can get hold of. */
  const opened = new WeakMap<object, GuestSource>();

  class Response extends Body {
    readonly status: number;
    readonly statusText: string;
    readonly headers: Headers;
    readonly url: string = '';
    readonly redirected: boolean = false;
    readonly type: string = 'default';
    constructor(body?: unknown, init?: unknown) {
      const given = settings(init);
      const source = typeof body === 'object' && body !== null && opened.has(body) ? opened.get(body) : undefined;
      const extracted = source === undefined ? extract(body) : { bytes: null, type: null };
      super(source ?? (extracted.bytes === null ? null : sourceOf(extracted.bytes)));
      this.status = Number(given.status ?? 200);
      if (!(this.status >= 200 && this.status <= 599) && source === undefined)
        throw new RangeError('status must be 200 to 599');
      this.statusText = String(given.statusText ?? '');
      this.headers =
        given.headers instanceof Headers && source !== undefined ? given.headers : headersOf(given.headers);
      if (extracted.type !== null && !this.headers.has('content-type'))
        this.headers.set('content-type', extracted.type);
      if (source !== undefined) {
        this.url = String(given.url);
        this.redirected = given.redirected === true;
        this.type = 'basic';
      }
    }
    static json(value: unknown, init?: unknown): Response {
      const given = settings(init);
      const headers = headersOf(given.headers);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
      return new Response(JSON.stringify(value), { ...given, headers });
    }
    get ok(): boolean {
      return this.status >= 200 && this.status < 300;
    }
    clone(): Response {
      const source = this.forkSource();
      const key = {};
      opened.set(key, source ?? sourceOf(new Uint8Array(0)));
      const { status, statusText, url, redirected } = this;
      return new Response(key, { status, statusText, url, redirected, headers: new Headers(this.headers) });
    }
  }
  async function fetch(input: unknown, init?: unknown): Promise<Response> {
    const request = new Request(input, init);
    let { method, url } = request;
    let { text } = parts(request);
    let bytes = await gathered(parts(request).extracted);
    const headers = new Headers(request.headers);
    for (let hop = 0; ; hop += 1) {
      const answer = await exchange(method, text, headers, bytes, request.signal);
      const { status, source } = answer;
      const location = [301, 302, 303, 307, 308].includes(status) ? answer.headers.get('location') : null;
      if (location === null || request.redirect === 'manual') {
        const key = {};
        opened.set(key, source);
        return new Response(key, {
          status,
          statusText: answer.statusText,
          headers: answer.headers,
          url,
          redirected: hop > 0,
        });
      }
      source.cancel();
      if (request.redirect === 'error') throw new TypeError('fetch failed: unexpected redirect');
      if (hop === mostHops) throw new TypeError(`fetch failed: more than ${mostHops} redirects`);
      const next = new URL(location, url);
      if (next.protocol !== 'https:' && next.protocol !== 'http:')
        throw new TypeError('fetch failed: redirect to a scheme that is not HTTP');
      // The rules of the Fetch standard, section "HTTP-redirect fetch".
      if ((status === 303 && method !== 'GET' && method !== 'HEAD') || (status <= 302 && method === 'POST')) {
        method = 'GET';
        bytes = null;
        for (const name of [
          'content-encoding',
          'content-language',
          'content-location',
          'content-type',
          'content-length',
        ]) {
          headers.delete(name);
        }
      }
      if (next.origin !== new URL(url).origin) {
        for (const name of ['authorization', 'proxy-authorization', 'cookie', 'host']) headers.delete(name);
      }
      url = next.href;
      text = next.href;
    }
  }

  kit.define('Request', Request);
  kit.define('Response', Response);
  kit.define('fetch', fetch);
}
