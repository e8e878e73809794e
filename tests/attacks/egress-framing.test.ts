import { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HeaderPair } from '../../main/core/door.ts';
import { type EgressHouse, type OpenSession, send as sendToGateway, startEgressHouse } from '../support/egressHouse.ts';
import { type FrontEnd, frontEnd, frontEnds } from '../support/frontEnds.ts';
import { echo } from '../support/httpsUpstream.ts';

// ATTACKS section B for what the engine decides, through both front ends. The framing of bytes (B31, inner CONNECT of B34,
// B35, B42, B50, B51) is the proxy's alone: messages have none; see egress-proxy.test.ts. B54: there are no path rules;
// the recorded path is the canonical one (last test).

const host = 'api.allowed.com';
const url = `https://${host}/v1`;
let house: EgressHouse;
let run: OpenSession;
let send: FrontEnd['send'];
let close: FrontEnd['close'];

beforeAll(async () => {
  house = await startEgressHouse([host]);
});
afterAll(() => house.close());
afterEach(async () => {
  run.session.close();
  await close();
  house.upstream.setAnswer(echo);
});

async function expectRefused(
  code: string,
  headers: readonly HeaderPair[],
  method = 'GET',
  target = url,
): Promise<void> {
  run = house.open();
  const before = house.upstream.connections();
  const reply = await send(run.session, target, { method, headers });
  // Bytes that are no HTTP, or are too many, are refused before the engine is asked; it is told.
  const unread = [400, 431].includes(reply.status);
  expect(reply).toMatchObject(
    unread ? { error: expect.stringMatching(`request_invalid|${code}`) } : { status: 403, error: code },
  );
  expect(house.upstream.connections()).toBe(before);
  expect(run.records).toMatchObject([{ status: reply.status, refused: reply.error }]);
}

/** The raw request that the upstream received on its last connection. */
const lastWire = (): string => house.upstream.wire().at(-1)?.toString('latin1') ?? '';

describe.each(frontEnds)('as the %s sandbox asks', (name) => {
  beforeAll(() => {
    ({ send, close } = frontEnd(name));
  });

  describe('the Host header', () => {
    it.each(['evil.com', 'evil.com:443', `x@${host}`, `${host}:8443`, `${host}:0443`, `${host}, evil.com`, ''])(
      'B29 B30 B32 %j that is not the URL is refused',
      (value) => expectRefused('host_mismatch', [['Host', value]]),
    );

    it('B30 two of them are refused even when equal', () =>
      expectRefused('header_invalid', [
        ['Host', host],
        ['host', host],
      ]));

    it('an equal one is replaced by ours, once', async () => {
      run = house.open();
      await send(run.session, url, { headers: [['Host', `API.allowed.com:443`]] });
      expect(lastWire().match(/^host:.*$/gim)).toEqual([`host: ${host}`]);
    });
  });

  describe('methods and upgrades', () => {
    it.each(['CONNECT', 'TRACE', 'TRACK', 'PRI', 'get', ''])('B34 %j is refused', (method) =>
      expectRefused('method_not_allowed', [], method),
    );

    it.each(['websocket', 'h2c', 'TLS/1.2'])('B34 B49 an upgrade to %s is refused', (protocol) =>
      expectRefused('upgrade_refused', [
        ['Connection', 'Upgrade'],
        ['Upgrade', protocol],
      ]),
    );

    it('B47 an upstream that switches protocols unasked is cut off', async () => {
      house.upstream.setAnswer((_request, response) => {
        response.socket?.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello',
        );
      });
      run = house.open();
      expect(await send(run.session, url)).toMatchObject({ status: 502, error: 'upstream_protocol' });
    });
  });

  describe('header names and values', () => {
    it.each<[string, HeaderPair]>([
      ['a bare LF', ['X-A', 'b\nX-Evil: 1']],
      ['NUL', ['X-A', 'a\0b']],
      ['a name with a space', ['X A', '1']],
      ['an empty name', ['', '1']],
      ['a name that is not ASCII', ['X-Ä', '1']],
    ])('B38 %s is refused', (_what, header) => expectRefused('header_invalid', [header]));

    it('B41 too many or too large headers are refused', async () => {
      await expectRefused(
        'headers_too_large',
        Array.from({ length: 10_000 }, (_, i): HeaderPair => [`x-${i}`, '1']),
      );
      run.session.close();
      await expectRefused('headers_too_large', [['x-a', 'a'.repeat(1_048_576)]]);
    });

    it('B36 a header named __proto__ is a header', async () => {
      run = house.open();
      await send(run.session, url, { headers: [['__proto__', 'x']] });
      expect(lastWire()).toMatch(/^__proto__: x\r$/m);
    });

    it('B37 hop-by-hop headers go first, so that Connection cannot name what is put in later', async () => {
      const secret = house.secret();
      run = house.open({ secrets: [secret] });
      await send(run.session, url, {
        headers: [
          ['Connection', 'Authorization, X-Dropped, host'],
          ['X-Dropped', '1'],
          ['Keep-Alive', 'timeout=5'],
          ['Proxy-Authorization', 'Basic eA=='],
          ['TE', 'trailers'],
          ['Trailer', 'X-T'],
          ['X-Kept', '1'],
        ],
      });
      expect(lastWire()).not.toMatch(/^(x-dropped|keep-alive|proxy-authorization|te|trailer):/im);
      expect(lastWire()).toMatch(/^x-kept: 1\r$/m);
      expect(lastWire()).toMatch(/^connection: keep-alive\r$/m);
      expect(lastWire()).toMatch(/^host: api.allowed.com\r$/m);
    });

    it('B40 Expect is dropped, and a refused request never has its body read', async () => {
      run = house.open();
      let read = false;
      const body = (async function* () {
        read = true;
        yield new Uint8Array(1);
      })();
      await sendToGateway(run.session, 'https://evil.com/', {
        method: 'POST',
        headers: [['Expect', '100-continue']],
        body,
      });
      expect(read).toBe(false);
      await send(run.session, url, { headers: [['Expect', '100-continue']] });
      expect(lastWire()).not.toMatch(/^expect:/im);
    });

    it('Range is dropped, since pieces of an echo would escape redaction', async () => {
      run = house.open();
      await send(run.session, url, { headers: { Range: 'bytes=0-3', 'If-Range': '"x"' } });
      expect(lastWire()).not.toMatch(/^(if-)?range:/im);
    });
  });

  describe('answers', () => {
    it('B43 a connection serves requests of one run with the same secrets, and nobody else', async () => {
      const secrets = [house.secret({ name: 'ONE_KEY' }), house.secret({ name: 'OTHER_KEY' })];
      const [one, other] = secrets.map(({ placeholder }) => ({ headers: { Authorization: `Bearer ${placeholder}` } }));
      run = house.open({ secrets });
      const before = house.upstream.connections();
      for (const options of [{}, one, other, one, other, {}]) await send(run.session, url, options);
      expect(house.upstream.connections()).toBe(before + 3);
      run.session.close();
      await close();
      run = house.open({ secrets });
      await send(run.session, url);
      expect(house.upstream.connections()).toBe(before + 4);
    });

    it('B43 nothing that was kept outlives its run', async () => {
      let closed = 0;
      house.upstream.setAnswer((_request, response) => {
        response.socket?.once('close', () => {
          closed += 1;
        });
        response.end('ok');
      });
      run = house.open();
      await send(run.session, url);
      expect(closed).toBe(0);
      run.session.close();
      await expect.poll(() => closed).toBe(1);
    });

    it('B43 a run resumes its own TLS session, never that of another run', async () => {
      house.upstream.setAnswer((_request, response) => {
        const { socket } = response;
        response.end(socket instanceof TLSSocket && socket.isSessionReused() ? 'resumed' : 'full');
      });
      // What must not be sent twice gets a connection of its own.
      const body = { method: 'POST', body: Buffer.from('x') };
      run = house.open();
      expect((await send(run.session, url, body)).text).toBe('full');
      expect((await send(run.session, url, body)).text).toBe('resumed');
      run.session.close();
      await close();
      run = house.open();
      expect((await send(run.session, url, body)).text).toBe('full');
    });

    it.each([301, 302, 303, 307, 308])('B44 a %i is handed back and not followed', async (status) => {
      house.upstream.setAnswer((_request, response) => {
        response.writeHead(status, { location: 'https://evil.com/?x' });
        response.end();
      });
      run = house.open();
      const before = house.upstream.received.length;
      const reply = await send(run.session, url);
      expect(reply.status).toBe(status);
      expect(reply.headers).toContainEqual(['location', 'https://evil.com/?x']);
      expect(house.upstream.received.length).toBe(before + 1);
      expect((await send(run.session, 'https://evil.com/?x')).error).toBe('host_not_allowed');
    });

    it('B46 Alt-Svc and hop-by-hop headers of an answer are dropped', async () => {
      house.upstream.setAnswer((_request, response) => {
        response.writeHead(200, { 'Alt-Svc': 'h3=":443"', Connection: 'close, X-Hop', 'X-Hop': '1', 'X-Kept': '1' });
        response.end('ok');
      });
      run = house.open();
      const { headers } = await send(run.session, url);
      const names = headers.map(([name]) => name.toLowerCase());
      expect(names).toContain('x-kept');
      expect(names.filter((name) => /alt-svc|x-hop/.test(name))).toEqual([]);
      expect(headers.filter(([, value]) => /x-hop/i.test(value))).toEqual([]);
    });

    it.each([
      ['two status lines', 'HTTP/1.1 HTTP/1.1 200 OK\r\n\r\n'],
      ['two different lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
      ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
      ['a space before the colon', 'HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n'],
      ['endless headers', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`],
      [
        'a flood of 1xx',
        `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000)}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
      ],
      ['not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
      ['status 999', 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'],
    ])('B47 %s ends the exchange', async (_what, bytes) => {
      house.upstream.setAnswer((_request, response) => {
        response.socket?.end(bytes);
      });
      run = house.open();
      expect(await send(run.session, url)).toMatchObject({ status: 502, error: 'upstream_protocol' });
      expect(run.records[0]).toMatchObject({ status: 502, refused: 'upstream_protocol' });
    });

    it('B47 an answer that ends early is an error and not a short answer', async () => {
      house.upstream.setAnswer((_request, response) => {
        response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort');
      });
      run = house.open();
      await expect(send(run.session, url)).rejects.toThrow(/upstream_protocol|broke off/);
      expect(run.records[0]).toMatchObject({ status: 200, refused: 'upstream_protocol', bytesIn: 5 });
    });

    it('B47 bytes after an answer are never the next answer', async () => {
      house.upstream.setAnswer((_request, response) => {
        response.socket?.end(
          'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
        );
      });
      run = house.open();
      expect((await send(run.session, url)).text).toBe('ok');
      house.upstream.setAnswer(echo);
      expect((await send(run.session, url)).text).toContain('"method":"GET"');
    });

    it.each([
      ['HEAD', 200],
      ['GET', 204],
    ] as const)('B48 an answer to %s with status %i is over at once, whatever its coding', async (method, status) => {
      house.upstream.setAnswer((_request, response) => {
        response.writeHead(status, { 'content-encoding': 'zstd' });
        response.end();
      });
      run = house.open();
      const response = await run.session.request({ method, url, headers: [], body: null });
      expect(response.status).toBe(status);
      expect(run.records).toMatchObject([{ status, refused: null }]);
    });

    it.each([204, 304])('B48 a body on a %i is discarded', async (status) => {
      house.upstream.setAnswer((_request, response) => {
        response.socket?.end(`HTTP/1.1 ${status} X\r\nContent-Length: 4\r\n\r\nevil`);
      });
      run = house.open();
      expect(await send(run.session, url)).toMatchObject({ status, text: '' });
    });

    it('B48 a body on an answer to HEAD is discarded', async () => {
      house.upstream.setAnswer((_request, response) => {
        response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
      });
      run = house.open();
      const reply = await send(run.session, url, { method: 'HEAD' });
      expect(reply).toMatchObject({ status: 200, text: '' });
      expect(reply.headers).toContainEqual(['Content-Length', '4']);
    });
  });

  describe('what is recorded', () => {
    it('B54 is the canonical path without its query', async () => {
      run = house.open();
      await send(run.session, `https://${host}/v1/../admin/%2e%2e/x"y?key=1#frag`);
      expect(run.records[0]?.path).toBe('/x%22y');
      expect(house.upstream.received.at(-1)?.path).toBe('/x%22y?key=1');
    });
  });
});

// In bytes a line break ends the line, and what follows is a line of its own; no character folds, and the framing headers
// are the framing: see B35, B36 and B38 in egress-proxy.test.ts.
describe('as the embedded sandbox alone can ask', () => {
  beforeAll(() => {
    ({ send, close } = frontEnd('embedded'));
  });

  it.each(['GET ', 'GET /evil HTTP/1.1\r\nX: y'])('B34 %j is refused', (method) =>
    expectRefused('method_not_allowed', [], method),
  );

  it.each<[string, HeaderPair]>([
    ['a line break', ['X-A', 'b\r\nX-Evil: 1']],
    ['characters that fold to a line break as one byte', ['X-A', 'a\u010d\u010aX-Evil: 1']],
    ['a name with a colon', ['X-A: 1\r\nX-B', '1']],
  ])('B38 %s is refused', (_what, header) => expectRefused('header_invalid', [header]));

  it('B36 framing headers of the code never reach the wire, whatever their case', async () => {
    run = house.open();
    await send(run.session, url, {
      method: 'POST',
      body: new TextEncoder().encode('12345'),
      headers: [
        ['CONTENT-LENGTH', '3'],
        ['Transfer-Encoding', 'chunked, identity'],
      ],
    });
    expect(lastWire()).toMatch(/^content-length: 5\r$/m);
    expect(lastWire()).not.toMatch(/content-length: 3|transfer-encoding/i);
    expect(lastWire().endsWith('\r\n\r\n12345')).toBe(true);
    run.session.close();
    await expectRefused('header_invalid', [
      ['Content-Length', '5'],
      ['content-length', '5'],
    ]);
  });
});
