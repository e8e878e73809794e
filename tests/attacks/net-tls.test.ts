import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority } from '../support/certificates.ts';
import { type EgressHouse, type OpenSession, startEgressHouse } from '../support/egressHouse.ts';
import { type FrontEnd, frontEnd, frontEnds } from '../support/frontEnds.ts';
import { startUpstream, type UpstreamServer } from '../support/httpsUpstream.ts';

// ATTACKS section C, the upstream side, as both sandboxes meet it; C60 is about the app's own process, whoever asks. C55-C58
// and C61-C65 are about TLS towards a sandbox: the embedded one speaks none, see egress-tls.test.ts.

const host = 'api.allowed.com';
let house: EgressHouse;
let run: OpenSession;
let send: FrontEnd['send'];
let close: FrontEnd['close'];
const servers: UpstreamServer[] = [];

beforeAll(async () => {
  house = await startEgressHouse([host]);
});
afterAll(() => house.close());
afterEach(async () => {
  run.session.close();
  await close();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A run whose `host` is the given server, and a secret that must not get there. */
async function tryServer(port: number): Promise<{ status: number; error: string | null; text: string }> {
  const previous = house.services.get(host);
  house.services.set(host, { address: '127.0.0.1', port });
  const secret = house.secret();
  run = house.open({ secrets: [secret] });
  if (previous !== undefined) house.services.set(host, previous);
  return send(run.session, `https://${host}/`, { headers: { Authorization: `Bearer ${secret.placeholder}` } });
}

const dayMs = 86_400_000;
const daysFromNow = (days: number): Date => new Date(Date.now() + days * dayMs);

describe.each(frontEnds)('C59 certificates that are refused, with nothing sent, as the %s sandbox asks', (name) => {
  beforeAll(() => {
    ({ send, close } = frontEnd(name));
  });

  it.each<[string, string, () => Promise<UpstreamServer>]>([
    [
      'expired',
      'CERT_HAS_EXPIRED',
      async () =>
        startUpstream(await house.authority.issue([host], { notBefore: daysFromNow(-3), notAfter: daysFromNow(-2) })),
    ],
    [
      'not valid yet',
      'CERT_NOT_YET_VALID',
      async () =>
        startUpstream(await house.authority.issue([host], { notBefore: daysFromNow(2), notAfter: daysFromNow(3) })),
    ],
    [
      'for another host',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      async () => startUpstream(await house.authority.issue(['evil.com'])),
    ],
    [
      'for a parent wildcard two labels up',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      async () => startUpstream(await house.authority.issue(['*.com'])),
    ],
    [
      'for the address only',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      async () => startUpstream(await house.authority.issue(['127.0.0.1'])),
    ],
    [
      'of an authority with the same name',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      async () => startUpstream(await (await makeAuthority('Another Authority')).issue([host])),
    ],
  ])('%s', async (_what, cause, start) => {
    const server = await start();
    servers.push(server);
    const reply = await tryServer(server.port);
    expect(reply).toMatchObject({ status: 502, error: 'upstream_tls' });
    expect(reply.text).toContain(cause);
    expect(server.received).toEqual([]);
    expect(run.records).toMatchObject([{ refused: 'upstream_tls', status: 502 }]);
  });

  it('a server that does not speak TLS gets no request', async () => {
    const server = await startUpstream(null);
    servers.push(server);
    expect(await tryServer(server.port)).toMatchObject({ status: 502, error: 'upstream_tls' });
    expect(Buffer.concat(server.wire()).toString('latin1')).not.toMatch(/authorization/i);
  });

  it('a closed port is unreachable, not a TLS failure', async () => {
    const probe = net.createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const address = probe.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await new Promise((resolve) => probe.close(resolve));
    const reply = await tryServer(port);
    expect(reply).toMatchObject({ status: 502, error: 'upstream_unreachable' });
    expect(reply.text).toContain('ECONNREFUSED');
  });

  it('the right certificate passes, and the host is the SNI', async () => {
    const server = await startUpstream(await house.authority.issue([host]));
    servers.push(server);
    expect((await tryServer(server.port)).status).toBe(200);
    expect(server.received[0]?.servername).toBe(host);
  });
});

/** Runs one exchange in a process of its own; prints `ok` or the error's code. */
const probe = (port: number, authorityPem: string): string => `
  const { Upstream } = await import(${JSON.stringify(new URL('../../main/net/upstream.ts', import.meta.url).href)});
  const { trustContext } = await import(${JSON.stringify(new URL('../../main/net/roots.ts', import.meta.url).href)});
  const upstream = new Upstream(trustContext(${JSON.stringify(authorityPem === '' ? [] : [authorityPem])}));
  try {
    const answer = await upstream.exchange({
      secure: true, host: '${host}', target: { addresses: ['127.0.0.1'], port: ${port} }, method: 'GET',
      path: '/', headers: new Map([['host', '${host}']]), body: null, totalTimeoutMs: 10_000,
    });
    for await (const _chunk of answer.body) {}
    console.log('ok');
  } catch (error) { console.log(error.code); }
`;

async function runProbe(script: string, env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return output.trim();
}

describe('C60 the environment of the app has no say', () => {
  let folder = '';
  let stranger: UpstreamServer;
  let strangerFile = '';
  let trusted: UpstreamServer;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'oauth3-test-'));
    const authority = await makeAuthority('Stranger');
    strangerFile = path.join(folder, 'stranger.pem');
    await writeFile(strangerFile, authority.certPem);
    stranger = await startUpstream(await authority.issue([host]));
    trusted = await startUpstream(await house.authority.issue([host]));
  });
  afterAll(async () => {
    await Promise.all([stranger.close(), trusted.close(), rm(folder, { recursive: true })]);
  });

  it('C59 NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch verification off', async () => {
    expect(await runProbe(probe(stranger.port, ''), { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toBe('upstream_tls');
  });

  it('NODE_EXTRA_CA_CERTS, SSL_CERT_FILE and --use-openssl-ca add no trust', async () => {
    const env = { NODE_EXTRA_CA_CERTS: strangerFile, SSL_CERT_FILE: strangerFile, NODE_OPTIONS: '--use-openssl-ca' };
    expect(await runProbe(probe(stranger.port, ''), env)).toBe('upstream_tls');
  });

  it('SSLKEYLOGFILE and --tls-keylog get no keys', async () => {
    const env = {
      SSLKEYLOGFILE: path.join(folder, 'keys'),
      NODE_OPTIONS: `--tls-keylog=${path.join(folder, 'keys2')}`,
    };
    expect(await runProbe(probe(trusted.port, house.authority.certPem), env)).toBe('ok');
    expect(await readdir(folder)).toEqual(['stranger.pem']);
  });

  it('D79 HTTPS_PROXY, ALL_PROXY and NODE_USE_ENV_PROXY are not used', async () => {
    const proxy = `http://127.0.0.1:${stranger.port}`;
    const env = { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, ALL_PROXY: proxy, NODE_USE_ENV_PROXY: '1' };
    const before = stranger.connections();
    expect(await runProbe(probe(trusted.port, house.authority.certPem), env)).toBe('ok');
    expect(stranger.connections()).toBe(before);
  });
});
