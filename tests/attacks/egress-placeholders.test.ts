import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HeaderPair } from '../../main/core/door.ts';
import type { EgressSecret } from '../../main/core/egressSpec.ts';
import { REDACTION_MASK } from '../../main/core/redaction.ts';
import { type EgressHouse, fakeKey, type OpenSession, readReply, startEgressHouse } from '../support/egressHouse.ts';
import { type FrontEnd, frontEnd, frontEnds } from '../support/frontEnds.ts';
import { type Answer, echo } from '../support/httpsUpstream.ts';

// ATTACKS section E. E89, E111: values are refused when they are entered (core/secretRules). E102: binding to echo
// hosts is refused there too. E106: what the code's environment holds is the business of runs and backends. E107: there
// is no way past TLS here, every exchange of a bound secret is ours. E100, E101: stated on the card.

const host = 'api.allowed.com';
const other = 'other.allowed.com';
const url = `https://${host}/v1`;
let house: EgressHouse;
let run: OpenSession;
let send: FrontEnd['send'];
let close: FrontEnd['close'];
let secret: EgressSecret;

beforeAll(async () => {
  house = await startEgressHouse([host, other, 'api.anthropic.com', 'gitlab.com']);
});
afterAll(() => house.close());
afterEach(() => {
  run.session.close();
  house.upstream.setAnswer(echo);
  return close();
});

function openRun(...secrets: readonly EgressSecret[]): OpenSession {
  secret = secrets[0] ?? house.secret();
  run = house.open({ secrets: secrets.length === 0 ? [secret] : secrets });
  return run;
}

const received = () => house.upstream.received.at(-1);
const received64 = (): string =>
  Buffer.from((received()?.headers.authorization ?? '').split(' ')[1] ?? '', 'base64').toString();

describe.each(frontEnds)('as the %s sandbox asks', (name) => {
  beforeAll(() => {
    ({ send, close } = frontEnd(name));
  });

  describe('where a secret is put in', () => {
    it.each(['Bearer', 'token', 'Bot', 'Key', 'AWS4-HMAC-SHA256 Credential='])(
      '%s in Authorization',
      async (scheme) => {
        const { session, records } = openRun();
        const reply = await send(session, url, { headers: { Authorization: `${scheme} ${secret.placeholder}` } });
        expect(received()?.headers.authorization).toBe(`${scheme} ${secret.value}`);
        expect(reply.text).not.toContain(secret.value);
        expect(records[0]).toMatchObject({ secrets: ['API_KEY'], status: 200, refused: null });
      },
    );

    it('Authorization without a scheme', async () => {
      const { session } = openRun();
      await send(session, url, { headers: { authorization: secret.placeholder } });
      expect(received()?.headers.authorization).toBe(secret.value);
    });

    it('E86 Basic credentials are decoded, swapped and encoded again', async () => {
      const { session, records } = openRun();
      const credentials = Buffer.from(`user:${secret.placeholder}`).toString('base64');
      const reply = await send(session, url, { headers: { Authorization: `Basic ${credentials}` } });
      expect(received64()).toBe(`user:${secret.value}`);
      expect(records[0]?.secrets).toEqual(['API_KEY']);
      expect(reply.text).not.toContain(Buffer.from(secret.value).toString('base64').slice(4, 24));
    });

    it('E86 broken base64 and base64 of other schemes stay as they are', async () => {
      const { session, records } = openRun();
      const whole = Buffer.from(`a:${secret.placeholder}`.padEnd(48, '.')).toString('base64');
      const base64 = Buffer.from(`user:${secret.placeholder}`).toString('base64');
      for (const value of [
        'Basic !!!!',
        'Basic A',
        'Basic ',
        `Basic ${whole}A`,
        `Bearer ${base64}`,
        `Digest ${base64}`,
      ]) {
        await send(session, url, { headers: { Authorization: value } });
        expect(received()?.headers.authorization).toBe(value.trim());
      }
      expect(records.flatMap((record) => record.secrets)).toEqual([]);
    });

    it('the well-known header of a host, and a header that the owner declared', async () => {
      const anthropic = house.secret({ name: 'ANTHROPIC_API_KEY', hosts: ['api.anthropic.com'] });
      const custom = house.secret({ name: 'CUSTOM', headers: ['X-Custom-Key'] });
      const { session } = openRun(anthropic, custom);
      await send(session, 'https://api.anthropic.com/v1/messages', { headers: { 'x-api-key': anthropic.placeholder } });
      expect(received()?.headers['x-api-key']).toBe(anthropic.value);
      await send(session, url, { headers: { 'X-Custom-Key': custom.placeholder } });
      expect(received()?.headers['x-custom-key']).toBe(custom.value);
    });

    it('over plain http only towards a local service that the owner bound with its port', async () => {
      const lan = await startEgressHouse(['lamp.local'], { plain: true });
      try {
        const bound = lan.secret({ hosts: ['lamp.local:8123'] });
        run = lan.open({ network: ['lamp.local:8123'], secrets: [bound] });
        const headers = { Authorization: `Bearer ${bound.placeholder}` };
        expect((await send(run.session, 'http://lamp.local:8123/', { headers })).status).toBe(200);
        expect(lan.upstream.received.at(-1)?.headers.authorization).toBe(`Bearer ${bound.value}`);
      } finally {
        await lan.close();
      }
    });
  });

  describe('E85 places that the owner turned on', () => {
    it('a query parameter by its name, encoded', async () => {
      const keyed = house.secret({ value: `${fakeKey()} +&=/`, query: ['key'] });
      const { session, records } = openRun(keyed);
      const reply = await send(session, `${url}?a=1&key=${keyed.placeholder}&b=2`);
      expect(received()?.path).toBe(`/v1?a=1&key=${encodeURIComponent(keyed.value)}&b=2`);
      expect(records).toMatchObject([{ path: '/v1', secrets: ['API_KEY'] }]);
      expect(reply.text).not.toContain(encodeURIComponent(keyed.value));
    });

    it.each(['other=PLACEHOLDER', 'PLACEHOLDER', 'PLACEHOLDER=1', 'key=1&keys=PLACEHOLDER'])(
      'no other place in the query: %s',
      async (query) => {
        const keyed = house.secret({ query: ['key'] });
        const { session, trips } = openRun(keyed);
        const reply = await send(session, `${url}?${query.replace('PLACEHOLDER', keyed.placeholder)}`);
        expect(reply.error).toBe('placeholder_misplaced');
        expect(trips).toHaveLength(1);
      },
    );

    it('the path, with the record showing where it stood', async () => {
      const bot = house.secret({ value: `123456:${fakeKey()}/x`, path: true });
      const { session, records } = openRun(bot);
      await send(session, `https://${host}/bot${bot.placeholder}/sendMessage`);
      expect(received()?.path).toBe(`/bot${bot.value.replace('/', '%2F')}/sendMessage`);
      expect(records).toMatchObject([{ path: '/bot[placeholder]/sendMessage', secrets: ['API_KEY'] }]);
    });

    it('towards bound hosts only', async () => {
      const bot = house.secret({ path: true, query: ['key'] });
      const { session } = openRun(bot);
      expect((await send(session, `https://${other}/bot${bot.placeholder}`)).error).toBe('secret_not_bound');
      expect((await send(session, `https://${other}/?key=${bot.placeholder}`)).error).toBe('secret_not_bound');
    });
  });

  describe('where it is not', () => {
    it('E80 a host that is allowed but not bound: refused, and nothing leaves', async () => {
      const { session, records, trips } = openRun();
      const before = house.upstream.connections();
      const reply = await send(session, `https://${other}/`, {
        headers: { Authorization: `Bearer ${secret.placeholder}` },
      });
      expect(reply).toMatchObject({ status: 403, error: 'secret_not_bound' });
      expect(house.upstream.connections()).toBe(before);
      expect(records[0]).toMatchObject({ refused: 'secret_not_bound', secrets: [], host: other });
      expect(trips).toEqual([]);
    });

    it('E80 the same name on two hosts: each value goes to its own host only', async () => {
      const first = house.secret({ name: 'KEY', hosts: [host] });
      const second = { ...house.secret({ name: 'KEY', hosts: [other] }), secretId: 'sec_second' };
      const { session } = openRun(first, second);
      await send(session, url, { headers: { Authorization: `Bearer ${first.placeholder}` } });
      expect(received()?.headers.authorization).toBe(`Bearer ${first.value}`);
      await send(session, `https://${other}/`, { headers: { Authorization: `Bearer ${second.placeholder}` } });
      expect(received()?.headers.authorization).toBe(`Bearer ${second.value}`);
      const crossed = await send(session, `https://${other}/`, {
        headers: { Authorization: `Bearer ${first.placeholder}` },
      });
      expect(crossed.error).toBe('secret_not_bound');
    });

    it.each([
      'User-Agent',
      'Sec-WebSocket-Protocol',
      'Origin',
      'Referer',
      'X-Request-Id',
      'traceparent',
      'Idempotency-Key',
      'Content-Disposition',
      'Prefer',
      'Last-Event-ID',
      'If-None-Match',
      'If-Match',
      'Accept',
      'Accept-Language',
      'Sec-CH-UA',
      'X-Forwarded-For',
      'Cookie',
      'X-Api-Key',
      'Content-Type',
      'X-Anything-Else',
    ])('E81 E83 E104 the header %s: refused, and the run is to be stopped', async (name) => {
      const { session, records, trips } = openRun();
      const before = house.upstream.connections();
      const reply = await send(session, url, { headers: { [name]: `a ${secret.placeholder} b` } });
      expect(reply).toMatchObject({ status: 403, error: 'placeholder_misplaced' });
      expect(house.upstream.connections()).toBe(before);
      expect(trips).toEqual([
        {
          secrets: [{ secretId: secret.secretId, name: 'API_KEY' }],
          method: 'GET',
          host,
          port: 443,
          where: 'header',
          header: name.toLowerCase(),
        },
      ]);
      expect(JSON.stringify([records, trips, reply])).not.toContain(secret.placeholder);
    });

    it('E83 the name of a header', async () => {
      const { session, trips } = openRun();
      const reply = await send(session, url, { headers: { [`X-${secret.placeholder}`]: '1' } });
      expect(reply.error).toBe('placeholder_misplaced');
      expect(trips).toMatchObject([{ where: 'header', header: null }]);
    });

    it('E83 once it happened nothing more gets out, and what is open is cut', async () => {
      const { session, records } = openRun();
      let arrive = (): void => {};
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      house.upstream.setAnswer(() => arrive());
      const waiting = send(session, url);
      await arrived;
      await send(session, `${url}?key=${secret.placeholder}`);
      expect((await waiting).error).toBe('session_closed');
      expect((await send(session, url)).error).toBe('session_closed');
      expect(records).toHaveLength(3);
    });

    it('E83 the well-known header of another host', async () => {
      const { session, trips } = openRun();
      await send(session, url, { headers: { 'private-token': secret.placeholder } });
      expect(trips).toHaveLength(1);
    });

    it('E83 a header declared for another secret', async () => {
      const declared = house.secret({ name: 'DECLARED', headers: ['x-custom-key'] });
      const plain = house.secret({ name: 'PLAIN' });
      const { session, trips } = openRun(declared, plain);
      await send(session, url, { headers: { 'x-custom-key': plain.placeholder } });
      expect(trips.map((trip) => trip.secrets[0]?.name)).toEqual(['PLAIN']);
    });

    const percentEncoded = (text: string): string =>
      [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

    it.each<[string, (placeholder: string) => string]>([
      ['the path', (p) => `/bot${p}/send`],
      ['the query', (p) => `/?key=${p}`],
      ['a percent-encoded query', (p) => `/?key=${percentEncoded(p)}`],
      ['a doubly percent-encoded path', (p) => `/${percentEncoded(percentEncoded(p))}`],
      ['another case', (p) => `/${p.toUpperCase()}`],
    ])('E85 %s: refused, and the run is to be stopped', async (_what, pathOf) => {
      const { session, records, trips } = openRun();
      const before = house.upstream.connections();
      const reply = await send(session, `https://${host}${pathOf(secret.placeholder)}`);
      expect(reply).toMatchObject({ status: 403, error: 'placeholder_misplaced' });
      expect(trips).toMatchObject([{ where: 'url', header: null }]);
      expect(house.upstream.connections()).toBe(before);
      expect(decodeURIComponent(decodeURIComponent(JSON.stringify(records))).toLowerCase()).not.toContain(
        secret.placeholder.toLowerCase(),
      );
    });

    it('the host name under a wildcard', async () => {
      secret = house.secret();
      run = house.open({ network: ['*.allowed.com'], secrets: [secret] });
      const reply = await send(run.session, `https://${secret.placeholder.slice(0, 60)}.allowed.com/`);
      expect(reply).toMatchObject({ status: 403, error: 'placeholder_misplaced' });
      expect(house.lookups).toEqual([]);
      expect(JSON.stringify(run.records).toLowerCase()).not.toContain(secret.placeholder.toLowerCase());
    });

    it('E84 E108 a body: passes as it is, and the record says so', async () => {
      const { session, records } = openRun();
      const text = JSON.stringify({ messages: [{ content: `env: API_KEY=${secret.placeholder}` }] });
      await send(session, url, { method: 'POST', body: Buffer.from(text) });
      expect(received()?.body.toString()).toBe(text);
      expect(records[0]).toMatchObject({ placeholderInBody: true, secrets: [], refused: null, bytesOut: text.length });
    });

    it('E108 a body in pieces is noticed too', async () => {
      const { session, records } = openRun();
      const bytes = Buffer.from(`x${secret.placeholder}y`);
      const body = (async function* () {
        for (const byte of bytes) yield Uint8Array.of(byte);
      })();
      await send(session, url, { method: 'POST', body });
      expect(received()?.body).toEqual(bytes);
      expect(records[0]?.placeholderInBody).toBe(true);
      await send(session, url, { method: 'POST', body: Buffer.from('nothing here') });
      expect(records[1]?.placeholderInBody).toBe(false);
    });

    it('E93 plain http to a bound public host', async () => {
      secret = house.secret({ hosts: [`${host}:80`] });
      house.services.delete(host);
      try {
        run = house.open({ network: [`${host}:80`], secrets: [secret] });
      } finally {
        house.services.set(host, { address: '127.0.0.1', port: house.upstream.port });
      }
      const reply = await send(run.session, `http://${host}/`, { headers: { Authorization: secret.placeholder } });
      expect(reply).toMatchObject({ status: 403, error: 'tls_required' });
      expect(house.lookups).toEqual([]);
    });
  });

  describe('E93 plain http to a local service', () => {
    it('that the owner bound by a wildcard only', async () => {
      const lan = await startEgressHouse(['lamp.example.com'], { plain: true });
      try {
        const bound = lan.secret({ hosts: ['*.example.com:8123'] });
        run = lan.open({ network: ['lamp.example.com:8123'], secrets: [bound] });
        const headers = { Authorization: `Bearer ${bound.placeholder}` };
        expect((await send(run.session, 'http://lamp.example.com:8123/', { headers })).error).toBe('tls_required');
        expect(lan.upstream.connections()).toBe(0);
      } finally {
        await lan.close();
      }
    });
  });

  describe('tricks with stand-ins', () => {
    it('E88 one pass: a value that holds another placeholder is not looked at again', async () => {
      const inner = house.secret({ name: 'INNER' });
      const outer = house.secret({ name: 'OUTER', value: `value-${inner.placeholder}-end` });
      const { session } = openRun(outer, inner);
      await send(session, url, { headers: { Authorization: outer.placeholder } });
      expect(received()?.headers.authorization).toBe(outer.value);
    });

    it('E88 twice, and nested in each other', async () => {
      const { session } = openRun();
      const half = secret.placeholder.slice(0, 9);
      const nested = `${half}${secret.placeholder}${secret.placeholder.slice(9)}`;
      await send(session, url, { headers: { Authorization: `${secret.placeholder} ${secret.placeholder} ${nested}` } });
      expect(received()?.headers.authorization).toBe(
        `${secret.value} ${secret.value} ${half}${secret.value}${secret.placeholder.slice(9)}`,
      );
    });

    it('a value with $ patterns arrives letter for letter', async () => {
      const tricky = house.secret({ value: 'fake-$&-$1-$$-$`-key' });
      const { session } = openRun(tricky);
      await send(session, url, { headers: { Authorization: `Bearer ${tricky.placeholder}` } });
      expect(received()?.headers.authorization).toBe(`Bearer ${tricky.value}`);
    });

    it('B38 E89 a value with a line break never reaches a header, and does not show in the answer', async () => {
      const broken = house.secret({ value: `${fakeKey()}\r\nX-Evil: 1` });
      const { session } = openRun(broken);
      const before = house.upstream.connections();
      const reply = await send(session, url, { headers: { Authorization: broken.placeholder } });
      expect(reply.error).toBe('secret_unusable');
      expect(reply.text).not.toContain('X-Evil');
      expect(house.upstream.connections()).toBe(before);
    });

    it('E90 E91 a stand-in of another run is only text', async () => {
      const earlier = openRun();
      const old = secret;
      earlier.session.close();
      const { session, records } = openRun();
      await send(session, url, { headers: { Authorization: `Bearer ${old.placeholder}` } });
      expect(received()?.headers.authorization).toBe(`Bearer ${old.placeholder}`);
      expect(records[0]?.secrets).toEqual([]);
      expect((await send(earlier.session, url)).error).toBe('session_closed');
    });

    it('B45 a redirect that bounces the stand-in to another host ends there', async () => {
      house.upstream.setAnswer((_request, response) => {
        response.writeHead(307, { location: `https://${other}/steal` });
        response.end();
      });
      const { session } = openRun();
      const headers = { Authorization: `Bearer ${secret.placeholder}` };
      const reply = await send(session, url, { method: 'POST', headers });
      const location = reply.headers.find(([name]) => name === 'location')?.[1] ?? '';
      expect((await send(session, location, { method: 'POST', headers })).error).toBe('secret_not_bound');
    });
  });

  describe('what comes back', () => {
    const authorize = (): Readonly<Record<string, string>> => ({ Authorization: `Bearer ${secret.placeholder}` });

    it.each<[string, readonly HeaderPair[]]>([
      ['nothing', []],
      ['packed ones', [['Accept-Encoding', 'gzip, br, zstd']]],
      ['anything', [['accept-encoding', '*']]],
      ['no plain ones', [['ACCEPT-ENCODING', 'identity;q=0, gzip;q=1']]],
      [
        'it twice',
        [
          ['Accept-Encoding', 'identity'],
          ['accept-encoding', 'br'],
        ],
      ],
    ])('E94 the host of a secret is asked for plain answers when the code asks for %s', async (_what, asked) => {
      const { session } = openRun();
      await send(session, url, { headers: [...Object.entries(authorize()), ...asked] });
      expect(received()?.headers).toMatchObject({
        authorization: `Bearer ${secret.value}`,
        'accept-encoding': 'identity',
      });
    });

    it.each<[string, (bytes: Buffer) => Buffer]>([
      ['gzip', gzipSync],
      ['x-gzip', gzipSync],
      ['deflate', deflateSync],
      ['deflate', deflateRawSync],
      ['br', brotliCompressSync],
      ['identity', (bytes) => bytes],
      ['GZIP', gzipSync],
    ])('E94 an echo packed as %s is unpacked and redacted', async (encoding, pack) => {
      house.upstream.setAnswer((request, response) => {
        const packed = pack(Buffer.from(`key: ${request.headers.authorization}!`));
        response.writeHead(200, { 'content-encoding': encoding, 'content-length': packed.length });
        response.end(packed);
      });
      const { session } = openRun();
      const reply = await send(session, url, { headers: authorize() });
      expect(reply.text).toBe(`key: Bearer ${REDACTION_MASK}!`);
      expect(reply.headers.map(([name]) => name)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/content-(encoding|length)/i)]),
      );
    });

    it.each(['zstd', 'compress', 'gzip, br', 'aes128gcm', 'gzip;q=1'])(
      'E94 an answer packed as %s is refused',
      async (encoding) => {
        house.upstream.setAnswer((_request, response) => {
          response.writeHead(200, { 'content-encoding': encoding });
          response.end('whatever');
        });
        const { session, records } = openRun();
        expect(await send(session, url, { headers: authorize() })).toMatchObject({
          status: 502,
          error: 'encoding_refused',
        });
        expect(records).toMatchObject([{ refused: 'encoding_refused', secrets: ['API_KEY'] }]);
      },
    );

    it('E94 a bomb is cut at the cap', async () => {
      house.upstream.setAnswer((_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(gzipSync(Buffer.alloc(50_000_000)));
      });
      run = house.open({ limits: { maxBytesIn: 1_000_000 } });
      const response = await run.session.request({ method: 'GET', url, headers: [], body: null });
      let total = 0;
      const reading = async (): Promise<void> => {
        for await (const chunk of response.body) total += chunk.length;
      };
      await expect(reading()).rejects.toMatchObject({ code: 'download_limit' });
      expect(total).toBeLessThanOrEqual(1_000_000);
      expect(run.records).toMatchObject([{ refused: 'download_limit' }]);
    });

    it('E94 what is not really packed is an error', async () => {
      house.upstream.setAnswer((_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end('plainly not gzip');
      });
      const { session, records } = openRun();
      await expect(send(session, url)).rejects.toThrow();
      expect(records).toMatchObject([{ refused: 'upstream_protocol' }]);
    });

    it('E96 headers, cookies and the status text are redacted, trailers dropped', async () => {
      house.upstream.setAnswer((request, response) => {
        const key = String(request.headers.authorization).slice(7);
        response.socket?.end(
          [
            `HTTP/1.1 200 ${key}`,
            `X-Echo: ${key}`,
            `Set-Cookie: a=${key}`,
            `Set-Cookie: b=${encodeURIComponent(key)}`,
            `Location: https://x/?k=${Buffer.from(key).toString('base64url')}`,
            `WWW-Authenticate: Bearer realm="${key}"`,
            `Server-Timing: ${Buffer.from(key).toString('hex')}`,
            `X-${key}: name`,
            'Transfer-Encoding: chunked',
            'Trailer: X-Trailer',
            '',
            '2',
            'ok',
            '0',
            `X-Trailer: ${key}`,
            '',
            '',
          ].join('\r\n'),
        );
      });
      const { session } = openRun();
      const response = await session.request({
        method: 'GET',
        url,
        headers: [['Authorization', `Bearer ${secret.placeholder}`]],
        body: null,
      });
      expect(response.statusText).toBe('OK');
      const { value } = secret;
      const seen = JSON.stringify([response.statusText, response.headers]);
      for (const spelling of [value, Buffer.from(value).toString('hex'), Buffer.from(value).toString('base64url')]) {
        expect(seen).not.toContain(spelling);
      }
      expect(response.headers.filter(([name]) => name === 'Set-Cookie')).toEqual<HeaderPair[]>([
        ['Set-Cookie', `a=${REDACTION_MASK}`],
        ['Set-Cookie', `b=${REDACTION_MASK}`],
      ]);
      expect(await readReply(response)).toMatchObject({ text: 'ok' });
    });

    it('E98 an echo cut into single bytes is redacted', async () => {
      house.upstream.setAnswer(async (request, response) => {
        for (const byte of Buffer.from(`<${request.headers.authorization}>`)) {
          response.write(Uint8Array.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end();
      });
      const { session } = openRun();
      expect((await send(session, url, { headers: authorize() })).text).toBe(`<Bearer ${REDACTION_MASK}>`);
    });

    it('E98 an event stream does not stall: each event arrives before the next is sent', async () => {
      let sendNext = (): void => {};
      const sse: Answer = async (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const word of ['one', 'two', 'three']) {
          const asked = new Promise<void>((resolve) => {
            sendNext = resolve;
          });
          response.write(`data: ${word}\n\n`);
          await asked;
        }
        response.end();
      };
      house.upstream.setAnswer(sse);
      const { session } = openRun();
      const response = await session.request({ method: 'GET', url, headers: [], body: null });
      let text = '';
      for await (const chunk of response.body) {
        text += Buffer.from(chunk).toString();
        if (text.endsWith('\n\n')) sendNext();
      }
      expect(text).toBe('data: one\n\ndata: two\n\ndata: three\n\n');
    });

    it('E98 what only looked like the beginning of a secret arrives when the answer ends', async () => {
      const { session } = openRun();
      house.upstream.setAnswer((_request, response) => void response.end(`ends with ${secret.value.slice(0, 12)}`));
      expect((await send(session, url)).text).toBe(`ends with ${secret.value.slice(0, 12)}`);
    });

    it('E99 an echo in another spelling is redacted', async () => {
      house.upstream.setAnswer((request, response) => {
        const key = String(request.headers.authorization).slice(7);
        const bytes = Buffer.from(key);
        response.end(
          [
            bytes.toString('base64'),
            Buffer.from(`x${key}`).toString('base64'),
            bytes.toString('base64url'),
            bytes.toString('hex'),
            bytes.toString('hex').toUpperCase(),
            [...bytes].map((byte) => `%${byte.toString(16)}`).join(''),
            [...key].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
            [...key].reverse().join(''),
          ].join('\n'),
        );
      });
      const { session } = openRun();
      const reply = await send(session, url, { headers: authorize() });
      const bytes = Buffer.from(secret.value);
      const spellings = [
        secret.value,
        bytes.toString('base64').slice(0, 20),
        bytes.toString('hex'),
        [...secret.value].reverse().join(''),
      ];
      for (const spelling of spellings) expect(reply.text.toLowerCase()).not.toContain(spelling.toLowerCase());
    });

    it('E103 the length of an echo is not told', async () => {
      const { session } = openRun();
      const lengthOf = async (method: string): Promise<unknown> => {
        const reply = await send(session, url, { method, headers: authorize() });
        return reply.headers.find(([name]) => name.toLowerCase() === 'content-length');
      };
      house.upstream.setAnswer((request, response) => {
        const text = String(request.headers.authorization);
        response.writeHead(200, { 'Content-Length': text.length });
        response.end(text);
      });
      expect(await lengthOf('GET')).toBeUndefined();
      expect(await lengthOf('HEAD')).toBeUndefined();
    });

    it('secrets of the run are redacted in answers of hosts that they are not bound to, too', async () => {
      const { session } = openRun();
      house.upstream.setAnswer((_request, response) => void response.end(`leak: ${secret.value}`));
      expect((await send(session, `https://${other}/`)).text).toBe(`leak: ${REDACTION_MASK}`);
    });

    it('a failure names its cause and never a value', async () => {
      const { session, records } = openRun();
      house.upstream.setAnswer((_request, response) => void response.socket?.destroy());
      const reply = await send(session, url, { headers: authorize() });
      expect(reply).toMatchObject({ status: 502, error: 'upstream_protocol' });
      expect(JSON.stringify([reply, records])).not.toContain(secret.value);
    });
  });
});
