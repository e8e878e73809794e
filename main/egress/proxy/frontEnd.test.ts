import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type EgressHouse, type OpenSession, startEgressHouse } from '../../../tests/support/egressHouse.ts';
import { echo } from '../../../tests/support/httpsUpstream.ts';
import { type ProxyHouse, startProxyHouse } from '../../../tests/support/proxyHouse.ts';
import type { DoorRequest, EgressDoor } from '../../core/door.ts';

const host = 'api.example.com';
let house: EgressHouse;
let run: OpenSession;
let proxy: ProxyHouse;

beforeAll(async () => {
  house = await startEgressHouse([host]);
});
afterAll(() => house.close());
afterEach(async () => {
  await proxy.close();
  run.session.close();
  house.upstream.setAnswer(echo);
});

async function start(options: Parameters<typeof startProxyHouse>[1] = {}): Promise<void> {
  run = house.open({ limits: { maxBytesIn: 1e9, maxBytesOut: 1e9 } });
  proxy = await startProxyHouse(run.session, options);
}

const until = async (reached: () => boolean): Promise<void> => {
  while (!reached()) await new Promise((resolve) => setImmediate(resolve));
};

/** Resolves when nothing has moved for a thousand turns of the loop: whoever could move it has had its turn in each. */
async function unchanged(value: () => number): Promise<void> {
  for (let seen = value(), turns = 0; turns < 1_000; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (value() === seen) continue;
    seen = value();
    turns = 0;
  }
}

/** A door whose answers the test gives. */
async function startWith(request: EgressDoor['request']): Promise<void> {
  run = house.open();
  const door: EgressDoor = {
    request,
    tunnel: (authority) => run.session.tunnel(authority),
    webSocket: (asked) => run.session.webSocket(asked),
    refusedEarly: (refusal) => run.session.refusedEarly(refusal),
  };
  proxy = await startProxyHouse(door);
}

const ok = (body: AsyncIterable<Uint8Array>) => ({ status: 200, statusText: 'OK', headers: [], body });

describe.each(['tunnel', 'direct'] as const)('a client on a stream (%s)', (carriage) => {
  it('uses one connection for many requests', async () => {
    await start({ carriage });
    const client = await proxy.secure(host);
    for (let i = 0; i < 5; i += 1) {
      const answer = await client.ask('POST', `/${i}`, host, ['Content-Length: 3'], 'abc');
      expect(answer).toMatchObject({ status: 200, whole: true });
      expect(JSON.parse(answer.body)).toMatchObject({ path: `/${i}`, body: 'abc', headers: { 'content-length': '3' } });
    }
  });

  it('uploads in chunks and downloads what is larger than every buffer, byte by byte', async () => {
    await start({ carriage });
    const sent = randomBytes(1_500_000).toString('hex');
    house.upstream.setAnswer((request, response) => {
      response.end(request.body);
    });
    const client = await proxy.secure(host);
    client.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (let at = 0; at < sent.length; at += 100_000) client.write(`186a0\r\n${sent.slice(at, at + 100_000)}\r\n`);
    client.write('0\r\n\r\n');
    const answer = await client.answer();
    expect({ status: answer.status, whole: answer.whole, same: answer.body === sent }).toEqual({
      status: 200,
      whole: true,
      same: true,
    });
    expect(house.upstream.received.at(-1)?.headers['transfer-encoding']).toBe('chunked');
  });

  it('gets every refusal whole, as its own bytes', async () => {
    await start({ carriage });
    for (const expectation of ['', 'Expect: 100-continue\r\n']) {
      for (const body of ['', '123456789']) {
        const client = await proxy.connect();
        client.write(
          `POST http://evil.com/ HTTP/1.1\r\nHost: evil.com\r\nContent-Length: 9\r\n${expectation}\r\n${body}`,
        );
        expect(await client.answer()).toMatchObject({ status: 403, error: 'host_not_allowed', whole: true });
        expect(await client.rest()).toBe('');
      }
    }
  });

  it.each([
    ['a CONNECT', `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`],
    ['an upgrade', `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`],
  ])('gets nothing for %s behind a refusal, and its connection ends', async (_what, behind) => {
    await start({ carriage, limits: { lingerMs: 50 } });
    const client = await proxy.connect();
    client.write(`GET http://${host}/ HTTP/1.1\r\n\r\n${behind}`);
    expect(await client.answer()).toMatchObject({ status: 400, whole: true });
    expect(await client.rest()).toBe('');
    expect(run.records).toMatchObject([{ host, refused: 'request_invalid' }]);
  });

  it('gets nothing through behind a request without Host, which is the last', async () => {
    await start({ carriage });
    const client = await proxy.connect();
    client.write(`GET http://${host}/ HTTP/1.1\r\n\r\nGET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(await client.answer()).toMatchObject({ status: 400, error: 'request_invalid', whole: true });
    expect(await client.rest()).toBe('');
    expect(run.records).toMatchObject([{ host, refused: 'request_invalid' }]);
  });

  it('may speak HTTP/1.0 for the CONNECT alone, as Python 3.11 does', async () => {
    await start({ carriage });
    const client = await proxy.connect();
    client.write(`CONNECT ${host}:443 HTTP/1.0\r\n\r\n`);
    expect(await client.answer(true)).toMatchObject({ status: 200 });
    const old = await proxy.secure(host);
    old.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    expect(await old.answer()).toMatchObject({ status: 505, error: 'http_version' });
  });
});

describe('the way of an exchange', () => {
  it('gives the door the headers as they came, and the body with its length', async () => {
    const asked: DoorRequest[] = [];
    const bodies: string[] = [];
    await startWith(async (request) => {
      asked.push(request);
      if (request.body !== null && !(request.body instanceof Uint8Array)) {
        for await (const chunk of request.body) bodies.push(Buffer.from(chunk).toString());
      }
      return ok((async function* () {})());
    });
    const client = await proxy.secure(host);
    await client.ask('PUT', '/a?b', host, ['X-A: 1', 'x-a: 2', 'Content-Length: 5'], 'hello');
    await client.ask('GET', '/', host);
    expect(asked).toMatchObject([
      {
        method: 'PUT',
        url: `https://${host}:443/a?b`,
        headers: [
          ['Host', host],
          ['X-A', '1'],
          ['x-a', '2'],
          ['Content-Length', '5'],
        ],
        bodyLength: 5,
      },
      { method: 'GET', body: null },
    ]);
    expect(bodies.join('')).toBe('hello');
  });

  it('stops reading the upload while the door does not take it', async () => {
    await startWith(() => new Promise(() => {}));
    const client = await proxy.connect();
    let left = 64_000_000;
    client.write(`POST http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${left}\r\n\r\n`);
    const piece = Buffer.alloc(64_000);
    while (left > 0 && client.socket.write(piece)) left -= piece.length;
    for (let i = 0; i < 200; i += 1) client.socket.write(piece);
    const waiting = () => client.socket.writableLength;
    await unchanged(waiting);
    // Kernel buffers and windows are full, and the rest waits with the client.
    expect(waiting()).toBeGreaterThan(4_000_000);
  });

  it('does not pull an answer that the client does not read', async () => {
    let pulled = 0;
    await startWith(async () =>
      ok(
        (async function* () {
          for (; pulled < 2_000; pulled += 1) yield Buffer.alloc(64_000);
        })(),
      ),
    );
    const client = await proxy.secure(host);
    client.socket.pause();
    client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await until(() => pulled > 0);
    await unchanged(() => pulled);
    expect(pulled).toBeLessThan(1_000);
  });

  it('tells the door when the client gives up, before and within the answer', async () => {
    for (const begun of [false, true]) {
      let aborted = 0;
      await startWith((request) => {
        request.signal?.addEventListener('abort', () => {
          aborted += 1;
        });
        const endless = (async function* () {
          yield Buffer.from('begun');
          await new Promise(() => {});
        })();
        return begun ? Promise.resolve(ok(endless)) : new Promise(() => {});
      });
      const client = await proxy.secure(host);
      client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      if (begun) await once(client.socket, 'data');
      client.socket.destroy();
      await until(() => aborted === 1);
      await proxy.close();
      run.session.close();
    }
  });

  it('breaks the connection when the body of an answer breaks, even when the door fails outright', async () => {
    for (const request of [
      async () =>
        ok(
          (async function* () {
            yield Buffer.from('begun');
            throw new Error('broke');
          })(),
        ),
      () => Promise.reject(new Error('never happens')),
    ]) {
      await startWith(request);
      const client = await proxy.secure(host);
      expect((await client.ask('GET', '/', host)).whole).toBe(false);
      await proxy.close();
      run.session.close();
    }
  });

  it('answers although the upload goes on, and then closes', async () => {
    await startWith(async () => ok((async function* () {})()));
    const client = await proxy.secure(host);
    client.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
    const answer = await client.answer();
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.head).toMatch(/^connection: close\r$/im);
    expect(await client.rest()).toBe('');
  });

  it('leaves nothing waiting when an upload breaks off', async () => {
    let failure = '';
    let begun = false;
    await startWith(async (request) => {
      try {
        if (request.body !== null && !(request.body instanceof Uint8Array)) {
          for await (const _ of request.body) begun = true;
        }
      } catch (error) {
        failure = error instanceof Error ? error.message : '';
      }
      return ok((async function* () {})());
    });
    const client = await proxy.secure(host);
    client.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 9\r\n\r\nhello`);
    await until(() => begun);
    client.socket.destroy();
    await until(() => failure !== '');
    expect(failure).toBe('The request body broke off');
  });
});

describe('the life of a front end', () => {
  it('cuts connections before it is open and after it is closed', async () => {
    await start();
    const early = await startProxyHouse(null);
    expect(await (await early.connect()).rest()).toBe('');
    await early.close();
    const client = await proxy.secure(host);
    proxy.frontEnd.close();
    expect(await client.rest()).toBe('');
    expect(await (await proxy.connect()).rest()).toBe('');
  });

  it('survives streams that are dead or fail at any moment', async () => {
    await start();
    const dead = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    dead.destroy();
    proxy.frontEnd.serve(dead);
    for (const bytes of [
      '',
      'GET',
      `CONNECT ${host}:443 HTTP/1.1\r\n\r\n`,
      `CONNECT ${host}:443 HTTP/1.1\r\n\r\n\x16\x03`,
    ]) {
      const failing = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(new Error('gone')) });
      proxy.frontEnd.serve(failing);
      failing.push(Buffer.from(bytes, 'latin1'));
      failing.destroy(new Error('gone'));
    }
    expect(await (await proxy.secure(host)).ask('GET', '/', host)).toMatchObject({ status: 200 });
  });

  it('makes no harm of random bytes', async () => {
    await start();
    const prefixes = [
      '',
      'GET http://',
      `CONNECT ${host}:443 HTTP/1.1\r\n\r\n`,
      `CONNECT ${host}:443 HTTP/1.1\r\n\r\n\x16\x03\x01`,
    ];
    for (let i = 0; i < 60; i += 1) {
      const client = await proxy.connect();
      client.write(Buffer.concat([Buffer.from(prefixes[i % 4] ?? '', 'latin1'), randomBytes(i * 11)]));
      client.socket.end();
    }
    expect(await (await proxy.secure(host)).ask('GET', '/', host)).toMatchObject({ status: 200 });
  });

  it('serves real Node: fetch through a proxy, with TLS and without', async () => {
    await start();
    const file = join(tmpdir(), `ca-${randomBytes(6).toString('hex')}.pem`);
    writeFileSync(file, proxy.frontEnd.authorityPem);
    const address = `http://127.0.0.1:${proxy.port}`;
    const env = {
      PATH: process.env.PATH ?? '',
      NODE_USE_ENV_PROXY: '1',
      NODE_EXTRA_CA_CERTS: file,
      HTTP_PROXY: address,
      HTTPS_PROXY: address,
      NO_PROXY: '',
    };
    const script = `
      const code = async (url, init) => { try { const r = await fetch(url, init); return r.status + ' ' + (await r.text()).length; } catch (e) { return 'failed'; } };
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => code('https://${host}/' + i, { method: 'POST', body: 'x'.repeat(1000) })));
      console.log(JSON.stringify([new Set(all.map((t) => t.slice(0, 3))).size, all[0].slice(0, 3), await code('https://evil.com/'), await code('http://evil.com/'), await code('http://${host}/')]));
    `;
    const printed = await new Promise<string>((resolve) => {
      execFile(process.execPath, ['--input-type=module', '-e', script], { env, timeout: 12_000 }, (_error, stdout) =>
        resolve(stdout),
      );
    });
    rmSync(file);
    // A refused tunnel is a failed fetch; it ends at once, because it was answered (undici reconnects for ever otherwise).
    expect(JSON.parse(printed)).toEqual([1, '200', 'failed', 'failed', 'failed']);
    expect(run.records.filter(({ method }) => method === 'CONNECT')).toHaveLength(3);
  });
});
