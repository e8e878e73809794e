import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { trustContext } from './roots.ts';
import { Upstream, type UpstreamRequest } from './upstream.ts';
import { UpstreamConnections } from './upstreamConnections.ts';

/** What the server does with the n-th request on its n-th connection; both count from 1. */
type Play = (socket: Socket, request: number, connection: number, text: string) => void;

const ok = (text: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(text)}\r\n${headers}\r\n${text}`;
const upstream = new Upstream(trustContext([]));

let server: Server;
let port = 0;
let sockets: Socket[];
let play: Play;
let connections: UpstreamConnections;

beforeEach(async () => {
  sockets = [];
  play = (socket, request, connection) => void socket.write(ok(`${connection}.${request}`));
  connections = new UpstreamConnections();
  server = createServer((socket) => {
    const connection = sockets.push(socket);
    let request = 0;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      request += 1;
      play(socket, request, connection, bytes.toString('latin1'));
    });
  });
  // All of 127.0.0.0/8.
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterEach(() => {
  connections.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

const alone = (): UpstreamRequest => ({
  secure: false,
  host: 'nas.home.arpa',
  target: { addresses: ['127.0.0.1'], port },
  method: 'GET',
  path: '/',
  headers: new Map([['host', 'nas.home.arpa']]),
  body: null,
  totalTimeoutMs: 5_000,
});
const ofRun = (change: Partial<UpstreamRequest> = {}): UpstreamRequest => ({ ...alone(), connections, ...change });

async function exchange(request: UpstreamRequest): Promise<string> {
  const answer = await upstream.exchange(request);
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
const ask = (change: Partial<UpstreamRequest> = {}): Promise<string> => exchange(ofRun(change));

/** Until the app hung up on the server's n-th connection. */
const hungUp = (connection: number) => expect.poll(() => sockets[connection - 1]?.destroyed).toBe(true);

describe('a connection of a run', () => {
  it('serves one request after another', async () => {
    for (let request = 1; request <= 20; request += 1) expect(await ask()).toBe(`1.${request}`);
  });

  it('serves one request at a time', async () => {
    const both = await Promise.all([ask(), ask()]);
    expect(both.sort()).toEqual(['1.1', '2.1']);
    sockets[1]?.destroy();
    const again = await Promise.all([ask(), ask()]);
    expect(again.sort()).toEqual(['1.2', '3.1']);
  });

  it('is closed when nobody needed it for four seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await ask();
      vi.advanceTimersByTime(3_900);
      expect(await ask()).toBe('1.2');
      vi.advanceTimersByTime(4_000);
    } finally {
      vi.useRealTimers();
    }
    await hungUp(1);
  });

  it.each<[string, Partial<UpstreamRequest>]>([
    ['other secrets', { secrets: ['API_KEY'] }],
    ['another host', { host: 'ha.home.arpa' }],
  ])('B43 is not for a request with %s, and is still there for its own', async (_what, change) => {
    expect(await ask()).toBe('1.1');
    expect(await ask(change)).toBe('2.1');
    expect(await ask(change)).toBe('2.2');
    expect(await ask()).toBe('1.2');
  });

  it('B43 is not for a request of another run', async () => {
    expect(await ask()).toBe('1.1');
    const others = new UpstreamConnections();
    expect(await ask({ connections: others })).toBe('2.1');
    others.close();
  });

  it('D71 is not for a request whose host leads elsewhere by now', async () => {
    expect(await ask()).toBe('1.1');
    await expect(ask({ target: { addresses: ['127.0.0.2'], port } })).resolves.toBe('2.1');
  });

  it('is left behind by a request with a body, and never taken by one, which could not be sent again', async () => {
    expect(await ask({ method: 'POST', body: Buffer.from('x') })).toBe('1.1');
    expect(await ask()).toBe('1.2');
    expect(await ask({ method: 'POST' })).toBe('2.1');
    expect(await ask({ method: 'DELETE' })).toBe('3.1');
    expect(await ask({ body: Buffer.from('x') })).toBe('4.1');
  });

  it.each(['HEAD', 'GET'])('is as good after an answer to %s that has no body', async (method) => {
    play = (socket, request, connection) => {
      const empty = method === 'HEAD' ? ok('x').slice(0, -1) : 'HTTP/1.1 204 No Content\r\n\r\n';
      socket.write(request === 1 ? empty : ok(`${connection}.${request}`));
    };
    await new Promise<void>((resolve, reject) => {
      const onEnd = (): void => resolve();
      upstream.exchange(ofRun({ method, onEnd })).then((answer) => answer.close(), reject);
    });
    // Node hands the connection back in the turn after.
    await new Promise(setImmediate);
    expect(await ask()).toBe('1.2');
  });

  it('is closed with the run', async () => {
    await ask();
    connections.close();
    await hungUp(1);
    expect(await ask()).toBe('2.1');
    await hungUp(2);
  });

  it('is one of two at most for the same, and of eight at most in all', async () => {
    await Promise.all([ask(), ask(), ask()]);
    await expect.poll(() => sockets.filter(({ destroyed }) => destroyed).length).toBe(1);
    for (let host = 0; host < 8; host += 1) await ask({ host: `host-${host}.home.arpa` });
    await expect.poll(() => sockets.filter(({ destroyed }) => !destroyed).length).toBe(8);
  });

  it('without connections of a run is closed after its exchange, and says so', async () => {
    let head = '';
    play = (socket, _request, _connection, text) => {
      head = text;
      socket.write(ok('x'));
    };
    await exchange(alone());
    expect(head).toMatch(/^connection: close\r$/im);
    await hungUp(1);
  });
});

describe('an answer that leaves the connection in doubt closes it', () => {
  const rest = ok('poison');
  it.each<[string, string, string]>([
    ['Connection: close', ok('x', 'Connection: close\r\n'), 'x'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', 'x'],
    ['a second answer at once', `${ok('x')}${rest}`, 'x'],
    ['rubbish behind its body', `${ok('x')}rubbish`, 'x'],
    [
      'rubbish behind its last chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n!!',
      'x',
    ],
    ['a body where there is none', `HTTP/1.1 204 No Content\r\n\r\n${rest}`, ''],
  ])('%s', async (_what, bytes, text) => {
    play = (socket, request, connection) =>
      void socket.write(connection === 1 ? bytes : ok(`${connection}.${request}`));
    expect(await ask().catch(() => text)).toBe(text);
    await hungUp(1);
    expect(await ask()).toBe('2.1');
  });

  it('a second answer that comes later', async () => {
    expect(await ask()).toBe('1.1');
    sockets[0]?.write(rest);
    await hungUp(1);
    expect(await ask()).toBe('2.1');
  });

  it('one that comes before the request was sent', async () => {
    const body = (async function* () {
      yield Buffer.from('first');
      await new Promise((resolve) => setTimeout(resolve, 50));
      yield Buffer.from('second');
    })();
    play = (socket, request, connection) => void (request === 1 && socket.write(ok(`${connection}.${request}`)));
    expect(await ask({ method: 'POST', body })).toBe('1.1');
    await hungUp(1);
    expect(await ask()).toBe('2.1');
  });

  it('one that nobody read to its end', async () => {
    const answer = await upstream.exchange(ofRun());
    answer.close();
    await hungUp(1);
    expect(await ask()).toBe('2.1');
  });
});

describe('a connection that the upstream closed meanwhile', () => {
  it('is not noticed by who asks', async () => {
    play = (socket, request, connection) => {
      if (connection === 1 && request === 2) socket.destroy();
      else socket.write(ok(`${connection}.${request}`));
    };
    expect(await ask()).toBe('1.1');
    expect(await ask()).toBe('2.1');
  });

  it('is an error once a part of an answer came over it: it could be an answer to the first try', async () => {
    play = (socket, request, connection) => {
      if (connection === 1 && request === 2) socket.end('HTTP/1.1 2');
      else socket.write(ok(`${connection}.${request}`));
    };
    expect(await ask()).toBe('1.1');
    await expect(ask()).rejects.toMatchObject({ code: 'upstream_protocol' });
    expect(sockets.length).toBe(1);
  });

  it('is tried once more and not again', async () => {
    play = (socket, request) => void (request === 1 && sockets.length === 1 ? socket.write(ok('x')) : socket.destroy());
    expect(await ask()).toBe('x');
    await expect(ask()).rejects.toMatchObject({ code: 'upstream_protocol' });
    expect(sockets.length).toBe(2);
  });
});
