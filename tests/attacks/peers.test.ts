import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { webSocketAccept } from '../../main/net/webSocket.ts';
import { type EgressHouse, type OpenSession, send, startEgressHouse } from '../support/egressHouse.ts';
import { echo } from '../support/httpsUpstream.ts';
import { type Client, type ProxyHouse, startProxyHouse } from '../support/proxyHouse.ts';

// Cases that Gondolin and microsandbox describe in public tests and changelogs and that no other file here plays. The
// table of all their cases is in docs/THREAT-MODEL.md.

const host = 'api.allowed.com';
const other = 'other.allowed.com';
let house: EgressHouse;
let plain: EgressHouse;
let run: OpenSession;
let proxy: ProxyHouse;

beforeAll(async () => {
  house = await startEgressHouse([host, other]);
  plain = await startEgressHouse(['one.lan.test', 'two.lan.test'], { plain: true });
});
afterAll(() => Promise.all([house.close(), plain.close()]));
afterEach(async () => {
  await proxy.close();
  run.session.close();
  house.upstream.setAnswer(echo);
});

async function start(options: Parameters<EgressHouse['open']>[0] = {}, at: EgressHouse = house): Promise<void> {
  run = at.open(options);
  proxy = await startProxyHouse(run.session);
}

const basic = (credentials: string): string => `Authorization: Basic ${Buffer.from(credentials).toString('base64')}`;
const received = () => house.upstream.received.at(-1);
/** All that came to the upstream on connections from this one on. */
const wireSince = (connection: number): string =>
  Buffer.concat(house.upstream.wire().slice(connection)).toString('latin1');
const head = (line: string, ...headers: readonly string[]): string =>
  `${[line, `Host: ${host}`, ...headers].join('\r\n')}\r\n\r\n`;

/** Writes and waits until it is on its way: the next piece comes on its own. */
const flushed = (client: Client, text: string): Promise<void> =>
  new Promise((resolve) => client.socket.write(Buffer.from(text, 'latin1'), () => setImmediate(resolve)));

describe('a placeholder at the seams of a request', () => {
  it.each([
    ['in a trailer', (p: string) => ['5\r\nhello\r\n0\r\n', `X-Token: ${p}\r\n`, '\r\n']],
    ['in a trailer, as Basic credentials', (p: string) => ['5\r\nhello\r\n0\r\n', `${basic(`user:${p}`)}\r\n`, '\r\n']],
    [
      'in a trailer, cut in two',
      (p: string) => ['5\r\nhello\r\n0\r\nX-Token: ', p.slice(0, 9), `${p.slice(9)}\r\n\r\n`],
    ],
    ['in a chunk extension', (p: string) => [`5;token=${p}\r\nhello\r\n0\r\n\r\n`]],
    ['in the extension of the last chunk', (p: string) => [`5\r\nhello\r\n0;token=${p}\r\n\r\n`]],
  ])('E83 %s goes nowhere, and nothing is put in its place', async (_what, pieces) => {
    const secret = house.secret();
    await start({ secrets: [secret] });
    const before = house.upstream.connections();
    const client = await proxy.secure(host);
    for (const piece of [head('POST / HTTP/1.1', 'Transfer-Encoding: chunked'), ...pieces(secret.placeholder)]) {
      await flushed(client, piece);
    }
    expect(await client.answer()).toMatchObject({ status: 200 });
    expect(received()?.body.toString()).toBe('hello');
    expect(wireSince(before)).not.toMatch(/x-token|token=|authorization/i);
    expect(wireSince(before)).not.toContain(secret.value);
    expect(run.records).toMatchObject([{ secrets: [], refused: null }]);
  });

  it('E85 cut in two by the client it is one placeholder: swapped where it may stand, caught where it may not', async () => {
    const secret = house.secret();
    const [first, second] = [secret.placeholder.slice(0, 11), secret.placeholder.slice(11)];
    await start({ secrets: [secret] });
    const client = await proxy.secure(host);
    await flushed(client, `GET / HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${first}`);
    client.write(`${second}\r\n\r\n`);
    expect(await client.answer()).toMatchObject({ status: 200 });
    expect(received()?.headers.authorization).toBe(`Bearer ${secret.value}`);
    await flushed(client, `GET /?key=${first}`);
    client.write(`${second} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(await client.answer()).toMatchObject({ status: 403, error: 'placeholder_misplaced' });
  });

  it('E86 user and password of Basic credentials can be two secrets', async () => {
    const [user, password] = [house.secret({ name: 'USER' }), house.secret({ name: 'PASSWORD' })];
    await start({ secrets: [user, password] });
    await (await proxy.secure(host)).ask('GET', '/', host, [basic(`${user.placeholder}:${password.placeholder}`)]);
    expect(`Authorization: ${received()?.headers.authorization}`).toBe(basic(`${user.value}:${password.value}`));
  });

  it.each<[string, (bound: string, unbound: string) => readonly string[]]>([
    ['in one header', (bound, unbound) => [`Authorization: Bearer ${bound} ${unbound}`]],
    ['as Basic credentials', (bound, unbound) => [basic(`${bound}:${unbound}`)]],
    ['in two headers', (bound, unbound) => [`Authorization: Bearer ${bound}`, `X-Key: ${unbound}`]],
  ])('E80 beside one of a secret that is not bound there, %s, the whole request is refused', async (_what, headers) => {
    const bound = house.secret({ name: 'BOUND', headers: ['x-key'] });
    const unbound = house.secret({ name: 'UNBOUND', hosts: [other], headers: ['x-key'] });
    await start({ secrets: [bound, unbound] });
    const before = house.upstream.connections();
    const lines = headers(bound.placeholder, unbound.placeholder);
    expect(await (await proxy.secure(host)).ask('GET', '/', host, lines)).toMatchObject({ error: 'secret_not_bound' });
    expect(house.upstream.connections()).toBe(before);
  });

  it('E84 between bytes that are no text it stays, and so does every byte around it', async () => {
    const secret = house.secret();
    await start({ secrets: [secret] });
    const body = Buffer.concat([
      Buffer.from('fffe80c000', 'hex'),
      Buffer.from(secret.placeholder),
      Buffer.from([0x81]),
    ]);
    const client = await proxy.secure(host);
    client.write(head('POST / HTTP/1.1', `Content-Length: ${body.length}`));
    client.write(body.subarray(0, 12));
    client.write(body.subarray(12));
    expect(await client.answer()).toMatchObject({ status: 200 });
    expect(received()?.body).toEqual(body);
  });

  it('E88 written in JSON escapes it is only text', async () => {
    const secret = house.secret();
    await start({ secrets: [secret] });
    const escaped = [...secret.placeholder].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    await (await proxy.secure(host)).ask('GET', '/', host, [`Authorization: Bearer ${escaped}`]);
    expect(received()?.headers.authorization).toBe(`Bearer ${escaped}`);
  });
});

describe('headers that are for the proxy', () => {
  it('E83 those of a CONNECT go nowhere, whatever they hold', async () => {
    const secret = house.secret();
    await start({ secrets: [secret] });
    const before = house.upstream.connections();
    const client = await proxy.connect();
    const proxyAuthorization = `Proxy-${basic(`user:${secret.placeholder}`)}`;
    client.write(
      `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n${proxyAuthorization}\r\nX-A: ${secret.placeholder}\r\n\r\n`,
    );
    expect(await client.answer(true)).toMatchObject({ status: 200 });
    expect(house.upstream.connections()).toBe(before);
  });

  it('B37 Proxy-Authorization stops at the proxy, also inside a tunnel, and nothing is put into it', async () => {
    const secret = house.secret();
    await start({ secrets: [secret] });
    const before = house.upstream.connections();
    await (await proxy.secure(host)).ask('GET', '/', host, [`Proxy-${basic(`user:${secret.placeholder}`)}`]);
    expect(wireSince(before)).not.toMatch(/proxy-authorization/i);
    expect(wireSince(before)).not.toContain(secret.value);
  });

  it.each(['Bearer PLACEHOLDER', 'GET / HTTP/1.1\r\nHost: api.allowed.com\r\n\r\n'])(
    'B28 what comes along with a CONNECT that is refused is never read: %j',
    async (early) => {
      const secret = house.secret();
      await start({ network: [host], secrets: [secret] });
      const before = house.upstream.connections();
      const client = await proxy.connect();
      client.write(
        `CONNECT evil.com:443 HTTP/1.1\r\nHost: evil.com:443\r\n\r\n${early.replace('PLACEHOLDER', secret.placeholder)}`,
      );
      expect(await client.answer()).toMatchObject({ status: 403, error: 'host_not_allowed' });
      expect(await client.rest()).toBe('');
      expect(house.upstream.connections()).toBe(before);
      expect(run.records).toHaveLength(1);
    },
  );
});

describe('where one request ends and the next begins', () => {
  const inner = `GET /smuggled HTTP/1.1\r\nHost: ${other}\r\n\r\n`;
  const ending = `0\r\n\r\n${inner}`;
  const chunked = `${ending.length.toString(16)}\r\n${ending}\r\n0\r\n\r\n`;

  it.each(['POST', 'GET', 'DELETE'])(
    'B35 the body of a %s that looks like its end and a request stays body',
    async (method) => {
      await start();
      for (const connection of ['close, Transfer-Encoding, Host', 'keep-alive']) {
        const client = await proxy.secure(host);
        const before = house.upstream.received.length;
        client.write(
          `${head(`${method} /a HTTP/1.1`, `Connection: ${connection}`, 'Transfer-Encoding: chunked')}${chunked}`,
        );
        expect(await client.answer()).toMatchObject({ status: 200 });
        expect(house.upstream.received.slice(before).map(({ path, body }) => [path, body.toString()])).toEqual([
          ['/a', ending],
        ]);
      }
    },
  );

  it.each(['POST', 'GET'])('B36 B37 a %s whose Connection names its framing keeps it', async (method) => {
    await start();
    for (const name of ['Connection', 'Proxy-Connection']) {
      const client = await proxy.secure(host);
      const before = house.upstream.received.length;
      const headers = [`${name}: Content-Length, Host`, `Content-Length: ${inner.length}`];
      client.write(`${head(`${method} /b HTTP/1.1`, ...headers)}${inner}`);
      expect(await client.answer()).toMatchObject({ status: 200 });
      expect(house.upstream.received.slice(before)).toMatchObject([{ path: '/b', headers: { host } }]);
      expect(received()?.body.toString()).toBe(inner);
    }
  });

  it('B30 empty lines before a request do not hide whom it is for', async () => {
    await start();
    const before = house.upstream.connections();
    for (const lines of ['\r\n', '\r\n\r\n']) {
      const client = await proxy.secure(host);
      await flushed(client, lines);
      client.write(`GET / HTTP/1.1\r\nHost: ${other}\r\n\r\n`);
      expect([400, 403]).toContain((await client.answer()).status);
      expect(await client.rest()).toBe('');
    }
    expect(house.upstream.connections()).toBe(before);
  });

  it.each([
    ['no version', `GET / \r\nHost: ${host}\r\n\r\n`],
    ['HTTP/0.9', 'GET /\r\n\r\n'],
    ['a tab after the method', `GET\t/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`],
    ['NUL after the method', `GET\0 / HTTP/1.1\r\nHost: ${host}\r\n\r\n`],
    ['a length in words', head('POST / HTTP/1.1', 'Content-Length: nope')],
    ['a length said twice in one line', `${head('POST / HTTP/1.1', 'Content-Length: 2, 2')}ab`],
    ['a body packed for the way', `${head('POST / HTTP/1.1', 'Transfer-Encoding: gzip, chunked')}2\r\nab\r\n0\r\n\r\n`],
    [
      'a body packed twice',
      `${head('POST / HTTP/1.1', 'Transfer-Encoding: chunked', 'Transfer-Encoding: gzip')}2\r\nab\r\n0\r\n\r\n`,
    ],
  ])('B35 a request with %s is refused', async (_what, bytes) => {
    await start();
    const before = house.upstream.connections();
    const client = await proxy.secure(host);
    client.write(bytes);
    const { status } = await client.answer();
    expect([400, 403, 501, 505]).toContain(status);
    expect(await client.rest()).toBe('');
    expect(house.upstream.connections()).toBe(before);
  });

  it('B40 an expectation that nobody knows does not reach the host, and its request is answered once', async () => {
    await start();
    const before = house.upstream.connections();
    const client = await proxy.secure(host);
    expect(await client.ask('POST', '/', host, ['Expect: bananas', 'Content-Length: 0'])).toMatchObject({
      status: 200,
    });
    expect(wireSince(before)).not.toMatch(/^expect:/im);
    expect(await client.ask('GET', '/next', host)).toMatchObject({ status: 200 });
  });
});

describe('the second request on one connection', () => {
  it('B42 E80 is judged by itself: the one before it was allowed, its own credentials are not', async () => {
    const secret = house.secret({ hosts: [other] });
    await start({ secrets: [secret] });
    const before = house.upstream.received.length;
    const client = await proxy.secure(host);
    client.write(
      `${head('POST /a HTTP/1.1', 'Content-Length: 5')}abcde${head('GET /b HTTP/1.1', basic(`user:${secret.placeholder}`))}`,
    );
    expect(await client.answer()).toMatchObject({ status: 200 });
    expect(await client.answer()).toMatchObject({ status: 403, error: 'secret_not_bound' });
    expect(house.upstream.received.slice(before).map(({ path }) => path)).toEqual(['/a']);
  });

  it('E80 may go to another allowed host, but not with the secret of the first', async () => {
    const secret = plain.secret({ hosts: ['one.lan.test:80'] });
    await start({ network: ['one.lan.test:80', 'two.lan.test:80'], secrets: [secret] }, plain);
    const client = await proxy.connect();
    const authorization = `Authorization: Bearer ${secret.placeholder}`;
    const ask = (name: string, ...headers: readonly string[]) => client.ask('GET', `http://${name}/`, name, headers);
    expect(await ask('one.lan.test', authorization)).toMatchObject({ status: 200 });
    expect(plain.upstream.received.at(-1)?.headers.authorization).toBe(`Bearer ${secret.value}`);
    expect(await ask('two.lan.test')).toMatchObject({ status: 200 });
    expect(await ask('two.lan.test', authorization)).toMatchObject({ status: 403, error: 'secret_not_bound' });
    expect(plain.upstream.received).toHaveLength(2);
  });
});

describe('answers', () => {
  const packed = (secret: string, coding: string): Buffer => {
    const body = coding.includes('deflate') ? deflateSync(secret) : gzipSync(secret);
    if (!coding.endsWith('chunked')) return body;
    return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
  };

  it.each(['gzip, chunked', 'gzip', 'Chunked, GZIP', 'deflate, chunked'])(
    'E94 one that is packed for the way (Transfer-Encoding: %s) is refused: an echo in it could not be found',
    async (coding) => {
      const secret = house.secret();
      await start({ secrets: [secret] });
      house.upstream.setAnswer((_request, response) => {
        response.socket?.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n`);
        response.socket?.end(packed(secret.value, coding));
      });
      const authorization = `Authorization: Bearer ${secret.placeholder}`;
      const answer = await (await proxy.secure(host)).ask('GET', '/', host, [authorization]);
      expect(answer).toMatchObject({ status: 502, error: 'encoding_refused' });
      expect(run.records).toMatchObject([{ refused: 'encoding_refused', secrets: ['API_KEY'] }]);
    },
  );
});

describe('the handshake of a WebSocket that was declared', () => {
  const handshake = head(
    'GET /socket HTTP/1.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  );

  it('B49 what comes along with it goes nowhere when the host says no', async () => {
    await start({ network: [`wss://${host}`, other] });
    house.upstream.setAnswer((_request, response) => {
      response.socket?.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\ndeny');
    });
    const before = house.upstream.connections();
    const client = await proxy.secure(host);
    client.write(`${handshake}${head('GET /smuggled HTTP/1.1')}`);
    expect(await client.answer()).toMatchObject({ status: 502, error: 'upstream_protocol' });
    expect(await client.rest()).toBe('');
    expect(house.upstream.connections()).toBe(before + 1);
    expect(wireSince(before)).not.toContain('smuggled');
  });

  it('B49 what comes along with it leaves only after the host said yes, and nothing that the host says with it is lost', async () => {
    await start({ network: [`wss://${host}`] });
    const before = house.upstream.connections();
    let early = '';
    house.upstream.setAnswer(({ headers }, response) => {
      early = wireSince(before);
      response.socket?.once('data', () => response.socket?.end());
      const accept = webSocketAccept(headers['sec-websocket-key'] ?? '');
      response.socket?.write(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\npong`,
      );
    });
    const client = await proxy.secure(host);
    client.write(`${handshake}ping`);
    expect(await client.answer(true)).toMatchObject({ status: 101 });
    expect(await client.rest()).toBe('pong');
    expect(early).not.toContain('ping');
    expect(wireSince(before)).toContain('ping');
  });
});

describe('the local network', () => {
  it('A26 D66 a service that the owner declared opens itself and no other private address', async () => {
    const lan = await startEgressHouse(['lamp.local'], { plain: true, resolver: async () => ['192.168.255.254'] });
    try {
      await start({ network: ['lamp.local:80', 'public.example.com'] }, lan);
      expect((await send(run.session, 'http://lamp.local/')).status).toBe(200);
      expect((await send(run.session, 'https://public.example.com/')).error).toBe('address_refused');
      expect(lan.upstream.received).toHaveLength(1);
    } finally {
      await lan.close();
    }
  });
});
