import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startHttpsUpstream, type UpstreamServer } from '../../tests/support/httpsUpstream.ts';
import { type FetchTextContext, fetchText } from './fetchText.ts';
import { trustContext } from './roots.ts';
import { Upstream } from './upstream.ts';

const url = 'https://files.example.com/skill.ts';
let server: UpstreamServer;
let context: FetchTextContext;

beforeAll(async () => {
  const started = await startHttpsUpstream(['files.example.com', 'raw.example.com']);
  server = started;
  context = {
    upstream: new Upstream(trustContext([started.authorityPem])),
    resolver: async (host) => (host === 'inside.example.com' ? ['10.0.0.1'] : Promise.reject(new Error('none'))),
    localServices: new Map(
      ['files.example.com', 'raw.example.com'].map((name) => [name, { address: '127.0.0.1', port: started.port }]),
    ),
  };
});
afterAll(() => server.close());
afterEach(() => server.setAnswer((_request, response) => void response.end('code')));

const redirectTo = (location: string): void =>
  server.setAnswer((request, response) => {
    if (request.path !== '/skill.ts') return void response.end(`end of ${request.path}`);
    response.writeHead(302, { location });
    response.end();
  });

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );

describe('fetchText', () => {
  it('returns the exact bytes and where they came from', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0xff]);
    server.setAnswer((_request, response) => void response.end(bytes));
    const fetched = await fetchText(url, context);
    expect(Buffer.from(fetched.bytes)).toEqual(bytes);
    expect(fetched.finalUrl).toBe(url);
    expect(server.received.at(-1)?.headers).toMatchObject({ host: 'files.example.com', 'accept-encoding': 'identity' });
    expect(server.received.at(-1)?.headers).not.toHaveProperty('authorization');
  });

  it('follows redirects over https and tells where they ended', async () => {
    redirectTo('https://raw.example.com/file');
    expect((await fetchText(url, context)).finalUrl).toBe('https://raw.example.com/file');
    redirectTo('/other');
    expect((await fetchText(url, context)).finalUrl).toBe('https://files.example.com/other');
  });

  it.each([
    ['http://files.example.com/skill.ts', 'not_https'],
    ['ftp://files.example.com/', 'url_invalid'],
    ['https://user@files.example.com/', 'url_invalid'],
    ['https://127.1/', 'url_invalid'],
    ['https://127.0.0.1/', 'address_refused'],
    ['https://[::1]/', 'address_refused'],
    ['https://inside.example.com/', 'address_refused'],
    ['https://nowhere.example.com/', 'dns_failed'],
  ])('refuses %s, also as the target of a redirect', async (target, code) => {
    expect(await codeOf(fetchText(target, context))).toBe(code);
    const before = server.received.length;
    redirectTo(target);
    const redirected = await codeOf(fetchText(url, context));
    expect(redirected).toMatch(/not_https|url_invalid|address_refused|dns_failed/);
    expect(server.received.length).toBe(before + 1);
  });

  it('gives up after three redirects', async () => {
    server.setAnswer((_request, response) => {
      response.writeHead(301, { location: '/again' });
      response.end();
    });
    const before = server.received.length;
    expect(await codeOf(fetchText(url, context))).toBe('too_many_redirects');
    expect(server.received.length).toBe(before + 4);
  });

  it('refuses more than it may take, announced or not', async () => {
    server.setAnswer((_request, response) => void response.end(Buffer.alloc(1_048_577)));
    expect(await codeOf(fetchText(url, context))).toBe('too_large');
    server.setAnswer((_request, response) => void response.end(Buffer.alloc(1_048_576)));
    expect((await fetchText(url, context)).bytes.length).toBe(1_048_576);
  });

  it('gives up when its time is over, however the bytes trickle', async () => {
    server.setAnswer((_request, response) => void response.write('a'));
    expect(await codeOf(fetchText(url, context, { timeoutMs: 150 }))).toBe('timeout');
  });

  it('refuses a compressed answer and any status but 200', async () => {
    server.setAnswer((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end('x');
    });
    expect(await codeOf(fetchText(url, context))).toBe('encoding_refused');
    server.setAnswer((_request, response) => {
      response.writeHead(404);
      response.end('x');
    });
    expect(await codeOf(fetchText(url, context))).toBe('bad_status');
  });

  it('stops when it is told to', async () => {
    server.setAnswer((_request, response) => void response.write('a'));
    expect(await codeOf(fetchText(url, context, { signal: AbortSignal.abort() }))).toBe('unreachable');
  });
});
