import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Redactor } from '../../main/core/redaction.ts';
import { type EgressHouse, type OpenSession, startEgressHouse } from '../support/egressHouse.ts';
import { type FrontEnd, frontEnd, frontEnds } from '../support/frontEnds.ts';

// ATTACKS section A as the gateway sees it: the code of a run writes a URL, the run may call api.allowed.com.
// A8, A9, A15, A22, A26 are about texts in a request's network list: see the tests of main/core/host.ts.
// A25 (raw sockets) is a matter of the sandbox: the embedded one has no sockets at all.

let house: EgressHouse;
let run: OpenSession;
let send: FrontEnd['send'];
let close: FrontEnd['close'];

beforeAll(async () => {
  house = await startEgressHouse(['api.allowed.com', 'evil.com', 'a.b.allowed.com', 'localhost']);
});
afterAll(() => house.close());
afterEach(() => {
  run.session.close();
  return close();
});

function openRun(network: readonly string[] = ['api.allowed.com']): OpenSession {
  run = house.open({ network });
  house.lookups.length = 0;
  return run;
}

async function expectRefused(url: string, code: string | RegExp, network?: readonly string[]): Promise<void> {
  const { session, records } = openRun(network);
  const before = house.upstream.connections();
  const reply = await send(session, url);
  expect(house.upstream.connections()).toBe(before);
  expect(house.lookups).toEqual([]);
  // Only bytes can be no HTTP at all: then the engine was told and not asked.
  const unread = reply.error === 'request_invalid';
  expect(unread ? [400] : [403, 502]).toContain(reply.status);
  expect(reply.error).toMatch(unread ? /^request_invalid$/ : code);
  expect(records).toMatchObject([{ status: reply.status, refused: reply.error }]);
}

describe.each(frontEnds)('as the %s sandbox asks', (name) => {
  beforeAll(() => {
    ({ send, close } = frontEnd(name));
  });

  describe('what is allowed', () => {
    it('A1 upper case is the same host, and the record shows the canonical form', async () => {
      const { session, records } = openRun();
      expect((await send(session, 'https://API.Allowed.COM/x')).status).toBe(200);
      expect(records[0]).toMatchObject({ host: 'api.allowed.com', port: 443, path: '/x', status: 200, refused: null });
      expect(house.upstream.received.at(-1)?.headers.host).toBe('api.allowed.com');
    });

    it('A2 exactly one trailing dot is stripped', async () => {
      const { session } = openRun();
      expect((await send(session, 'https://api.allowed.com./x')).status).toBe(200);
      expect(house.upstream.received.at(-1)?.servername).toBe('api.allowed.com');
      expect((await send(session, 'https://api.allowed.com../x')).error).toBe('url_invalid');
    });

    it('A7 a wildcard stands for exactly one label', async () => {
      const { session } = openRun(['*.allowed.com']);
      expect((await send(session, 'https://api.allowed.com/')).status).toBe(200);
      expect((await send(session, 'https://a.b.allowed.com/')).error).toBe('host_not_allowed');
      expect((await send(session, 'https://allowed.com/')).error).toBe('host_not_allowed');
    });
  });

  describe('what is refused before any look-up or connection', () => {
    it.each([
      ['A3', 'https://.api.allowed.com/'],
      ['A3', 'https://a..allowed.com/'],
      ['A4', 'https://evil.com\0.allowed.com/'],
      ['A5', 'https://evil.com%00.allowed.com/'],
      ['A5', 'https://evil.com%2eallowed.com/'],
      ['A5', 'https://evil.com%2f.allowed.com/'],
      ['A11', 'https://api.allowed.com@evil.com/'],
      ['A11', 'https://user:pass@api.allowed.com/'],
      ['A13', 'https:\\\\api.allowed.com/'],
      ['A13', 'https:/api.allowed.com/'],
      ['A13', 'https:api.allowed.com/'],
      ['A13', 'https://evil.com\\@api.allowed.com/'],
      ['A13', 'https://api.allowed.com/\\evil'],
      ['A13', 'ht\ttps://api.allowed.com/'],
      ['A13', 'https://api.allo\nwed.com/'],
      ['A13', 'https://api.allowed.com/a\nb'],
      ['A13', 'https://api.allowed.com/a\tb'],
      ['A13', 'https://api.allowed.com/?a\rb'],
      ['A13', '//api.allowed.com/'],
      ['A13', 'file:///etc/passwd'],
      ['A13', 'ftp://api.allowed.com/'],
      ['A17', 'https://2130706433/'],
      ['A17', 'https://0x7f.1/'],
      ['A17', 'https://0177.0.0.1/'],
      ['A17', 'https://127.1/'],
      ['A17', 'https://0/'],
      ['A19', 'https://api.allowed.com:0443/'],
      ['A19', 'https://api.allowed.com:443:80/'],
      ['A19', 'https://api.allowed.com:-1/'],
      ['A19', 'https://api.allowed.com:99999/'],
      ['A19', 'https://api.allowed.com:/'],
      ['A21', `https://${'a'.repeat(64)}.allowed.com/`],
      ['A21', `https://${'a.'.repeat(127)}allowed.com/`],
      ['A21', 'https://-a.allowed.com/'],
      ['A21', 'https://a_b.allowed.com/'],
      ['A41', `https://api.allowed.com/${'a'.repeat(65_536)}`],
    ])('%s %j is not a plain URL', (_number, url) => expectRefused(url, 'url_invalid'));

    // Bytes of a container say it with a space too many in the request line, and with a Host that is another.
    it('A13 a URL behind a space is refused', () =>
      expectRefused(' https://api.allowed.com/', /url_invalid|host_mismatch/));

    it.each([
      ['A6', 'https://evilallowed.com/'],
      ['A6', 'https://api.allowed.com.evil.com/'],
      ['A6', 'https://xapi.allowed.com/'],
      ['A10', 'https://evil.com/'],
      ['A15', 'https://аpi.allowed.com/'],
      ['A18', 'https://1.2.3.4/'],
      ['A18', 'https://[2606:4700::1111]/'],
      ['A19', 'https://api.allowed.com:22/'],
      ['A19', 'http://api.allowed.com/'],
      ['A26', 'https://localhost/'],
      ['B28', 'http://evil.com/'],
    ])('%s %j is on no list', (_number, url) => expectRefused(url, /host_not_allowed|url_invalid/));

    it.each(['https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://[fe80::1%25eth0]/'])(
      'A18 %s is refused',
      (url) => expectRefused(url, /host_not_allowed|url_invalid/),
    );

    it('A10 an empty list blocks everything', () => expectRefused('https://api.allowed.com/', 'host_not_allowed', []));

    it('A19 plain http on the port of https is refused', () =>
      expectRefused('http://api.allowed.com:443/', 'scheme_not_allowed'));
  });

  describe('a session is a snapshot', () => {
    it('A23 edits of the list that it was opened with do not reach it', async () => {
      const rules = [{ host: 'api.allowed.com', port: 443 }];
      const session = house.gateway.open({
        runId: 'run_snapshot',
        rules,
        secrets: [],
        boundHosts: [],
        limits: { maxRequests: 9, maxConcurrent: 1, maxBytesIn: 1e6, maxBytesOut: 1e6, requestTimeoutMs: 9_000 },
        redactor: new Redactor([]),
        onTripwire: () => {},
      });
      run = { session, records: [], trips: [] };
      rules[0] = { host: 'evil.com', port: 443 };
      expect((await send(session, 'https://evil.com/')).error).toBe('host_not_allowed');
      expect((await send(session, 'https://api.allowed.com/')).status).toBe(200);
    });

    it('A23 an owner who removes a local service changes the next run, not this one', async () => {
      const { session } = openRun();
      const service = house.services.get('api.allowed.com');
      house.services.delete('api.allowed.com');
      try {
        expect((await send(session, 'https://api.allowed.com/')).status).toBe(200);
      } finally {
        if (service !== undefined) house.services.set('api.allowed.com', service);
      }
    });
  });

  describe('A24 a second hop gets the same verdict', () => {
    it('a URL inside a path or query means nothing', async () => {
      const { session, records } = openRun();
      await send(session, 'https://api.allowed.com/https://evil.com/?url=https://evil.com/');
      expect(records[0]?.host).toBe('api.allowed.com');
      expect(house.upstream.received.at(-1)?.path).toBe('/https://evil.com/?url=https://evil.com/');
    });
  });
});
