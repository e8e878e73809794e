import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type EgressHouse,
  type OpenSession,
  readReply,
  send,
  startEgressHouse,
} from '../../tests/support/egressHouse.ts';
import { type Answer, echo } from '../../tests/support/httpsUpstream.ts';

const host = 'api.example.com';
const url = `https://${host}/v1`;
let house: EgressHouse;
let run: OpenSession;

beforeAll(async () => {
  house = await startEgressHouse([host]);
});
afterAll(() => house.close());
afterEach(() => {
  run.session.close();
  house.upstream.setAnswer(echo);
});

/** An answer that waits for the test: `arrived` when the request is there, `go` to answer it. */
function heldAnswer(): { answer: Answer; arrived: Promise<void>; go: () => void } {
  let arrive = (): void => {};
  let go = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const released = new Promise<void>((resolve) => {
    go = resolve;
  });
  const answer: Answer = async (_request, response) => {
    arrive();
    await released;
    response.end('late');
  };
  return { answer, arrived, go };
}

const get = (signal?: AbortSignal) =>
  run.session.request({ method: 'GET', url, headers: [], body: null, ...(signal === undefined ? {} : { signal }) });

describe('an exchange', () => {
  it('is recorded once, when its answer was read, without query or values', async () => {
    run = house.open();
    const before = Date.now();
    const reply = await send(run.session, `${url}?token=1`, { method: 'POST', body: Buffer.from('12345') });
    expect(run.records).toEqual([
      {
        at: expect.any(Number),
        method: 'POST',
        host,
        port: 443,
        path: '/v1',
        status: 200,
        bytesIn: reply.bytes.length,
        bytesOut: 5,
        durationMs: expect.any(Number),
        secrets: [],
        refused: null,
        placeholderInBody: false,
      },
    ]);
    expect(run.records[0]?.at).toBeGreaterThanOrEqual(before);
    expect(run.session.records).toEqual(run.records);
  });

  it('caps a recorded path and hides odd methods', async () => {
    run = house.open();
    await send(run.session, `${url}/${'a'.repeat(2_000)}`);
    await send(run.session, url, { method: 'no\nmethod' });
    expect(run.records[0]?.path).toHaveLength(512);
    expect(run.records[1]).toMatchObject({ method: '?', refused: 'method_not_allowed' });
  });

  it('is recorded without a value that the code held after all', async () => {
    const secret = house.secret();
    run = house.open({ secrets: [secret] });
    await send(run.session, `${url}/${encodeURIComponent(secret.value)}/x`);
    expect(run.records[0]).toMatchObject({ path: '/v1/[redacted]/x', status: 200 });
  });

  it('carries a body in pieces, chunked, and as fast as the upstream takes it', async () => {
    run = house.open();
    const piece = Buffer.alloc(65_536, 'x');
    let pulled = 0;
    const body = (async function* () {
      for (let index = 0; index < 64; index += 1) {
        pulled += 1;
        yield piece;
      }
    })();
    const reply = await send(run.session, url, { method: 'DELETE', body });
    expect(reply.status).toBe(200);
    expect(pulled).toBe(64);
    expect(house.upstream.received.at(-1)?.body.length).toBe(64 * 65_536);
    expect(run.records[0]?.bytesOut).toBe(64 * 65_536);
  });

  it('with a large answer keeps no more of it than was asked for', async () => {
    let written = 0;
    house.upstream.setAnswer(async (_request, response) => {
      for (let index = 0; index < 1_000 && !response.destroyed; index += 1) {
        written += 65_536;
        if (!response.write(Buffer.alloc(65_536))) {
          await Promise.race([once(response, 'drain'), once(response, 'close')]);
        }
      }
      response.end();
    });
    run = house.open({ limits: { maxBytesIn: 1e9 } });
    const response = await get();
    for await (const _chunk of response.body) break;
    // Socket buffers of both ends hold a few megabytes at most.
    expect(written).toBeLessThan(30_000_000);
    expect(run.records).toMatchObject([{ status: 200, refused: null }]);
  });

  it('sends a User-Agent unless the code has one', async () => {
    run = house.open();
    await send(run.session, url);
    expect(house.upstream.received.at(-1)?.headers['user-agent']).toBe('oauth3');
    await send(run.session, url, { headers: { 'User-Agent': 'mine' } });
    expect(house.upstream.received.at(-1)?.headers['user-agent']).toBe('mine');
  });

  it('joins repeated headers and refuses those that stand alone', async () => {
    run = house.open();
    await send(run.session, url, {
      headers: [
        ['X-A', '1'],
        ['x-a', '2'],
        ['Cookie', 'a=1'],
        ['cookie', 'b=2'],
      ],
    });
    expect(house.upstream.received.at(-1)?.headers).toMatchObject({ 'x-a': '1, 2', cookie: 'a=1; b=2' });
    const twice = [
      ['Authorization', 'a'],
      ['authorization', 'b'],
    ] as const;
    expect((await send(run.session, url, { headers: twice })).error).toBe('header_invalid');
  });
});

describe('a refusal', () => {
  it('is an ordinary answer that says what to do', async () => {
    run = house.open();
    const reply = await send(run.session, 'https://evil.com/x');
    expect(JSON.parse(reply.text)).toEqual({
      error: 'host_not_allowed',
      host: 'evil.com',
      hint: 'Declare it in metadata.network and ask for approval again.',
    });
    expect(reply.headers).toContainEqual(['content-type', 'application/json']);
  });
});

describe('limits of a run', () => {
  it('end after so many requests; only the first one too many is recorded', async () => {
    run = house.open({ limits: { maxRequests: 2 } });
    const replies = await Promise.all(Array.from({ length: 6 }, () => send(run.session, url)));
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 200, 429, 429, 429, 429]);
    expect(run.records.filter((record) => record.refused === 'request_limit')).toHaveLength(1);
  });

  it('let no more requests out at once than allowed; the others wait their turn', async () => {
    const held = heldAnswer();
    house.upstream.setAnswer(held.answer);
    run = house.open({ limits: { maxConcurrent: 1 } });
    const before = house.upstream.connections();
    const first = send(run.session, url);
    const second = send(run.session, url);
    await held.arrived;
    expect(house.upstream.connections()).toBe(before + 1);
    held.go();
    expect((await first).text).toBe('late');
    expect((await second).text).toBe('late');
  });

  it('free the place of an answer that nobody reads when its time is over', async () => {
    house.upstream.setAnswer((request, response) => {
      if (request.path === '/v1') response.write('begun');
      else response.end('served');
    });
    run = house.open({ limits: { maxConcurrent: 1, requestTimeoutMs: 250 } });
    await get();
    const replies = [];
    while (run.records.length === 0) replies.push(await send(run.session, `https://${host}/next`));
    expect(run.records[0]).toMatchObject({ path: '/v1', status: 200, refused: 'upstream_timeout' });
    expect(replies.at(-1)?.text).toBe('served');
  });

  it('cap what is sent, whole or in pieces, over all requests together', async () => {
    run = house.open({ limits: { maxBytesOut: 10 } });
    expect((await send(run.session, url, { method: 'POST', body: new Uint8Array(8) })).status).toBe(200);
    const before = house.upstream.received.length;
    expect(await send(run.session, url, { method: 'POST', body: new Uint8Array(3) })).toMatchObject({
      status: 413,
      error: 'upload_limit',
    });
    const body = (async function* () {
      yield new Uint8Array(2);
      yield new Uint8Array(2);
    })();
    expect((await send(run.session, url, { method: 'POST', body })).error).toBe('upload_limit');
    expect(house.upstream.received.length).toBe(before);
  });

  it('cap what is received over all requests together', async () => {
    house.upstream.setAnswer((_request, response) => void response.end(Buffer.alloc(600)));
    run = house.open({ limits: { maxBytesIn: 1_000 } });
    expect((await send(run.session, url)).bytes.length).toBe(600);
    await expect(send(run.session, url)).rejects.toMatchObject({ code: 'download_limit' });
    expect(run.records[1]).toMatchObject({ refused: 'download_limit', status: 200 });
  });

  it('end an exchange that takes too long, before and within its answer', async () => {
    const held = heldAnswer();
    house.upstream.setAnswer(held.answer);
    run = house.open({ limits: { requestTimeoutMs: 150 } });
    expect(await send(run.session, url)).toMatchObject({ status: 502, error: 'upstream_timeout' });
    house.upstream.setAnswer((_request, response) => void response.write('begun'));
    await expect(send(run.session, url)).rejects.toMatchObject({ code: 'upstream_timeout' });
    expect(run.records.map((record) => record.refused)).toEqual(['upstream_timeout', 'upstream_timeout']);
    held.go();
  });
});

describe('the end of a run', () => {
  it('cuts what is open, records it, and lets nothing more out', async () => {
    const held = heldAnswer();
    house.upstream.setAnswer(held.answer);
    run = house.open({ secrets: [house.secret({ hosts: [host] })] });
    const waiting = send(run.session, url);
    await held.arrived;
    run.session.close();
    expect(run.records).toMatchObject([{ refused: 'session_closed' }]);
    expect((await waiting).error).toBe('session_closed');
    const before = house.upstream.connections();
    expect((await send(run.session, url)).error).toBe('session_closed');
    expect(house.upstream.connections()).toBe(before);
    held.go();
  });

  it('cuts an answer that is being read', async () => {
    house.upstream.setAnswer((_request, response) => void response.write('begun'));
    run = house.open();
    const chunks = (await get()).body[Symbol.asyncIterator]();
    expect(Buffer.from((await chunks.next()).value ?? '').toString()).toBe('begun');
    const next = chunks.next();
    run.session.close();
    await expect(next).rejects.toMatchObject({ name: 'EgressStreamError' });
    expect(run.records).toMatchObject([{ status: 200, refused: 'session_closed' }]);
  });

  it('does not wait for a request body that never comes', async () => {
    run = house.open();
    const controller = new AbortController();
    let ended = false;
    const body: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          queueMicrotask(() => controller.abort());
          return new Promise(() => {});
        },
        return: async () => {
          ended = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const reply = await run.session.request({ method: 'POST', url, headers: [], body, signal: controller.signal });
    expect((await readReply(reply)).error).toBe('aborted');
    expect(run.records).toMatchObject([{ refused: 'aborted' }]);
    expect(ended).toBe(false);
  });

  it('stays shut after a misplaced secret even if whoever is told of it fails', async () => {
    const secret = house.secret();
    run = house.open({
      secrets: [secret],
      onTripwire: () => {
        throw new Error('disk full');
      },
    });
    expect((await send(run.session, url, { headers: { 'x-note': secret.placeholder } })).error).toBe('internal');
    expect((await send(run.session, url)).error).toBe('session_closed');
    expect(run.records).toMatchObject([{ refused: 'internal' }, { refused: 'session_closed' }]);
  });
});

describe('a tunnel', () => {
  const errorOf = async (verdict: ReturnType<OpenSession['session']['tunnel']>): Promise<string | null> =>
    verdict.ok ? null : (await readReply(verdict.refusal)).error;

  it('to an allowed host opens under its canonical name, and leaves no record', () => {
    run = house.open();
    expect(run.session.tunnel('API.example.com.:443')).toEqual({ ok: true, host, port: 443 });
    expect(run.records).toEqual([]);
  });

  it('to anything else is refused and recorded, with its target when that can be read', async () => {
    run = house.open();
    expect(await errorOf(run.session.tunnel('evil.com:443'))).toBe('host_not_allowed');
    expect(await errorOf(run.session.tunnel(`${host}:80`))).toBe('host_not_allowed');
    expect(await errorOf(run.session.tunnel(host))).toBe('url_invalid');
    expect(run.records).toMatchObject([
      { method: 'CONNECT', host: 'evil.com', port: 443, path: '', status: 403, refused: 'host_not_allowed' },
      { method: 'CONNECT', host, port: 80, refused: 'host_not_allowed' },
      { method: 'CONNECT', host: '', port: 0, refused: 'url_invalid' },
    ]);
  });

  it('after the end is refused', async () => {
    run = house.open();
    run.session.close();
    expect(await errorOf(run.session.tunnel(`${host}:443`))).toBe('session_closed');
  });

  it('that is refused counts as a request, so that a flood of them does not fill the disk', async () => {
    run = house.open({ limits: { maxRequests: 3 } });
    const errors = [];
    for (let i = 0; i < 6; i += 1) errors.push(await errorOf(run.session.tunnel('evil.com:443')));
    expect(errors.slice(0, 4)).toEqual(['host_not_allowed', 'host_not_allowed', 'host_not_allowed', 'request_limit']);
    expect(new Set(errors.slice(4))).toEqual(new Set(['request_limit']));
    expect(run.records).toHaveLength(4);
    expect((await send(run.session, url)).error).toBe('request_limit');
  });

  it('never records a secret that stands in its name', () => {
    const secret = house.secret({ value: 'fakefakefakefake' });
    run = house.open({ secrets: [secret] });
    run.session.tunnel(`${secret.value}.evil.com:443`);
    run.session.tunnel(`${secret.placeholder}.evil.com:443`);
    const recorded = JSON.stringify(run.records);
    expect(recorded).not.toContain(secret.value);
    expect(recorded.toLowerCase()).not.toContain(secret.placeholder.toLowerCase());
  });
});

describe('what a front end refuses by itself', () => {
  const early = (target: string, method = 'GET'): void =>
    run.session.refusedEarly({ code: 'request_invalid', status: 400, method, url: target });

  it('is recorded with a canonical host or none, and nothing else of what the code wrote', () => {
    run = house.open();
    for (const target of ['https://API.example.com./x?y', '', '\0', 'https://a@b/', '/x', `${host}:443`]) early(target);
    early('', 'GET\r\n');
    const nowhere = { method: 'GET', host: '', port: 0, path: '', status: 400, refused: 'request_invalid' };
    const rows = [{ ...nowhere, host, port: 443 }, ...Array.from({ length: 5 }, () => nowhere)];
    expect(run.records).toMatchObject([...rows, { ...nowhere, method: '?' }]);
  });

  it('counts as a request, so that a flood of it does not fill the disk', async () => {
    run = house.open({ limits: { maxRequests: 3 } });
    for (let i = 0; i < 6; i += 1) early('');
    expect(run.records.map(({ refused }) => refused)).toEqual([
      'request_invalid',
      'request_invalid',
      'request_invalid',
      'request_limit',
    ]);
    expect((await send(run.session, url)).error).toBe('request_limit');
  });

  it('is recorded without a secret or a placeholder that stands in its name', () => {
    const secret = house.secret({ value: 'fakefakefakefake' });
    run = house.open({ secrets: [secret] });
    early(`https://${secret.value}.evil.com/`);
    early(`https://${secret.placeholder}.evil.com/`);
    const recorded = JSON.stringify(run.records);
    expect(run.records).toHaveLength(2);
    expect(recorded).not.toContain(secret.value);
    expect(recorded.toLowerCase()).not.toContain(secret.placeholder.toLowerCase());
  });
});

describe('a body in pieces that says its length', () => {
  const body = (...pieces: readonly string[]) =>
    (async function* () {
      for (const piece of pieces) yield Buffer.from(piece);
    })();

  it('goes out with that length instead of in chunks', async () => {
    run = house.open();
    const reply = await send(run.session, url, { method: 'POST', body: body('hel', 'lo'), bodyLength: 5 });
    expect(JSON.parse(reply.text)).toMatchObject({ body: 'hello', headers: { 'content-length': '5' } });
  });

  it.each([4, 6])('is broken off when it is not %i bytes', async (bodyLength) => {
    run = house.open();
    const before = house.upstream.received.length;
    const reply = await send(run.session, url, { method: 'POST', body: body('hel', 'lo'), bodyLength });
    expect(reply.error).toBe('aborted');
    expect(house.upstream.received.length).toBe(before);
  });
});
