import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mostWaiting } from '../../main/requests/arrivals.ts';
import {
  type AgentHouse,
  type CallOptions,
  field,
  rawCall,
  refusalOf,
  startAgentHouse,
} from '../support/agentHouse.ts';

// ATTACKS section N, and I164: what must not get through the agents' HTTP interface. Every refusal is checked to leave
// nothing behind. A231 is about routes: only those of INTERFACES 1 exist, and all but /health and /pair need a token.

let house: AgentHouse;
let token: string;

beforeAll(async () => {
  house = await startAgentHouse({ allowedHosts: ['host.docker.internal'] });
  house.world.settings['limits.requests_per_minute'] = 100_000;
  token = house.addAgent('home-agent').token;
});
afterAll(() => house.end());

const body = { skill_id: 'x', code: 'console.log(1)' };

/** The refusal of a request that would be fine but for what the test changes; checks that it had no effect. */
async function attempt(change: Partial<CallOptions>, method = 'POST', path = '/execute'): Promise<string> {
  const before = house.store.pendingRequests().length;
  const answer = await house.call(method, path, { token, body, ...change });
  expect(house.store.pendingRequests()).toHaveLength(before);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  return refusalOf(answer);
}

/** The same for bytes that no client library would send. */
async function rawAttempt(bytes: string | Uint8Array): Promise<string> {
  const before = house.store.pendingRequests().length;
  const answer = await rawCall(house.port, bytes);
  expect(house.store.pendingRequests()).toHaveLength(before);
  expect(answer.toLowerCase()).not.toContain('access-control');
  const [head = '', text = ''] = answer.split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
  return refusalOf({ status, headers: {}, text, json: JSON.parse(text) });
}

const host = (): string => `127.0.0.1:${house.port}`;
const json = JSON.stringify(body);

describe('web pages', () => {
  it('N223 a page posts text/plain without CORS: refused before any effect', async () => {
    const headers = { 'content-type': 'text/plain', origin: 'https://evil.example' };
    expect(await attempt({ headers })).toBe('403 forbidden_origin');
  });

  it.each(['null', 'https://evil.example', 'http://localhost:3000', 'file://', 'chrome-extension://abc', ''])(
    'N225 Origin %j is refused whatever it says',
    async (origin) => {
      expect(await attempt({ headers: { origin } })).toBe('403 forbidden_origin');
      expect(await attempt({ headers: { origin }, body: undefined }, 'GET', '/health')).toBe('403 forbidden_origin');
    },
  );

  it.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'same-origin' },
    { referer: 'https://evil.example/page' },
  ])('N225 %j alone is refused too', async (headers) => {
    expect(await attempt({ headers })).toBe('403 forbidden_origin');
  });

  it('N226 a WebSocket handshake is refused with an Origin, and never switches protocols without one', async () => {
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'eA==',
      'sec-websocket-version': '13',
    };
    const fromPage = { headers: { ...upgrade, origin: 'https://evil.example' }, body: undefined };
    expect(await attempt(fromPage, 'GET', '/')).toBe('403 forbidden_origin');
    expect(await attempt({ headers: upgrade, body: undefined }, 'GET', '/ws')).toBe('404 not_found');
  });

  it('N227 a preflight gets no CORS header, with or without an Origin', async () => {
    const preflight = { 'access-control-request-method': 'POST', 'access-control-request-private-network': 'true' };
    const none = { token: undefined, body: undefined };
    expect(await attempt({ ...none, headers: { ...preflight, origin: 'https://evil.example' } }, 'OPTIONS')).toBe(
      '403 forbidden_origin',
    );
    expect(await attempt({ ...none, headers: preflight }, 'OPTIONS')).toBe('404 not_found');
  });
});

describe('the Host header', () => {
  it.each([
    'evil.com',
    'evil.com:PORT',
    'localhost',
    '127.0.0.1',
    'localhost:1',
    'localhost.:PORT',
    'localhost.evil.com:PORT',
    '127.0.0.1.nip.io:PORT',
    'a@127.0.0.1:PORT',
    '127.0.0.1:PORT@evil.com',
    '127.1:PORT',
    '0.0.0.0:PORT',
    '[::]:PORT',
    '127.0.0.1:0PORT',
    'host.docker.internal:1',
  ])('N224 %s is not ours', async (text) => {
    expect(await attempt({ headers: { host: text.replace('PORT', String(house.port)) } })).toBe('403 forbidden_host');
  });

  it.each(['127.0.0.1:PORT', 'localhost:PORT', 'LOCALHOST:PORT', '[::1]:PORT', 'host.docker.internal:PORT'])(
    'N224 %s is ours',
    async (text) => {
      const headers = { host: text.replace('PORT', String(house.port)) };
      expect((await house.call('GET', '/health', { headers })).status).toBe(200);
    },
  );

  it('N224 none, two, or an absolute target with another host are refused', async () => {
    expect(await rawAttempt('GET /health HTTP/1.1\r\nConnection: close\r\n\r\n')).toBe('403 forbidden_host');
    expect(await rawAttempt('GET /health HTTP/1.0\r\n\r\n')).toBe('403 forbidden_host');
    const two = `GET /health HTTP/1.1\r\nHost: ${host()}\r\nHost: evil.com\r\nConnection: close\r\n\r\n`;
    expect(await rawAttempt(two)).toBe('403 forbidden_host');
    const absolute = `GET http://evil.com/health HTTP/1.1\r\nHost: ${host()}\r\nConnection: close\r\n\r\n`;
    expect(await rawAttempt(absolute)).toBe('400 invalid_request');
  });
});

describe('tokens', () => {
  const bad = (): [string, Partial<CallOptions>, string][] => [
    ['none', { token: undefined }, '/execute'],
    ['empty', { headers: { authorization: 'Bearer ' } }, '/execute'],
    ['short', { token: 'oa3_short' }, '/execute'],
    ['one character off', { token: `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}` }, '/execute'],
    ['trailing space', { headers: { authorization: `Bearer ${token} x` } }, '/execute'],
    ['upper case', { token: token.toUpperCase() }, '/execute'],
    ['basic scheme', { headers: { authorization: `Basic ${btoa(`x:${token}`)}` } }, '/execute'],
    ['in the query', { token: undefined }, `/execute?token=${token}&access_token=${token}`],
    ['in a cookie', { token: undefined, headers: { cookie: `token=${token}` } }, '/execute'],
    ['in x-api-key', { token: undefined, headers: { 'x-api-key': token } }, '/execute'],
  ];

  it('N229, N236 every wrong token gets the very same answer', async () => {
    const texts = new Set<string>();
    for (const [name, change, path] of bad()) {
      house.clock.pass(60_000);
      expect(`${name}: ${await attempt(change, 'POST', path)}`).toBe(`${name}: 401 unauthorized`);
      texts.add((await house.call('POST', path, { token, body, ...change })).text);
    }
    expect(texts.size).toBe(1);
    expect([...texts][0]).toContain('POST /pair');
  });

  it('N229 a revoked token is as good as none, and two Authorization headers are none', async () => {
    house.clock.pass(60_000);
    const former = house.addAgent('former');
    house.store.revokeAgent(former.agent.id, 'desktop', house.clock.wall);
    expect(await attempt({ token: former.token })).toBe('401 unauthorized');
    const two = `GET /requests/x HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n`;
    expect(await rawAttempt(two)).toBe('401 unauthorized');
  });

  it('N229 only a hash of the token is stored', () => {
    const [agent] = house.store.agents();
    expect(agent?.tokenSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(house.store.agents())).not.toContain(token);
  });

  it('N230 an agent, role or scope that a caller claims for itself is refused or ignored', async () => {
    expect(await attempt({ body: { ...body, agent_id: 'agt_other' } })).toBe('400 invalid_request');
    const headers = { 'x-agent-id': 'other', 'x-role': 'owner' };
    const answer = await house.call('POST', '/execute', { token, body, headers });
    const [request] = house.store.pendingRequests();
    expect(answer.status).toBe(202);
    expect(request?.agentId).toBe(house.store.agentByName('home-agent')?.id);
    await house.call('DELETE', `/requests/${request?.id}`, { token });
  });

  it('H136 nothing of a container can be asked for: a key that we do not know is refused, at any place', async () => {
    house.clock.pass(60_000);
    const wishes = [
      { privileged: true },
      { binds: ['/:/host'] },
      { mounts: [{ Type: 'bind', Source: '/' }] },
      { HostConfig: { Mounts: [{ Type: 'bind', Source: '/' }] } },
      { devices: ['/dev/kvm'] },
      { pid: 'host' },
      { Runtime: 'runc' },
      { image: 'evil:latest' },
      { SecurityOpt: ['seccomp=unconfined'] },
      { user: 'root' },
    ];
    for (const wish of wishes) {
      const places = [
        { ...body, ...wish },
        { ...body, metadata: wish },
      ];
      for (const changed of places) {
        expect(`${JSON.stringify(wish)} ${await attempt({ body: changed })}`).toBe(
          `${JSON.stringify(wish)} 400 invalid_request`,
        );
      }
    }
  });

  it('N231, L207 there is no route that approves, configures or shows secrets, with any method', async () => {
    for (const path of [
      '/secrets',
      '/approve/x',
      '/requests/x/approve',
      '/settings',
      '/config',
      '/view/x',
      '/unlock',
      '/',
    ]) {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        expect(
          `${method} ${path} ${await attempt(['GET', 'DELETE'].includes(method) ? { body: undefined } : {}, method, path)}`,
        ).toBe(`${method} ${path} 404 not_found`);
      }
    }
  });

  it('N232 any program of this machine gets nothing without one, and of our state only that we are up', async () => {
    house.clock.pass(60_000);
    for (const [method, path] of [
      ['POST', '/execute'],
      ['GET', '/requests/x'],
      ['DELETE', '/requests/x'],
    ] as const) {
      const change = method === 'POST' ? { token: undefined } : { token: undefined, body: undefined };
      expect(`${method} ${path} ${await attempt(change, method, path)}`).toBe(`${method} ${path} 401 unauthorized`);
    }
    const known = await house.call('GET', '/health', { token });
    const unknown = await house.call('GET', '/health');
    expect(unknown.status).toBe(200);
    expect(Object.keys(Object(unknown.json)).length).toBeLessThan(Object.keys(Object(known.json)).length);
    expect(unknown.text).not.toContain('home-agent');
  });

  it('N238 code cannot be sent to this very bridge, by whatever name', async () => {
    house.clock.pass(60_000);
    for (const name of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', 'host.docker.internal', '0.0.0.0']) {
      const network = [`${name}:${house.port}`];
      expect(`${name} ${await attempt({ body: { ...body, metadata: { network } } })}`).toBe(
        `${name} 400 invalid_request`,
      );
    }
  });

  it('N237 guessing is slowed down by address, and a right token still works', async () => {
    house.clock.pass(60_000);
    const guesses = await Promise.all(Array.from({ length: 40 }, (_, at) => attempt({ token: `guess${at}` })));
    expect(guesses.filter((text) => text === '401 unauthorized')).toHaveLength(20);
    expect(guesses.filter((text) => text === '429 rate_limited')).toHaveLength(20);
    expect((await house.call('GET', '/requests/none', { token })).status).toBe(404);
    house.clock.pass(60_000);
    expect(await attempt({ token: 'guess' })).toBe('401 unauthorized');
  });
});

describe('bodies', () => {
  it.each([
    { 'content-type': '' },
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/jsonx' },
    { 'content-type': 'application/json, text/plain' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    { 'content-type': 'application/json', 'content-encoding': 'br' },
  ])('N234 %j is not taken', async (headers) => {
    expect(await attempt({ headers })).toBe('415 unsupported_media_type');
  });

  it('N234 a body without Content-Type is not taken', async () => {
    const bytes = `POST /execute HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${json.length}\r\nConnection: close\r\n\r\n${json}`;
    expect(await rawAttempt(bytes)).toBe('415 unsupported_media_type');
  });

  it('N234 more than 1 MiB is not taken, announced or in chunks', async () => {
    const large = JSON.stringify({ ...body, code: 'x'.repeat(1_100_000) });
    expect(await attempt({ body: large })).toBe('413 too_large');
    expect(await attempt({ body: large, headers: { 'transfer-encoding': 'chunked' } })).toBe('413 too_large');
  });

  it('N234, I164 code over 256 KiB and arguments over 64 KiB are not taken', async () => {
    expect(await attempt({ body: { ...body, code: 'x'.repeat(256 * 1024 + 1) } })).toBe('413 too_large');
    expect(await attempt({ body: { ...body, code: 'é'.repeat(128 * 1024 + 1) } })).toBe('413 too_large');
    expect(await attempt({ body: { ...body, args: { a: 'x'.repeat(64 * 1024) } } })).toBe('413 too_large');
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"skill_id":"x"'],
    ['not an object', '[]'],
    ['null', 'null'],
    ['a byte order mark', `\ufeff${json}`],
    ['a key twice', '{"skill_id":"x","code":"1","code":"2"}'],
    ['a key twice, once escaped', '{"skill_id":"x","code":"1","\\u0063ode":"2"}'],
    ['a key twice, deep inside', '{"skill_id":"x","code":"1","args":{"a":[{"b":1,"b":2}]}}'],
    ['__proto__', '{"skill_id":"x","code":"1","__proto__":{"admin":true}}'],
    ['__proto__ in args', '{"skill_id":"x","code":"1","args":{"__proto__":{"a":1}}}'],
    ['escaped __proto__ in args', '{"skill_id":"x","code":"1","args":{"\\u005f_proto__":1}}'],
    ['half a surrogate pair in code', '{"skill_id":"x","code":"\\ud800"}'],
    ['half a surrogate pair in args', '{"skill_id":"x","code":"1","args":{"a":"\\udc00"}}'],
    ['deep nesting', `{"skill_id":"x","code":"1","args":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`],
    ['deep objects', `{"skill_id":"x","code":"1","args":${'{"a":'.repeat(50)}1${'}'.repeat(50)}}`],
    ['a number that is none', '{"skill_id":"x","code":"1","args":{"a":1e999}}'],
    ['an unknown key', '{"skill_id":"x","code":"1","approve":true}'],
    ['an unknown key in metadata', '{"skill_id":"x","code":"1","metadata":{"privileged":true}}'],
    ['10,000 secrets', JSON.stringify({ ...body, secrets: Array.from({ length: 10_000 }, (_, at) => `S${at}`) })],
    ['a secret that steers the runtime', '{"skill_id":"x","code":"1","secrets":["HTTPS_PROXY"]}'],
    [
      'secrets that differ in body and metadata',
      '{"skill_id":"x","code":"1","secrets":["A_KEY"],"metadata":{"secrets":["B_KEY"]}}',
    ],
    ['a skill id with a newline', '{"skill_id":"x\\ny","code":"1"}'],
    ['a time-out out of range', '{"skill_id":"x","code":"1","metadata":{"timeout":601}}'],
    ['a file URL', '{"skill_id":"x","skill_url":"file:///etc/passwd"}'],
    ['a URL with a user name', '{"skill_id":"x","skill_url":"https://a@evil.com/"}'],
    ['no code at all', '{"skill_id":"x"}'],
  ])('N234, I164 %s is not taken', async (_name, text) => {
    expect(await attempt({ body: text })).toBe('400 invalid_request');
  });

  it('N234 bytes that are not UTF-8 are not taken', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"skill_id":"x","code":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ]);
    expect(await attempt({ body: new Uint8Array(bytes) })).toBe('400 invalid_request');
  });

  it('N234 a refusal names the place and never quotes the value', async () => {
    const marker = `marker${Math.random().toString(36).slice(2)}`;
    const sent = { ...body, secrets: [`${marker} x`], metadata: { runtime: marker, network: [`${marker}:x`] } };
    const answer = await house.call('POST', '/execute', { token, body: sent });
    expect(answer.json).toMatchObject({
      error: { details: expect.arrayContaining([{ path: 'secrets.0', message: expect.any(String) }]) },
    });
    expect(answer.text).not.toContain(marker);
    const broken = await house.call('POST', '/execute', { token, body: `{"code": ${marker}` });
    expect(broken.text).not.toContain(marker);
  });
});

describe('HTTP itself', () => {
  const post = (headers: string, content = json): string =>
    `POST /execute HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${headers}\r\n${content}`;

  it.each([
    ['Content-Length and Transfer-Encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ['two Content-Lengths', `Content-Length: ${json.length}\r\nContent-Length: ${json.length}\r\n`],
    ['a signed Content-Length', `Content-Length: +${json.length}\r\n`],
    ['an unknown transfer coding', 'Transfer-Encoding: xchunked\r\n'],
    ['chunked not last', 'Transfer-Encoding: chunked, identity\r\n'],
    ['a space before the colon', `Content-Length : ${json.length}\r\n`],
    ['a folded header', `X-A: 1\r\n 2\r\nContent-Length: ${json.length}\r\n`],
    ['a bare line feed', `X-A: 1\nContent-Length: ${json.length}\r\n`],
    ['a NUL', `X-A: \0\r\nContent-Length: ${json.length}\r\n`],
  ])('N234, B35 %s is answered as what it is and runs nothing', async (_name, headers) => {
    expect(await rawAttempt(post(headers))).toBe('400 invalid_request');
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', '400 invalid_request'],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', '400 invalid_request'],
    ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400 invalid_request'],
    ['CONNECT', 'CONNECT evil.com:443 HTTP/1.1\r\nHost: evil.com:443\r\n\r\n', '403 forbidden_host'],
    ['CONNECT with our host', 'CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n\r\n', '400 invalid_request'],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n', '400 invalid_request'],
    ['a bad escape', 'GET /requests/%zz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n', '400 invalid_request'],
    [
      'an odd expectation',
      'GET / HTTP/1.1\r\nHost: HOST\r\nExpect: magic\r\nConnection: close\r\n\r\n',
      '400 invalid_request',
    ],
    ['headers of 20 KiB', `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, '413 too_large'],
  ])('N234 %s gets the envelope', async (_name, bytes, refusal) => {
    expect(await rawAttempt(bytes.replaceAll('HOST', host()))).toBe(refusal);
  });

  it('N234 a large body that is announced with Expect is refused before it is sent', async () => {
    const answer = await rawCall(
      house.port,
      `POST /execute HTTP/1.1\r\nHost: evil.com\r\nExpect: 100-continue\r\nContent-Length: 9\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).not.toContain('100 Continue');
    expect(answer).toContain('forbidden_host');
  });

  it('N234 pipelined requests are judged one by one, in order', async () => {
    const good = `GET /health HTTP/1.1\r\nHost: ${host()}\r\n\r\n`;
    const rebound = 'GET /health HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n';
    const answer = await rawCall(house.port, `${good.repeat(50)}${rebound}`);
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
    expect(statuses).toEqual([...Array.from({ length: 50 }, () => '200'), '403']);
  });

  it('I161 long-polls that pile up, on one connection or many, are answered at once beyond a few', async () => {
    const created = await house.call('POST', '/execute', { token, body });
    const id = field(created, 'request_id');
    const path = `/requests/${id}`;
    const poll = `GET ${path}?wait=60 HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const socket = connect({ host: '127.0.0.1', port: house.port });
    socket.write(poll.repeat(200));
    await expect.poll(() => house.waits.polls(id)).toBe(mostWaiting);
    const more = await house.call('GET', `${path}?wait=60`, { token });
    expect(field(more, 'status')).toBe('pending');
    await house.call('DELETE', path, { token });
    socket.destroy();
  });

  it('I163 asking and cancelling by turns shows no more cards than the cap, until those would have expired', async () => {
    const own = await startAgentHouse({ channels: ['telegram'] });
    const agent = own.addAgent('busy').token;
    own.world.settings['limits.pending_per_agent'] = 3;
    const ask = (at: number) => own.call('POST', '/execute', { token: agent, body: { skill_id: 'x', code: `${at}` } });
    const answers: string[] = [];
    for (let at = 0; at < 6; at += 1) {
      const answer = await ask(at);
      answers.push(answer.status === 202 ? 'card' : refusalOf(answer));
      if (answer.status !== 202) continue;
      await own.call('DELETE', `/requests/${field(answer, 'request_id')}`, { token: agent });
    }
    expect(answers).toEqual(['card', 'card', 'card', ...Array(3).fill('429 rate_limited')]);
    const refused = await ask(6);
    expect(refused.headers['retry-after']).toBe('60');
    expect(refused.text).toContain('3 that you cancelled count until they would have expired');
    own.clock.pass(30 * 60_000);
    expect((await ask(7)).status).toBe(202);
    await own.end();
  });

  it('N234 rubbish behind a request never looks like the answer to it', async () => {
    const answer = await rawCall(house.port, `${post(`Content-Length: ${json.length}\r\n`)}rubbish\r\n\r\n`);
    expect(answer).not.toContain('400');
    const [request] = house.store.pendingRequests();
    await house.call('DELETE', `/requests/${request?.id}`, { token });
  });

  it('N234 a parameter of a thousand characters finds nothing', async () => {
    expect(await attempt({ body: undefined }, 'GET', `/requests/${'a'.repeat(1000)}`)).toBe('404 not_found');
  });

  it('I158 connections beyond a thousand are closed at once, and the others go on', async () => {
    const sockets = Array.from({ length: 1010 }, () => connect({ host: '127.0.0.1', port: house.port }));
    let closed = 0;
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('close', () => {
        closed += 1;
      });
    }
    await vi.waitFor(() => expect(closed).toBeGreaterThanOrEqual(10), { timeout: 10_000 });
    expect(closed).toBeLessThan(100);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(() => expect(closed).toBe(1010), { timeout: 10_000 });
    await vi.waitFor(async () => expect((await house.call('GET', '/health')).status).toBe(200), { timeout: 10_000 });
  });

  it('N234 clients that reset their connection at any moment do no harm', async () => {
    const opening = ['CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', post('Content-Length: 100\r\n', '{'), 'GET / HT'];
    for (const bytes of opening) {
      await new Promise<void>((resolve) => {
        const socket = connect({ host: '127.0.0.1', port: house.port }, () => {
          socket.write(bytes, () => socket.resetAndDestroy());
        });
        socket.on('close', () => resolve());
        socket.on('error', () => {});
      });
    }
    expect((await house.call('GET', '/health')).status).toBe(200);
  });
});
