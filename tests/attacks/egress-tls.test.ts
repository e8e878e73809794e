import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RunAuthority } from '../../main/egress/proxy/authority.ts';
import { type EgressHouse, type OpenSession, startEgressHouse } from '../support/egressHouse.ts';
import { echo } from '../support/httpsUpstream.ts';
import { Client, type ProxyHouse, startProxyHouse } from '../support/proxyHouse.ts';

// ATTACKS section C for the front end of containers; the embedded sandbox has no TLS of its own, so nothing of it can exist
// there: its code names a URL, and the engine alone speaks TLS. C59 and C60 towards the upstream: net-tls.test.ts. C61: that nothing
// but the certificate enters a container is shown by the tests of the Docker backend; here, that nothing else leaves the
// front end. C62 (operating system's trust store): the app has no code that touches it; the authority is shown here.

const host = 'api.allowed.com';
let house: EgressHouse;
let run: OpenSession;
let proxy: ProxyHouse;

beforeAll(async () => {
  house = await startEgressHouse([host, 'other.allowed.com']);
});
afterAll(() => house.close());
afterEach(async () => {
  await proxy.close();
  run.session.close();
  house.upstream.setAnswer(echo);
});

async function start(network: readonly string[] = [host]): Promise<void> {
  run = house.open({ network });
  proxy = await startProxyHouse(run.session);
}

/** What a client sees of a handshake that fails: Node's or OpenSSL's code. */
async function failure(options: tls.ConnectionOptions): Promise<string> {
  try {
    await proxy.secure(host, options);
    return 'connected';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

async function leafFor(name: string): Promise<X509Certificate> {
  const { socket } = await proxy.secure(name);
  if (!(socket instanceof tls.TLSSocket)) throw new Error('expected TLS');
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) throw new Error('expected a certificate');
  return leaf;
}

const hours = (certificate: X509Certificate): number =>
  (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 3_600_000;

describe('the name that a client asks for', () => {
  it('C55 may be left out: the tunnel says who is meant', async () => {
    await start();
    const client = await proxy.secure(host, { servername: '', checkServerIdentity: () => undefined });
    expect(await client.ask('GET', '/', host)).toMatchObject({ status: 200 });
    expect(run.records).toMatchObject([{ host }]);
  });

  it.each(['Api.ALLOWED.com', 'api.allowed.com.'])('C56 %s is the same host', async (servername) => {
    await start();
    const client = await proxy.secure(host, { servername, checkServerIdentity: () => undefined });
    expect(await client.ask('GET', '/', host)).toMatchObject({ status: 200 });
  });

  it.each([
    'evil.com',
    'other.allowed.com',
    '*.allowed.com',
    'a_b.allowed.com',
    'xapi.allowed.com',
    'api.allowed.com..',
  ])('B31 C56 %s is another host, allowed or not, and fails in the handshake', async (servername) => {
    await start([host, 'other.allowed.com']);
    expect(await failure({ servername, rejectUnauthorized: false })).toBe('ECONNRESET');
    expect(run.records).toMatchObject([{ host, port: 443, status: 0, refused: 'tls_refused' }]);
    expect(JSON.stringify(run.records)).not.toContain(servername);
  });

  it('C56 a session cannot be carried over to another name', async () => {
    await start();
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = await proxy.secure(host, { maxVersion });
      if (!(first.socket instanceof tls.TLSSocket)) throw new Error('expected TLS');
      await first.ask('GET', '/', host);
      const session = first.socket.getSession();
      const second = await proxy.secure(host, { maxVersion, ...(session === undefined ? {} : { session }) });
      expect(second.socket instanceof tls.TLSSocket && second.socket.isSessionReused()).toBe(false);
    }
  });
});

describe('protocols', () => {
  it('B50 a client that speaks only HTTP/2 gets a clean alert', async () => {
    await start();
    expect(await failure({ ALPNProtocols: ['h2'] })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    expect(run.records).toMatchObject([{ host, port: 443, status: 0, refused: 'tls_refused' }]);
  });

  it('B50 a client that speaks both, or says nothing, speaks HTTP/1.1', async () => {
    await start();
    const { socket } = await proxy.secure(host, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket instanceof tls.TLSSocket && socket.alpnProtocol).toBe('http/1.1');
    const silent = await proxy.secure(host, { ALPNProtocols: [] });
    expect(await silent.ask('GET', '/', host)).toMatchObject({ status: 200 });
  });

  it('C TLS 1.1 is refused', async () => {
    await start();
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    expect(await failure(old)).toMatch(/PROTOCOL_VERSION/);
    expect(run.records).toMatchObject([{ host, refused: 'tls_refused' }]);
  });

  it('C64 a client that does not know the authority fails closed, and its error names the cause', async () => {
    await start();
    expect(await failure({ ca: house.authority.certPem })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(run.records).toEqual([]);
  });
});

describe('certificates', () => {
  it('C58 C61 C62 are for one host and one day, of an authority that can sign nothing but leaves', async () => {
    await start();
    const leaf = await leafFor(host);
    const authority = new X509Certificate(proxy.frontEnd.authorityPem);
    expect(leaf.subjectAltName).toBe(`DNS:${host}`);
    expect(leaf.ca).toBe(false);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(hours(leaf)).toBeLessThanOrEqual(24);
    expect(Date.parse(leaf.validFrom)).toBeLessThan(Date.now());
    expect(leaf.checkIssued(authority)).toBe(true);
    expect(leaf.toString()).not.toBe(house.authority.certPem);
    expect(authority.ca).toBe(true);
    expect(hours(authority)).toBeLessThanOrEqual(24);
    // basicConstraints: cA TRUE, pathLenConstraint 0; keyUsage: keyCertSign alone (RFC 5280, sections 4.2.1.9 and 4.2.1.3).
    expect(authority.raw.toString('hex')).toContain('0603551d130101ff040830060101ff020100');
    expect(authority.raw.toString('hex')).toContain('0603551d0f0101ff040403020204');
    expect(proxy.frontEnd.authorityPem.match(/-----BEGIN [A-Z ]+-----/g)).toEqual(['-----BEGIN CERTIFICATE-----']);
  });

  it('C64 pass with strict clients: serial numbers are positive, and each names the key that signed it', async () => {
    await start(['*.allowed.com']);
    const leaves = await Promise.all(Array.from({ length: 32 }, (_, index) => leafFor(`h${index}.allowed.com`)));
    const authority = new X509Certificate(proxy.frontEnd.authorityPem);
    const serials = [authority, ...leaves].map(({ serialNumber }) => serialNumber);
    expect(serials.filter((serial) => !/^[0-9A-F]{2,40}$/.test(serial))).toEqual([]);
    expect(new Set(serials).size).toBe(serials.length);
    // Subject and authority key identifier (RFC 5280, sections 4.2.1.2 and 4.2.1.1).
    expect(authority.raw.toString('hex')).toContain('0603551d0e');
    for (const leaf of leaves) expect(leaf.raw.toString('hex')).toContain('0603551d23');
  });

  it('C61 C62 two runs have two authorities, and nothing is written to disk', async () => {
    const before = readdirSync('.').length;
    await start();
    const other = await startProxyHouse(run.session);
    expect(other.frontEnd.authorityPem).not.toBe(proxy.frontEnd.authorityPem);
    expect(await failure({ ca: other.frontEnd.authorityPem })).toMatch(/SIGNATURE|ISSUER/);
    expect(readdirSync('.').length).toBe(before);
    await other.close();
  });

  it('C58 a wildcard rule still gives one certificate for each host', async () => {
    await start(['*.allowed.com']);
    expect((await leafFor(host)).subjectAltName).toBe(`DNS:${host}`);
    expect((await leafFor('other.allowed.com')).subjectAltName).toBe('DNS:other.allowed.com');
  });

  it('C65 a host that is not allowed gets none', async () => {
    await start();
    await expect(proxy.secure('evil.com')).rejects.toThrow('403');
  });

  it('C65 a flood of allowed names does not fill the memory', async () => {
    await start();
    const authority = await RunAuthority.create({ wallMs: () => Date.now(), monotonicMs: () => performance.now() });
    const first = await authority.contextFor('h0.allowed.com');
    expect(await authority.contextFor('h0.allowed.com')).toBe(first);
    for (let i = 1; i <= 64; i += 1) await authority.contextFor(`h${i}.allowed.com`);
    // The one not used for the longest time is gone.
    expect(await authority.contextFor('h0.allowed.com')).not.toBe(first);
  });
});

describe('hostile handshakes', () => {
  /** The first flight of a client, as bytes. */
  async function clientHello(options: tls.ConnectionOptions = {}): Promise<Buffer> {
    const { Duplex } = await import('node:stream');
    const chunks: Buffer[] = [];
    let flown = (): void => {};
    const flight = new Promise<void>((resolve) => {
      flown = resolve;
    });
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
        flown();
      },
    });
    const client = tls.connect({ socket: wire, servername: host, ...options });
    client.on('error', () => {});
    await flight;
    client.destroy();
    return Buffer.concat(chunks);
  }

  it('C64 a client that refuses us by an alert was not refused, and leaves no row', async () => {
    await start();
    const client = await proxy.tunnel(`${host}:443`);
    client.write(await clientHello({ maxVersion: 'TLSv1.2' }));
    expect((await client.bytes(1))[0]).toBe(0x16);
    // unknown_ca (RFC 8446, section 6.2).
    client.write(Buffer.from('15030300020230', 'hex'));
    await client.rest();
    expect(run.records).toEqual([]);
  });

  it('C63 a ClientHello in single bytes is read', async () => {
    await start();
    const hello = await clientHello();
    const client = await proxy.tunnel(`${host}:443`);
    for (const byte of hello) {
      client.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [first] = await once(client.socket, 'data');
    expect(first[0]).toBe(0x16);
  });

  it('C63 a ClientHello of more than 16 KiB is refused or read, and the next client is served', async () => {
    await start();
    const ALPNProtocols = ['http/1.1', ...Array.from({ length: 250 }, (_, i) => `${'x'.repeat(240)}${i}`)];
    expect(await failure({ ALPNProtocols })).not.toBe('');
    expect(await (await proxy.secure(host)).ask('GET', '/', host)).toMatchObject({ status: 200 });
  });

  it('C63 GREASE and unknown extensions are passed over', async () => {
    await start();
    const client = await proxy.tunnel(`${host}:443`);
    const hello = await clientHello();
    // One more extension of type 0x0a0a (RFC 8701): the lengths of record, message and list grow by its four bytes.
    const grease = Buffer.concat([hello, Buffer.from([0x0a, 0x0a, 0, 0])]);
    grease.writeUInt16BE(hello.readUInt16BE(3) + 4, 3);
    grease.writeUIntBE(hello.readUIntBE(6, 3) + 4, 6, 3);
    const ciphers = 44 + (hello[43] ?? 0);
    const compressions = ciphers + 2 + hello.readUInt16BE(ciphers);
    const extensions = compressions + 1 + (hello[compressions] ?? 0);
    grease.writeUInt16BE(hello.readUInt16BE(extensions) + 4, extensions);
    client.write(grease);
    const [first] = await once(client.socket, 'data');
    expect(first[0]).toBe(0x16);
  });

  it.each([
    ['SSLv2', Buffer.from('802e0100020015000000100100800200800600400400800700c0', 'hex')],
    ['a record longer than TLS allows', Buffer.from('160301ffff0100', 'hex')],
    ['an alert', Buffer.from('15030100020228', 'hex')],
    ['an empty record', Buffer.from('1603010000', 'hex')],
    ['a hello that is cut', Buffer.from('16030100050100000100', 'hex')],
    ['zeros after the type', Buffer.concat([Buffer.from([0x16]), Buffer.alloc(1_000)])],
  ])('C63 %s does no harm', async (_what, bytes) => {
    await start();
    const client = await proxy.tunnel(`${host}:443`);
    client.write(bytes);
    client.socket.end();
    await client.rest();
    expect(await (await proxy.secure(host)).ask('GET', '/', host)).toMatchObject({ status: 200 });
  });

  it.each(['\u00e4\u00e4\u00e4', '\u20ac\u20ac', '\u{1f511}\u{1f511}'])(
    'C56 C63 a name in letters of more than one byte (%j) is refused under a wildcard too, and the next client is served',
    async (letters) => {
      await start(['*.allowed.com']);
      const hello = await clientHello();
      const bytes = Buffer.concat([Buffer.from(letters), Buffer.alloc(host.length, '.allowed.com')]);
      bytes.copy(hello, hello.indexOf(host), 0, host.length);
      const client = await proxy.tunnel(`${host}:443`);
      client.write(hello);
      // A TLS alert (RFC 8446, section 6), or nothing.
      expect(['', '\x15']).toContain((await client.rest()).slice(0, 1));
      expect(await (await proxy.secure(host)).ask('GET', '/', host)).toMatchObject({ status: 200 });
    },
  );

  it('C63 bytes that go wrong in the middle of TLS end that connection alone', async () => {
    await start();
    const other = await proxy.secure(host);
    const raw = await proxy.tunnel(`${host}:443`);
    raw.socket.removeAllListeners('data');
    const secured = tls.connect({ socket: raw.socket, servername: host, ca: proxy.frontEnd.authorityPem });
    secured.on('error', () => {});
    await once(secured, 'secureConnect');
    raw.socket.write(Buffer.from('1703030010deadbeefdeadbeefdeadbeefdeadbeef', 'hex'));
    await new Client(secured).rest();
    expect(await other.ask('GET', '/', host)).toMatchObject({ status: 200 });
  });

  it('C63 clients that leave at any time do no harm', async () => {
    await start();
    const hello = await clientHello();
    for (let cut = 1; cut < hello.length; cut += 37) {
      const client = await proxy.tunnel(`${host}:443`);
      client.write(hello.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.destroy();
    }
    expect(await (await proxy.secure(host)).ask('GET', '/', host)).toMatchObject({ status: 200 });
  });
});

describe('the environment of the host', () => {
  it('C60 SSLKEYLOGFILE, --tls-keylog, --tls-min-v1.0 and the like change nothing', async () => {
    await start();
    const { execFile } = await import('node:child_process');
    const { mkdtempSync, existsSync, rmSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    const folder = mkdtempSync(join(tmpdir(), 'keylog-'));
    const script = `
      import { startEgressHouse } from ${JSON.stringify(join(import.meta.dirname, '../support/egressHouse.ts'))};
      import { startProxyHouse } from ${JSON.stringify(join(import.meta.dirname, '../support/proxyHouse.ts'))};
      const house = await startEgressHouse([${JSON.stringify(host)}]);
      const run = house.open();
      const proxy = await startProxyHouse(run.session);
      const tls = await import('node:tls');
      const { appendFile } = await import('node:fs/promises');
      async function handshake(options) {
        const client = await proxy.connect();
        client.write('CONNECT ${host}:443 HTTP/1.1\\r\\n\\r\\n');
        await client.answer(true);
        client.socket.removeAllListeners('data');
        const secured = tls.connect({ socket: client.socket, servername: '${host}', ...options });
        // The client's own keys may be logged; it is the server's that must not.
        secured.removeAllListeners('keylog');
        return new Promise((resolve) => {
          secured.on('secureConnect', () => resolve('connected')).on('error', () => resolve('refused'));
        });
      }
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' };
      console.log(await handshake({ ...old, rejectUnauthorized: false }));
      console.log(await handshake({ ca: proxy.frontEnd.authorityPem }));
      // Whatever was handed to the thread pool before this is on disk after it.
      for (let i = 0; i < 8; i += 1) await appendFile(${JSON.stringify(join(folder, 'c'))}, 'x');
      process.exit(0);
    `;
    const env = {
      PATH: process.env.PATH ?? '',
      SSLKEYLOGFILE: join(folder, 'a'),
      NODE_OPTIONS: `--tls-keylog=${join(folder, 'b')} --tls-min-v1.0`,
      NODE_EXTRA_CA_CERTS: '/nonexistent',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    };
    const printed = await new Promise<string>((resolve) => {
      execFile(process.execPath, ['--input-type=module', '-e', script], { env, timeout: 30_000 }, (_error, stdout) =>
        resolve(stdout),
      );
    });
    expect(printed).toBe('refused\nconnected\n');
    expect([existsSync(join(folder, 'a')), existsSync(join(folder, 'b'))]).toEqual([false, false]);
    rmSync(folder, { recursive: true });
  });
});
