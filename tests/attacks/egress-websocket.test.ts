import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HeaderPair } from '../../main/core/door.ts';
import { parseHostRule } from '../../main/core/host.ts';
import { type EgressHouse, type OpenSession, startEgressHouse } from '../support/egressHouse.ts';
import { type Client, type ProxyHouse, startProxyHouse } from '../support/proxyHouse.ts';

// ATTACKS B49 with real sockets and TLS on both sides of the front end of containers. The embedded sandbox has no way to
// ask for an upgrade; what its fetch would say with such headers is refused in egress-framing.test.ts.

const host = 'live.allowed.com';
const bound = 'api.allowed.com';
let house: EgressHouse;
let run: OpenSession;
let proxy: ProxyHouse;
/** Heads of the handshakes that arrived, and the connections. */
let arrived: Readonly<Record<string, unknown>>[];
let sockets: Duplex[];

beforeAll(async () => {
  house = await startEgressHouse([host, bound]);
});
afterAll(() => house.close());
afterEach(async () => {
  run.session.close();
  await proxy.close();
  for (const socket of sockets) socket.destroy();
  house.upstream.setUpgrade(null);
});

const acceptOf = (key: unknown): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

type Answering = Readonly<{
  status?: string;
  upgrade?: string;
  accept?: string;
  more?: readonly string[];
  after?: string;
}>;

/** A host that opens WebSockets (or whatever the test says) and sends back the bytes that it gets. */
function answerUpgrades({
  status = '101 Switching Protocols',
  upgrade = 'websocket',
  accept,
  more = [],
  after,
}: Answering = {}) {
  house.upstream.setUpgrade((request, socket) => {
    arrived.push({ ...request.headers, path: request.url });
    sockets.push(socket);
    socket.on('error', () => {});
    const proof = accept ?? acceptOf(request.headers['sec-websocket-key']);
    const lines = [
      `HTTP/1.1 ${status}`,
      `Upgrade: ${upgrade}`,
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${proof}`,
    ];
    socket.write(`${[...lines, ...more].join('\r\n')}\r\n\r\n${after ?? ''}`);
    socket.pipe(socket);
  });
}

async function start(options: Parameters<EgressHouse['open']>[0] = {}): Promise<void> {
  arrived = [];
  sockets = [];
  run = house.open({ network: [`wss://${host}`, bound], ...options });
  proxy = await startProxyHouse(run.session);
  answerUpgrades();
}

const key = randomBytes(16).toString('base64');
const handshake: readonly HeaderPair[] = [
  ['Upgrade', 'websocket'],
  ['Connection', 'keep-alive, Upgrade'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', key],
];

function handshakeWith(...changes: readonly (readonly [name: string, value: string | null])[]): readonly HeaderPair[] {
  const kept = handshake.filter(([name]) => !changes.some(([changed]) => changed === name));
  return [...kept, ...changes.flatMap(([name, value]): HeaderPair[] => (value === null ? [] : [[name, value]]))];
}

const lines = (headers: readonly HeaderPair[]) => headers.map(([name, value]) => `${name}: ${value}`);

/** Asks in a new TLS tunnel. */
async function ask(to = host, headers = handshake, path = '/live', method = 'GET') {
  const client = await proxy.secure(to);
  return { client, answer: await client.ask(method, path, to, lines(headers)) };
}

async function open(): Promise<Client> {
  const { client, answer } = await ask();
  expect(answer.status).toBe(101);
  return client;
}

/** Waits for so many bytes. */
async function take(client: Client, length: number): Promise<string> {
  let taken = '';
  while (taken.length < length) taken += (await client.bytes(length - taken.length)).toString('latin1');
  return taken;
}

const recorded = async (count = 1) => {
  while (run.records.length < count) await new Promise((resolve) => setImmediate(resolve));
  return run.records;
};

describe('a WebSocket to a host that was declared with wss://', () => {
  it('B49 is open both ways, and leaves one row with bytes and duration', async () => {
    await start();
    const client = await open();
    for (const text of ['hello', '\x81\x85mask\x00\xff', 'x'.repeat(300_000)]) {
      client.write(text);
      expect(await take(client, text.length)).toBe(text);
    }
    expect(run.records).toEqual([]);
    client.socket.end();
    expect(await recorded()).toMatchObject([
      {
        method: 'GET',
        host,
        port: 443,
        path: '/live',
        status: 101,
        bytesIn: 300_013,
        bytesOut: 300_013,
        refused: null,
        secrets: [],
      },
    ]);
    expect(run.records[0]?.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('B49 has a handshake of ours on both sides: key, accept, no extension, the chosen protocol', async () => {
    await start();
    answerUpgrades({ more: ['Sec-WebSocket-Protocol: b', 'Set-Cookie: a=b', 'X-More: y'] });
    const { answer } = await ask(
      host,
      handshakeWith(
        ['Sec-WebSocket-Protocol', 'a, b'],
        ['Sec-WebSocket-Extensions', 'permessage-deflate'],
        ['Sec-WebSocket-Accept', 'x'],
        ['Proxy-Authorization', 'Basic eA=='],
        ['Origin', 'https://x.example'],
      ),
    );
    expect(answer).toMatchObject({ status: 101 });
    expect(answer.head.toLowerCase()).toContain(`sec-websocket-accept: ${acceptOf(key).toLowerCase()}`);
    expect(answer.head).toMatch(/^sec-websocket-protocol: b\r$/im);
    expect(answer.head).not.toMatch(/x-more|set-cookie|extensions/i);
    const [head] = arrived;
    expect(head).toMatchObject({
      host,
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      origin: 'https://x.example',
    });
    expect(head?.['sec-websocket-key']).not.toBe(key);
    for (const name of ['sec-websocket-extensions', 'sec-websocket-accept', 'proxy-authorization']) {
      expect(head).not.toHaveProperty(name);
    }
  });

  it('B49 passes on what came with the handshake, on either side', async () => {
    await start();
    answerUpgrades({ after: 'first' });
    const client = await proxy.secure(host);
    client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n${lines(handshake).join('\r\n')}\r\n\r\nearly`);
    expect(await client.answer(true)).toMatchObject({ status: 101 });
    expect(await take(client, 10)).toBe('firstearly');
  });

  it('B49 allows https to the same host as well, and other upgrades no more than before', async () => {
    await start();
    const client = await proxy.secure(host);
    expect(await client.ask('GET', '/', host)).toMatchObject({ status: 200 });
    expect((await ask(host, handshakeWith(['Upgrade', 'h2c'], ['HTTP2-Settings', 'AA']))).answer).toMatchObject({
      status: 403,
      error: 'upgrade_refused',
    });
    expect(arrived).toEqual([]);
  });

  it('B49 ends with the run, on both sides', async () => {
    await start();
    const client = await open();
    run.session.close();
    expect(run.records).toMatchObject([{ status: 101, refused: 'session_closed' }]);
    expect(await client.rest()).toBe('');
    const [socket] = sockets;
    if (socket !== undefined && !socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  });

  it('B49 ends when the host ends it, after its last bytes', async () => {
    await start();
    const client = await open();
    sockets[0]?.end('y'.repeat(200_000));
    expect((await client.rest()).length).toBe(200_000);
    expect(await recorded()).toMatchObject([{ bytesIn: 200_000, refused: null }]);
  });

  it.each([
    ['maxBytesOut', 'upload_limit'],
    ['maxBytesIn', 'download_limit'],
  ] as const)('B49 counts its bytes against the caps of the run (%s)', async (limit, refused) => {
    await start({ limits: { [limit]: 1_000 } });
    const client = await open();
    client.write('z'.repeat(600));
    await take(client, 600);
    client.write('z'.repeat(600));
    expect((await client.rest()).length).toBeLessThanOrEqual(1_000 - 600);
    expect(await recorded()).toMatchObject([{ refused }]);
  });

  it('B49 holds one of the places of open requests until it ends', async () => {
    await start({ limits: { maxConcurrent: 1, requestTimeoutMs: 300 } });
    const client = await open();
    expect((await ask()).answer).toMatchObject({ status: 429, error: 'busy' });
    client.socket.end();
    await recorded(2);
    await open();
  });
});

describe('clients as they are in the images', () => {
  /** A host that greets in a frame and closes. */
  const greet = (): void =>
    house.upstream.setUpgrade((request, socket) => {
      const accept = acceptOf(request.headers['sec-websocket-key']);
      socket.write(
        `HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.write(Buffer.from('\x81\x05hello\x88\x02\x03\xe8', 'latin1'));
      socket.on('data', () => socket.end());
    });

  it('B49 Node opens a declared WebSocket through the proxy, and no other', async () => {
    await start();
    greet();
    const file = join(tmpdir(), `ca-${randomBytes(6).toString('hex')}.pem`);
    writeFileSync(file, proxy.frontEnd.authorityPem);
    const address = `http://127.0.0.1:${proxy.port}`;
    const env = { NODE_EXTRA_CA_CERTS: file, HTTP_PROXY: address, HTTPS_PROXY: address, NO_PROXY: '' };
    const script = `
      const talk = (url) => new Promise((resolve) => {
        const said = [];
        const socket = new WebSocket(url);
        socket.onmessage = ({ data }) => said.push(data);
        socket.onerror = () => said.push('error');
        socket.onclose = () => resolve(said.join());
      });
      console.log(await talk('wss://${host}/live'), await talk('wss://${bound}/live'));
    `;
    const preload = fileURLToPath(new URL('../../sandbox/node/proxy.cjs', import.meta.url));
    const options = ['--require', preload, '--input-type=module', '-e', script];
    const printed = await new Promise<string>((resolve) => {
      execFile(process.execPath, options, { env, timeout: 12_000 }, (_error, stdout, stderr) =>
        resolve(stdout || stderr),
      );
    });
    rmSync(file);
    expect(printed).toBe('hello error\n');
    expect(run.records).toMatchObject([
      { status: 101, refused: null },
      { host: bound, refused: 'upgrade_refused' },
    ]);
  });
});

describe('a WebSocket that is refused', () => {
  /** The answer is the last one on its connection, and no handshake arrived anywhere. */
  async function expectRefused(asked: ReturnType<typeof ask>, error: string, status = 403): Promise<void> {
    const { client, answer } = await asked;
    expect(answer).toMatchObject({ status, error, whole: true });
    expect(answer.head).toMatch(/^connection: close\r$/im);
    expect(await client.rest()).toBe('');
    expect(arrived).toEqual([]);
    expect(run.records.at(-1)).toMatchObject({ refused: error, status });
  }

  it('B49 to a host that was declared without wss://', async () => {
    await start({ network: [host] });
    await expectRefused(ask(), 'upgrade_refused');
  });

  it('B49 under a wildcard that a wss:// entry stands beside', async () => {
    await start({ network: ['*.allowed.com', `wss://${host}:8443`] });
    await expectRefused(ask(), 'upgrade_refused');
  });

  it('B49 to a host that a secret of the run is bound to, used or not, on whatever port', async () => {
    await start({ network: [`wss://${bound}`], secrets: [house.secret({ hosts: [`${bound}:8443`] })] });
    await expectRefused(ask(bound), 'websocket_refused');
  });

  it('B49 to a host that a secret with raw delivery is bound to', async () => {
    await start({ network: [`wss://${bound}`], boundHosts: [parseHostRule('*.allowed.com')] });
    await expectRefused(ask(bound), 'websocket_refused');
  });

  it('B49 without TLS', async () => {
    await start({ network: [`wss://${host}:8080`] });
    const client = await proxy.tunnel(`${host}:8080`);
    const answer = client.ask('GET', '/', `${host}:8080`, lines(handshake));
    await expectRefused(
      answer.then((given) => ({ client, answer: given })),
      'upgrade_refused',
    );
  });

  it.each<[string, readonly HeaderPair[], string?]>([
    ['a method other than GET', handshake, 'POST'],
    ['another version', handshakeWith(['Sec-WebSocket-Version', '8'])],
    ['no version', handshakeWith(['Sec-WebSocket-Version', null])],
    ['two versions', [...handshake, ['Sec-WebSocket-Version', '13']]],
    ['no key', handshakeWith(['Sec-WebSocket-Key', null])],
    ['a key of another length', handshakeWith(['Sec-WebSocket-Key', 'AAAA'])],
    ['two keys', [...handshake, ['Sec-WebSocket-Key', key]]],
    ['two protocols', handshakeWith(['Upgrade', 'websocket, h2c'])],
    ['a body', [...handshake, ['Content-Length', '3']]],
    ['a body in chunks', [...handshake, ['Transfer-Encoding', 'chunked']]],
  ])('B49 with %s', async (_what, headers, method = 'GET') => {
    await start();
    await expectRefused(ask(host, headers, '/', method), 'upgrade_refused');
  });

  it('B42 B49 behind a request that is still under way, which loses its connection', async () => {
    await start();
    const client = await proxy.secure(host);
    client.write(
      `GET /a HTTP/1.1\r\nHost: ${host}\r\n\r\nGET / HTTP/1.1\r\nHost: ${host}\r\n${lines(handshake).join('\r\n')}\r\n\r\n`,
    );
    await client.rest();
    expect(arrived).toEqual([]);
  });

  it('B34 B49 with HTTP/1.0', async () => {
    await start();
    const client = await proxy.secure(host);
    client.write(`GET / HTTP/1.0\r\nHost: ${host}\r\n${lines(handshake).join('\r\n')}\r\n\r\n`);
    expect(await client.answer()).toMatchObject({ status: 505 });
    expect(arrived).toEqual([]);
  });

  it.each<[string, string, (placeholder: string) => readonly HeaderPair[], string?]>([
    [
      'a header that may carry it elsewhere',
      'header',
      (placeholder) => [...handshake, ['Authorization', `Bearer ${placeholder}`]],
    ],
    [
      'Basic credentials',
      'header',
      (placeholder) => [...handshake, ['Authorization', `Basic ${Buffer.from(`u:${placeholder}`).toString('base64')}`]],
    ],
    ['the protocol', 'header', (placeholder) => handshakeWith(['Sec-WebSocket-Protocol', placeholder])],
    ['an extension', 'header', (placeholder) => handshakeWith(['Sec-WebSocket-Extensions', placeholder])],
    ['the URL', 'url', () => handshake, '/?k='],
  ])('E83 B49 with a placeholder in %s, which stops the run', async (_what, where, headers, path) => {
    const secret = house.secret({ hosts: [bound] });
    await start({ secrets: [secret] });
    const asked = ask(host, headers(secret.placeholder), path === undefined ? '/' : `${path}${secret.placeholder}`);
    await expectRefused(asked, 'placeholder_misplaced');
    expect(run.trips).toMatchObject([{ host, where, secrets: [{ name: secret.name }] }]);
    expect(JSON.stringify(run.records)).not.toContain(secret.placeholder);
    await expect(ask()).rejects.toThrow('was answered with 403');
  });
});

describe('B47 B49 a host that does not open a WebSocket as it was asked for', () => {
  it.each<[string, Answering]>([
    ['proves nothing', { accept: 'x' }],
    ['proves it for the key of the code', { accept: acceptOf(key) }],
    ['switches to something else', { upgrade: 'h2c' }],
    ['uses an extension', { more: ['Sec-WebSocket-Extensions: permessage-deflate'] }],
    ['chooses a protocol that nobody offered', { more: ['Sec-WebSocket-Protocol: evil'] }],
    ['answers something else', { status: '200 OK', more: ['Content-Length: 0'] }],
  ])('%s: it is cut off, and the code told', async (_what, answering) => {
    await start();
    answerUpgrades(answering);
    const { client, answer } = await ask();
    expect(answer).toMatchObject({ status: 502, error: 'upstream_protocol' });
    expect(await client.rest()).toBe('');
    expect(await recorded()).toMatchObject([{ refused: 'upstream_protocol' }]);
  });

  it('E96 an answer that is none shows the code nothing of it', async () => {
    await start();
    house.upstream.setUpgrade(null);
    const { answer } = await ask();
    expect(answer).toMatchObject({ status: 502, error: 'upstream_protocol' });
  });
});
